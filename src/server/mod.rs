//! The trust server's door: Notary's HTTP interface, access control, pages.

pub mod access;
pub mod pages;
pub mod settings;
