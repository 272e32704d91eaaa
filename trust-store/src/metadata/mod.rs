//! Metadata at rest.
