//! Names that become paths: refused unless every part is an ordinary file name.

use std::path::PathBuf;

use super::error::CacheError;

/// The folder of a repository below `tuf`.
///
/// Notary joins the name unchecked, so that `../` leads out of its cache (Cure53, TUF-01-004).
pub(super) fn repository_folder(gun: &str) -> Result<PathBuf, CacheError> {
    match fault(gun) {
        Some(why) => Err(CacheError::BadGun {
            gun: gun.to_owned(),
            why,
        }),
        None => Ok(PathBuf::from(gun)),
    }
}

/// The file of a role below `metadata`; a nested role lies in nested folders.
pub(super) fn role_file(role: &str) -> Result<PathBuf, CacheError> {
    match fault(role) {
        Some(why) => Err(CacheError::BadRole {
            role: role.to_owned(),
            why,
        }),
        None => Ok(PathBuf::from(format!("{role}.json"))),
    }
}

fn fault(name: &str) -> Option<&'static str> {
    if name.len() > MAX_LENGTH {
        return Some("is longer than 255 bytes");
    }
    if name.contains(|c: char| c == '\\' || c.is_control()) {
        return Some("has a backslash or a control character");
    }
    name.split('/').find_map(|part| match part {
        "" => Some("has an empty part"),
        // `.` and `..` lead elsewhere; other hidden names are ours.
        _ if part.starts_with('.') => Some("has a part that begins with a dot"),
        _ => None,
    })
}

/// In bytes; what a file system takes for one name, and a trust server for a repository.
const MAX_LENGTH: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_become_paths() {
        for gun in [
            "docker.io/library/alpine",
            "localhost:5000/team/app",
            "[::1]:5000/a",
            "a",
        ] {
            assert_eq!(repository_folder(gun).unwrap(), PathBuf::from(gun));
        }
        assert_eq!(role_file("root").unwrap(), PathBuf::from("root.json"));
        assert_eq!(
            role_file("targets/a.b").unwrap(),
            PathBuf::from("targets/a.b.json")
        );
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "a/".repeat(127) + "ab";
        let refused = [
            "",
            "/",
            "/etc",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            "a/..",
            ".",
            "a/./b",
            ".pending",
            "a/.floor.json",
            "a\\b",
            "a\0b",
            "a\nb",
            long.as_str(),
        ];
        for name in refused {
            assert!(
                matches!(repository_folder(name), Err(CacheError::BadGun { .. })),
                "{name:?}"
            );
            assert!(
                matches!(role_file(name), Err(CacheError::BadRole { .. })),
                "{name:?}"
            );
        }
    }
}
