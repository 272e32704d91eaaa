//! it
#[test]
fn a() {}
