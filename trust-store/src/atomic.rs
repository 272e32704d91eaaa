//! Files that are there whole or not at all, whenever the process or the machine stops.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::thread;

use tempfile::NamedTempFile;

/// The file holds exactly `bytes`, also after a crash; before, it held the old ones.
///
/// `mode` is the file's permissions before the umask. A process killed half way leaves the old
/// file and possibly a hidden `.tmp` file beside it. The directory must exist.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let directory = parent(path);
    written_beside(directory, bytes, mode)?.persist(path)?;
    sync_directory(directory)
}

/// A new file holds exactly `bytes`; one that is already there stays and is an error.
///
/// The error for an existing file is [`io::ErrorKind::AlreadyExists`].
pub fn create_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let directory = parent(path);
    written_beside(directory, bytes, mode)?.persist_noclobber(path)?;
    sync_directory(directory)
}

/// The same, made in another directory of the same file system, so that nobody sees it in the making.
pub(crate) fn create_atomic_from(
    workshop: &Path,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> io::Result<()> {
    written_beside(workshop, bytes, mode)?.persist_noclobber(path)?;
    sync_directory(parent(path))
}

/// The directory and its missing parents exist, readable by their owner only.
pub(crate) fn create_private_directories(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The names in this directory survive a power failure.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// All of these survive a power failure.
///
/// They are waited for at the same time: the file system then makes one journal entry of them.
pub(crate) fn sync_together(files: &[File]) -> io::Result<()> {
    let sync = |share: &[File]| share.iter().try_for_each(File::sync_all);
    let shares = files.chunks(files.len().div_ceil(SYNCING_THREADS).max(1));
    thread::scope(|scope| {
        let begun: Vec<_> = shares
            .map(|share| {
                let thread = thread::Builder::new().spawn_scoped(scope, move || sync(share));
                thread.map_err(|_| share)
            })
            .collect();
        begun.into_iter().try_for_each(|begun| match begun {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("interrupted"))),
            // There are no more threads to be had.
            Err(share) => sync(share),
        })
    })
}

fn written_beside(directory: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(OsStr::new("."))
        .suffix(OsStr::new(".tmp"))
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The directory that the file is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// A first fetch writes about so many files.
const SYNCING_THREADS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn replaces_content_and_mode_and_leaves_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        write_atomic(&path, b"old", 0o644).unwrap();
        write_atomic(&path, b"new", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(names(home.path()), ["file"]);
    }

    #[test]
    fn a_failed_write_leaves_no_file() {
        let home = tempfile::tempdir().unwrap();
        let occupied = home.path().join("occupied");
        fs::create_dir(&occupied).unwrap();
        write_atomic(&occupied, b"new", 0o600).unwrap_err();
        assert_eq!(names(home.path()), ["occupied"]);
    }

    #[test]
    fn creating_never_overwrites() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        create_atomic(&path, b"first", 0o600).unwrap();
        let error = create_atomic(&path, b"second", 0o600).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(home.path()), ["file"]);
    }

    #[test]
    fn directories_are_private_all_the_way() {
        let home = tempfile::tempdir().unwrap();
        create_private_directories(&home.path().join("a/b")).unwrap();
        for name in ["a", "a/b"] {
            let mode = fs::metadata(home.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}
