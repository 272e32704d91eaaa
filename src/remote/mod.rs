//! Where signed metadata live away from here: fetching and publishing them, never judging them.
//!
//! Everything that arrives is bounded in size and time. Only reading is ever repeated; a publish
//! that got no answer may have happened, so its caller has to look before it tries again.

mod auth;
mod error;
mod notary;
mod reply;
mod session;
mod transport;

#[cfg(test)]
mod tests;

pub use error::{RemoteError, TlsFault};
pub use notary::{Actions, MetadataFile, Notary};

pub(crate) use session::Session;
pub(crate) use transport::read_body;
