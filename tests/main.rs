//! it
#[test] fn a(){}
