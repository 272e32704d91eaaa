//! What has to hold whichever database the store is in.

pub mod backups;
pub mod growth;
pub mod kills;
pub mod prunes;
pub mod together;
