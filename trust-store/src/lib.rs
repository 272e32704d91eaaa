//! Keys and metadata at rest.
#![forbid(unsafe_code)]
