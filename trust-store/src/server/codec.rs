//! How a file's bytes are kept: compressed whole, or as what differs from an earlier version.
//!
//! A difference always refers to a whole copy, never to another difference, so that reading any
//! version takes at most two decompressions however long the history. Pure: no database here.

use std::io::{self, Read, Write};

use ring::digest;

use super::StoreError;

/// Largest file kept, in bytes (what a Notary client will download).
pub const MAX_FILE: usize = 100 << 20;

/// Files smaller than this are always kept whole: there is nothing to save.
const SMALL: usize = 4 << 10;

/// Zstandard's default: a tenth of a second for the largest real targets file.
const LEVEL: i32 = 3;

/// Zstandard's bounds for the distance over which it sees; the upper one is what readers accept.
const WINDOW_LOG: (u32, u32) = (17, 27);

/// True if a file of this size, in bytes, is worth comparing with an earlier one.
pub(super) fn worth_comparing(size: usize) -> bool {
    size >= SMALL
}

/// What differs from `base`, the last whole copy, unless a new whole copy is due.
///
/// `room` is how many bytes of differences may still refer to the copy: at first its own size in
/// the store. That keeps the sum of copies and differences smallest when every publish adds about
/// as much as the one before.
pub(super) fn difference(bytes: &[u8], base: &[u8], room: usize) -> io::Result<Option<Vec<u8>>> {
    let difference = compress(bytes, base)?;
    Ok(Some(difference).filter(|difference| difference.len() < room))
}

/// The file by itself.
pub(super) fn whole(bytes: &[u8]) -> io::Result<Vec<u8>> {
    compress(bytes, &[])
}

/// The file of `size` bytes and this SHA-256, byte for byte, from its stored form.
///
/// `whole` is the stored form of the copy that `packed` refers to, with that copy's size.
pub(super) fn unpack(
    packed: &[u8],
    size: usize,
    sha256: &[u8],
    whole: Option<(&[u8], usize)>,
) -> Result<Vec<u8>, StoreError> {
    let base = match whole {
        Some((packed, size)) => decompress(packed, size, &[])?,
        None => Vec::new(),
    };
    let bytes = decompress(packed, size, &base)?;
    if digest::digest(&digest::SHA256, &bytes).as_ref() == sha256 {
        Ok(bytes)
    } else {
        Err(StoreError::damaged("its bytes do not have its hash"))
    }
}

fn compress(bytes: &[u8], base: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = if base.is_empty() {
        zstd::stream::write::Encoder::new(Vec::new(), LEVEL)?
    } else {
        let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(Vec::new(), LEVEL, base)?;
        encoder.window_log(window_log(bytes.len().saturating_add(base.len())))?;
        encoder.long_distance_matching(true)?;
        encoder
    };
    encoder.include_checksum(false)?;
    encoder.include_contentsize(false)?;
    encoder.set_pledged_src_size(u64::try_from(bytes.len()).ok())?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Reads at most one byte more than `size`: a damaged store cannot fill the memory.
fn decompress(packed: &[u8], size: usize, base: &[u8]) -> Result<Vec<u8>, StoreError> {
    if size > MAX_FILE {
        return Err(StoreError::damaged("its recorded size is out of bounds"));
    }
    let mut bytes = Vec::with_capacity(size);
    let budget = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    let read = if base.is_empty() {
        zstd::stream::read::Decoder::with_buffer(packed)
            .and_then(|decoder| decoder.take(budget).read_to_end(&mut bytes))
    } else {
        zstd::stream::read::Decoder::with_ref_prefix(packed, base)
            .and_then(|decoder| decoder.take(budget).read_to_end(&mut bytes))
    };
    match read {
        Ok(read) if read == size => Ok(bytes),
        Ok(_) => Err(StoreError::damaged("it does not have its recorded size")),
        Err(error) => Err(StoreError::damaged(&error.to_string())),
    }
}

/// Enough to see the whole base from the last byte of the file, within the bounds.
fn window_log(reach: usize) -> u32 {
    let (lowest, highest) = WINDOW_LOG;
    reach
        .checked_next_power_of_two()
        .map_or(highest, usize::ilog2)
        .clamp(lowest, highest)
}
