//! What old files are still needed for.

use crate::tuf::digest::FileMeta;
use crate::tuf::envelope::Unverified;
use crate::tuf::role::RoleName;
use crate::tuf::snapshot::Snapshot;
use crate::tuf::timestamp::Timestamp as TimestampFile;
use trust_store::server::StoredFile;

/// The hashes that a stored timestamp or snapshot names, as [`trust_store::server::Store::prune`]
/// wants them: SHA-256 in lower-case hex.
pub fn named_hashes(file: &StoredFile) -> Vec<String> {
    let Ok(parsed) = Unverified::parse(&file.bytes) else {
        return Vec::new();
    };
    let named = match file.role.as_str() {
        "timestamp" => parsed
            .claims::<TimestampFile>(&RoleName::timestamp())
            .map(|facts| facts.snapshot.sha256_hex().into_iter().collect()),
        "snapshot" => parsed
            .claims::<Snapshot>(&RoleName::snapshot())
            .map(|facts| {
                facts
                    .meta
                    .values()
                    .filter_map(FileMeta::sha256_hex)
                    .collect()
            }),
        _ => return Vec::new(),
    };
    named.unwrap_or_default()
}
