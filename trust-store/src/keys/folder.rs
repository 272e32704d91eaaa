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
    for folder in [ROOT_KEYS, TUF_KEYS] {
        walk_legacy(private, &private.join(folder), MAX_DEPTH, &mut found)?;
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
    word.len() == ID_DIGITS
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

/// Every key below one of the folders of Notary before 0.4.
fn walk_legacy(
    private: &Path,
    directory: &Path,
    depth: usize,
    found: &mut Vec<Candidate>,
) -> Result<(), KeyError> {
    for entry in entries(directory)? {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && depth > 0 {
            walk_legacy(private, &path, depth - 1, found)?;
            continue;
        }
        let place = path.strip_prefix(private).ok().and_then(Path::to_str);
        let stem = place.and_then(|place| place.strip_suffix(".key"));
        if let Some(place) = stem.and_then(OldPlace::parse) {
            found.push(Candidate {
                id: place.id.to_owned(),
                role: place.role.map(str::to_owned),
                gun: place.gun.map(str::to_owned),
                path,
            });
        }
    }
    Ok(())
}

/// What the place of a key below `private` says, as Notary before 0.4 named it: in 0.1
/// `root_keys/ID_root` and `tuf_keys/GUN/ID_ROLE`, in 0.3 without the role, and without the
/// repository for keys that serve several.
pub(super) struct OldPlace<'a> {
    pub(super) id: &'a str,
    pub(super) role: Option<&'a str>,
    pub(super) gun: Option<&'a str>,
}

impl<'a> OldPlace<'a> {
    /// Reads a path below `private`, without `.key` at its end.
    pub(super) fn parse(place: &'a str) -> Option<Self> {
        let (folder, place) = place.split_once('/')?;
        let has_gun = match folder {
            ROOT_KEYS => false,
            TUF_KEYS => true,
            _ => return None,
        };
        // The role of a delegation has slashes itself.
        let after_slashes = place.match_indices('/').map(|(at, _)| at + 1);
        let mut starts = [0].into_iter().chain(after_slashes);
        starts.find_map(|start| {
            let (before, name) = place.split_at_checked(start)?;
            let (id, rest) = name.split_at_checked(ID_DIGITS)?;
            let role = match rest.strip_prefix('_') {
                Some(role) if !role.is_empty() => Some(role),
                None if rest.is_empty() => None,
                _ => return None,
            };
            let gun = before.trim_end_matches('/');
            let gun = (has_gun && !gun.is_empty()).then_some(gun);
            is_key_id(id).then_some(Self { id, role, gun })
        })
    }
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

const ROOT_KEYS: &str = "root_keys";
const TUF_KEYS: &str = "tuf_keys";
const ID_DIGITS: usize = 64;
/// Deeper than any repository name; keeps a strange tree from exhausting the stack.
const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_places_say_id_role_and_repository() {
        let id = "0a".repeat(32);
        let said = |place: &str| {
            let place = place.replace("ID", &id);
            let said = OldPlace::parse(&place)?;
            assert_eq!(said.id, id);
            Some((said.role.map(str::to_owned), said.gun.map(str::to_owned)))
        };
        let some = |text: &str| Some(text.to_owned());
        for (place, role, gun) in [
            ("root_keys/ID_root", some("root"), None),
            ("root_keys/ID", None, None),
            ("root_keys/deeper/ID_root", some("root"), None),
            (
                "tuf_keys/r.io/a/b/ID_targets",
                some("targets"),
                some("r.io/a/b"),
            ),
            ("tuf_keys/r.io/a/b/ID", None, some("r.io/a/b")),
            ("tuf_keys/ID", None, None),
            (
                "tuf_keys/ID_targets/releases",
                some("targets/releases"),
                None,
            ),
            ("tuf_keys/a/ID_targets/x/y", some("targets/x/y"), some("a")),
            ("tuf_keys/ID_a_b", some("a_b"), None),
        ] {
            assert_eq!(said(place), Some((role, gun)), "{place}");
        }
        for place in [
            "ID",
            "tuf_keys",
            "tuf_keys/ID_",
            "tuf_keys/IDx",
            "other/ID",
            "tuf_keys/name",
        ] {
            assert_eq!(said(place), None, "{place}");
        }
    }
}
