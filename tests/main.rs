//! Promises that need no peer: one file each.
#![forbid(unsafe_code)]

mod notary_files;
