//! The `trust` program.
#![forbid(unsafe_code)]

fn main() {}
