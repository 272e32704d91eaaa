//! Where key files lie: Docker's folder of today, and the two of its first versions.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::error::KeyError;
use super::file::read_file;

/// A file that its name claims to be a key.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) path: PathBuf,
    /// From the file name, in the old folders only.
    pub(super) role: Option<String>,
    /// From the directory, in the old folders only.
    pub(super) gun: Option<String>,
}

/// Every file named like a key, sorted by id, then path.
pub(super) fn candidates(private: &Path) -> Result<Vec<Candidate>, KeyError> {
    let mut found: Vec<_> = entries(private)?.iter().filter_map(current).collect();
    for (folder, has_gun) in [("root_keys", false), ("tuf_keys", true)] {
        let top = private.join(folder);
        walk_legacy(&top, &top, has_gun, MAX_DEPTH, &mut found)?;
    }
    found.sort_by(|a, b| (&a.id, &a.path).cmp(&(&b.id, &b.path)));
    Ok(found)
}

/// The bytes of a key file in one of these folders.
pub(super) fn read_regular(path: &Path) -> Result<Vec<u8>, KeyError> {
    let failed = |source| KeyError::CannotRead {
        path: path.to_owned(),
        source,
    };
    // Looked at before it is opened: opening a named pipe would wait for its writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    read_file(path)
}

/// True for 64 hex digits in lower case, which every key id is.
pub(super) fn is_key_id(word: &str) -> bool {
    word.len() == 64
        && word
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn current(entry: &DirEntry) -> Option<Candidate> {
    let id = key_stem(entry)?;
    is_key_id(&id).then(|| Candidate {
        id,
        path: entry.path(),
        role: None,
        gun: None,
    })
}

/// `<id>_<role>.key`, anywhere below `root_keys`, or below the repository's folder in `tuf_keys`.
fn walk_legacy(
    top: &Path,
    directory: &Path,
    has_gun: bool,
    depth: usize,
    found: &mut Vec<Candidate>,
) -> Result<(), KeyError> {
    for entry in entries(directory)? {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && depth > 0 {
            walk_legacy(top, &entry.path(), has_gun, depth - 1, found)?;
        } else if let Some((id, role)) = key_stem(&entry).as_deref().and_then(split_legacy) {
            let gun = directory.strip_prefix(top).ok().and_then(Path::to_str);
            let gun = gun
                .filter(|gun| has_gun && !gun.is_empty())
                .map(str::to_owned);
            let (id, role) = (id.to_owned(), Some(role.to_owned()));
            found.push(Candidate {
                id,
                path: entry.path(),
                role,
                gun,
            });
        }
    }
    Ok(())
}

fn split_legacy(stem: &str) -> Option<(&str, &str)> {
    stem.split_once('_')
        .filter(|(id, role)| is_key_id(id) && !role.is_empty())
}

fn key_stem(entry: &DirEntry) -> Option<String> {
    Some(entry.file_name().to_str()?.strip_suffix(".key")?.to_owned())
}

/// The entries of a directory; none if it is not there.
fn entries(directory: &Path) -> Result<Vec<DirEntry>, KeyError> {
    let listed = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.and_then(Iterator::collect),
    };
    listed.map_err(|source| KeyError::CannotRead {
        path: directory.to_owned(),
        source,
    })
}

/// Deeper than any repository name; keeps a strange tree from exhausting the stack.
const MAX_DEPTH: usize = 64;
