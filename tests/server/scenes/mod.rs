//! What has to hold whichever database the store is in.

pub mod kills;
