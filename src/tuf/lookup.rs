//! Who signed a name: the walk over delegations and their paths (Notary v1 `WalkTargets`).

use super::digest::FileMeta;
use super::role::RoleName;
use super::trusted::Current;
use std::collections::VecDeque;

/// A role in reach of the walk, with the paths it may sign.
struct Reach<'c> {
    role: RoleName,
    paths: Vec<&'c str>,
}

/// A believed role with the names it may and does sign.
#[derive(Debug)]
pub struct Signed<'c> {
    /// The role
    pub role: RoleName,
    paths: Vec<&'c str>,
    targets: &'c std::collections::BTreeMap<String, FileMeta>,
}

impl<'c> Signed<'c> {
    /// What the role says of `name`, if it may speak of it.
    pub fn meta(&self, name: &str) -> Option<&'c FileMeta> {
        self.may_sign(name)
            .then(|| self.targets.get(name))
            .flatten()
    }

    /// Every name the role signs inside its paths.
    pub fn names(&self) -> impl Iterator<Item = (&'c str, &'c FileMeta)> {
        self.targets
            .iter()
            .filter(|(name, _)| self.may_sign(name))
            .map(|(n, m)| (n.as_str(), m))
    }

    fn may_sign(&self, name: &str) -> bool {
        self.paths.iter().any(|prefix| name.starts_with(prefix))
    }
}

impl Current {
    /// Every believed targets role, breadth first from `targets`, in the order of the delegations.
    pub fn walk(&self) -> Vec<Signed<'_>> {
        let mut queue = VecDeque::from([Reach {
            role: RoleName::targets(),
            paths: vec![""],
        }]);
        let mut walked = Vec::new();
        while let Some(Reach { role, paths }) = queue.pop_front() {
            let Some(file) = self.role(&role) else {
                continue;
            };
            for child in &file.facts().delegations.roles {
                let paths = child.paths_under(&paths);
                queue.push_back(Reach {
                    role: child.name.clone(),
                    paths,
                });
            }
            walked.push(Signed {
                role,
                paths,
                targets: &file.facts().targets,
            });
        }
        walked
    }

    /// The delegated roles that may sign `name` directly below `targets`.
    pub fn children_admitting(&self, name: &str) -> impl Iterator<Item = &RoleName> {
        let roles = &self.targets().facts().delegations.roles;
        roles
            .iter()
            .filter(move |role| role.admits(name))
            .map(|role| &role.name)
    }
}
