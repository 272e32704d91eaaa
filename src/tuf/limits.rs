//! Every budget for foreign metadata, each with its source.

/// Largest `timestamp.json`, in bytes (Notary v1 client: `MaxTimestampSize`, 1 MiB).
pub const TIMESTAMP_BYTES: u64 = 1 << 20;

/// Largest `root.json`, in bytes. Notary v1 allows 100 MiB; the largest real chains stay under 1 MiB.
pub const ROOT_BYTES: u64 = 4 << 20;

/// Largest file whose length another file names, in bytes: 64 MiB is some 700,000 signed tags.
pub const NAMED_BYTES: u64 = 64 << 20;

/// Deepest nesting of JSON: a signed file needs 7 levels, `custom` data may bring its own.
pub const JSON_DEPTH: usize = 64;

/// Most JSON values in one file; a signed tag takes six.
pub const JSON_VALUES: usize = 4_000_000;

/// Most signatures looked at in one file (x/mod/sumdb `note.go` stops at 100).
pub const SIGNATURES: usize = 256;

/// Most keys one file may list.
pub const KEYS: usize = 4096;

/// Most delegated roles in one repository.
pub const DELEGATIONS: usize = 1024;

/// Deepest delegation: `targets/a` is 1. Notary v1 has no limit of its own.
pub const DELEGATION_DEPTH: usize = 16;

/// Most root versions followed in one refresh (python-tuf `max_root_rotations` is 256).
pub const ROOT_STEPS: u64 = 1024;

/// Highest version number: Notary v1 stores it in a signed 32-bit column.
pub const VERSION: u64 = i32::MAX as u64;

/// Longest role name, in bytes (Notary v1 `roles.go`, and its database column).
pub const ROLE_NAME_BYTES: usize = 255;

/// Bytes of a certificate bundle; a leaf with a chain of three takes 6 KiB.
pub const CERTIFICATE_BYTES: usize = 64 << 10;
