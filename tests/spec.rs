//! What SPEC.md shows is what the program prints.

#[test]
fn the_console_blocks_of_the_specification_hold() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    trycmd::TestCases::new()
        .case("SPEC.md")
        .env("HOME", home)
        .env("DOCKER_CONFIG", home)
        .env("DOCKER_CONTENT_TRUST_SERVER", "")
        .run();
}
