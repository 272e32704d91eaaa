//! The doctor: made-up hosts.
