//! Which repositories a prefix is about, and what rights allow.

use trust_store::server::{Action, Right};

/// Whether the repository is below this prefix, or is it.
///
/// A prefix ends where a component of the name ends: `docker.io/team` and `docker.io/team/` are
/// about `docker.io/team/app`, neither about `docker.io/teams/app`; the first is about the repository
/// `docker.io/team` as well. The empty prefix is about every repository.
pub(super) fn covers(prefix: &str, gun: &str) -> bool {
    let at_boundary = |rest: &str| {
        prefix.is_empty() || rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/')
    };
    gun.strip_prefix(prefix).is_some_and(at_boundary)
}

/// Whether one of these rights allows the action.
pub(super) fn allow(rights: &[Right], gun: &str, action: Action) -> bool {
    rights
        .iter()
        .any(|right| covers(&right.prefix, gun) && contains(&right.actions, action))
}

/// Whether these actions include this one; `*` includes all (distribution, `auth/token`).
pub(super) fn contains(actions: &[Action], action: Action) -> bool {
    actions.contains(&Action::All) || actions.contains(&action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_components_end() {
        for (prefix, gun, expected) in [
            ("", "docker.io/a", true),
            ("docker.io/a", "docker.io/a", true),
            ("docker.io/a", "docker.io/a/b", true),
            ("docker.io/a", "docker.io/ab", false),
            ("docker.io/a/", "docker.io/a/b", true),
            ("docker.io/a/", "docker.io/a", false),
            ("docker.io/a/b", "docker.io/a", false),
            ("host:5000", "host:5000/x", true),
            ("host", "host:5000/x", false),
            ("Docker.io/a", "docker.io/a", false),
            ("/", "docker.io/a", false),
        ] {
            assert_eq!(covers(prefix, gun), expected, "{prefix} {gun}");
        }
    }

    #[test]
    fn everything_takes_everything() {
        use Action::{All, Pull, Push};
        let right = |prefix: &str, actions: &[Action]| Right {
            prefix: prefix.into(),
            actions: actions.into(),
        };
        let rights = [
            right("a", &[Pull]),
            right("a/b", &[Push]),
            right("c", &[All]),
        ];
        for (gun, action, expected) in [
            ("a/b", Pull, true),
            ("a/b", Push, true),
            ("a/b", All, false),
            ("a/c", Push, false),
            ("c/d", Pull, true),
            ("c/d", All, true),
            ("d", Pull, false),
        ] {
            assert_eq!(allow(&rights, gun, action), expected, "{gun} {action:?}");
        }
    }
}
