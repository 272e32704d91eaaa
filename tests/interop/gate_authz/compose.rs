//! Docker Compose, which content trust never reached.

use std::fs;

use super::scene::{CLOSED, alone, gated, lab};
use crate::peers::{program::find, run::run};

#[test]
fn compose_runs_what_is_signed_and_nothing_else() {
    let _turn = alone();
    let (lab, _, _) = lab();
    let authz = gated(&lab, CLOSED);
    let reader = lab.home("reader");
    let up = |tag: &str| {
        let image = lab.name(&format!("team/app:{tag}"));
        let file = format!(
            "version: '3'\nservices:\n  app:\n    image: {image}\n    network_mode: none\n"
        );
        fs::write(reader.folder().join("docker-compose.yml"), file).expect("a file");
        run(reader.command(&find("docker-compose"), "up --no-color"))
    };
    up("signed").ok().says("team/app:signed");
    up("unsigned")
        .exit(1)
        .says(&format!("authorization denied by plugin {}", authz.name))
        .says("[unsigned]");
}
