//! The metadata model: bytes in, facts out. No clock, disk, network or randomness.
//!
//! Rules a reviewer checks the code against:
//! 1. Bytes first: hashes cover the bytes that arrived, signatures the canonical form of the
//!    received `signed` value; facts are read from that same value.
//! 2. A file is believed only after [`envelope::Unverified::verify`] counted enough distinct keys.
//! 3. Root: the old and the new keys both sign; versions grow by one unless the keys already
//!    trusted sign the newest root themselves.
//! 4. Timestamp, then snapshot, then targets, then delegations; each is the file its parent names,
//!    unexpired, and not older than anything believed before ([`floor::Floor`]).
//! 5. A delegation signs only inside its paths, and inside those of every role above it.

pub mod accept;
pub mod authority;
pub mod canonical;
pub mod certificate;
pub mod change;
pub mod delegation;
pub mod digest;
pub mod edit;
pub mod envelope;
pub mod error;
pub mod floor;
pub mod key;
pub mod limits;
pub mod lookup;
pub mod role;
pub mod root;
pub mod snapshot;
pub mod targets;
pub mod timestamp;
pub mod trusted;
