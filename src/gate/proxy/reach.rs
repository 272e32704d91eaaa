//! What may be fetched by digest: the parts of manifests that were allowed, each in its repository.
//!
//! A part counts as long as its manifest does, and that is asked again now and then. What memory
//! has no room for is forgotten, repository by repository; asking for the tag brings it back.

use crate::policy::Policy;
use crate::reference::Digest;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a digest was named as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An image or an index
    Manifest,
    /// Something about an image that nobody signed: it must not be an image itself
    Remark,
    /// A configuration or a layer
    Blob,
}

/// A part, and the manifest that made it one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The manifest that was allowed
    pub(super) root: Digest,
    /// Whether that was long ago, or under another policy
    pub(super) stale: bool,
}

/// What was allowed, by repository.
#[derive(Debug, Default)]
pub(super) struct Reach(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    repositories: HashMap<String, Repository>,
    members: usize,
    /// Grows with every use
    turn: u64,
}

#[derive(Debug, Default)]
struct Repository {
    roots: BTreeMap<Digest, Root>,
    used: u64,
}

#[derive(Debug)]
struct Root {
    decided: Instant,
    policy: Arc<Policy>,
    manifests: HashSet<Digest>,
    remarks: HashSet<Digest>,
    blobs: HashSet<Digest>,
    /// Manifests whose own parts are not known yet
    closed: Vec<Digest>,
    used: u64,
}

impl Root {
    /// Remembers parts, as many as one manifest may have.
    fn add(&mut self, parts: &[(Kind, Digest)]) {
        for (kind, digest) in parts {
            if self.size() >= MAX_OF_REPOSITORY {
                return;
            }
            let is_new = self.of(*kind).insert(digest.clone());
            if is_new && *kind == Kind::Manifest {
                self.closed.push(digest.clone());
            }
        }
    }

    fn of(&mut self, kind: Kind) -> &mut HashSet<Digest> {
        match kind {
            Kind::Manifest => &mut self.manifests,
            Kind::Remark => &mut self.remarks,
            Kind::Blob => &mut self.blobs,
        }
    }

    fn size(&self) -> usize {
        self.manifests.len() + self.remarks.len() + self.blobs.len()
    }
}

impl Reach {
    /// A manifest was allowed just now, under this policy.
    pub(super) fn allow(&self, gun: &str, root: &Digest, policy: &Arc<Policy>) {
        let mut inner = self.locked();
        inner.turn += 1;
        let turn = inner.turn;
        if let Some(repository) = inner.repositories.get_mut(gun) {
            repository.used = turn;
            if let Some(known) = repository.roots.get_mut(root) {
                known.decided = Instant::now();
                known.policy = Arc::clone(policy);
                known.used = turn;
                return;
            }
        }
        let known = Root {
            decided: Instant::now(),
            policy: Arc::clone(policy),
            manifests: HashSet::new(),
            remarks: HashSet::new(),
            blobs: HashSet::new(),
            // What it names itself is not known yet either.
            closed: vec![root.clone()],
            used: turn,
        };
        let repository = inner.repositories.entry(gun.to_owned()).or_default();
        repository.used = turn;
        repository.roots.insert(root.clone(), known);
        inner.make_room(gun);
    }

    /// Things named for a root that was allowed; for one that was not, nothing is remembered.
    pub(super) fn add(&self, gun: &str, root: &Digest, parts: &[(Kind, Digest)]) {
        let mut inner = self.locked();
        let Some(known) = inner.root(gun, root) else {
            return;
        };
        let before = known.size();
        known.add(parts);
        let added = known.size() - before;
        inner.members += added;
        inner.make_room(gun);
    }

    /// A root, or a part of it, has these parts; known once, they need no second look.
    pub(super) fn open(&self, gun: &str, root: &Digest, part: &Digest, parts: &[(Kind, Digest)]) {
        let mut inner = self.locked();
        let Some(known) = inner.root(gun, root) else {
            return;
        };
        let is_news = known.remarks.contains(part) || known.closed.contains(part);
        if !is_news {
            return;
        }
        known.closed.retain(|closed| closed != part);
        let before = known.size();
        known.add(parts);
        let added = known.size() - before;
        inner.members += added;
        inner.make_room(gun);
    }

    /// A root of this repository and a manifest of it whose parts are not known yet.
    pub(super) fn closed(&self, gun: &str) -> Option<(Digest, Digest)> {
        let inner = self.locked();
        let mut roots = inner.repositories.get(gun)?.roots.iter();
        roots.find_map(|(root, known)| Some((root.clone(), known.closed.last()?.clone())))
    }

    /// What made this digest a part of that kind, if anything did; a fresh one before others.
    pub(super) fn find(
        &self,
        gun: &str,
        digest: &Digest,
        kind: Kind,
        policy: &Arc<Policy>,
    ) -> Option<Part> {
        let mut inner = self.locked();
        inner.turn += 1;
        let turn = inner.turn;
        let repository = inner.repositories.get_mut(gun)?;
        let mut found: Option<Part> = None;
        for (root, known) in &mut repository.roots {
            if !known.of(kind).contains(digest) {
                continue;
            }
            known.used = turn;
            let stale =
                known.decided.elapsed() > BELIEVED_FOR || !Arc::ptr_eq(&known.policy, policy);
            let root = root.clone();
            found = Some(Part { root, stale });
            if !stale {
                break;
            }
        }
        if found.is_some() {
            repository.used = turn;
        }
        found
    }

    /// Nothing counts any more because of this root.
    pub(super) fn forget(&self, gun: &str, root: &Digest) {
        let mut inner = self.locked();
        let repository = inner.repositories.get_mut(gun);
        let gone = repository.and_then(|repository| repository.roots.remove(root));
        inner.members -= gone.map_or(0, |gone| gone.size());
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn root(&mut self, gun: &str, root: &Digest) -> Option<&mut Root> {
        self.repositories.get_mut(gun)?.roots.get_mut(root)
    }

    /// Forgets what was not used for the longest time: of this repository, then whole others.
    fn make_room(&mut self, gun: &str) {
        if let Some(repository) = self.repositories.get_mut(gun) {
            let size = |repository: &Repository| -> usize {
                repository.roots.values().map(Root::size).sum()
            };
            while repository.roots.len() > 1
                && (repository.roots.len() > MAX_ROOTS || size(repository) > MAX_OF_REPOSITORY)
            {
                let oldest = repository.roots.iter().min_by_key(|(_, root)| root.used);
                let Some(oldest) = oldest.map(|(digest, _)| digest.clone()) else {
                    break;
                };
                let gone = repository.roots.remove(&oldest);
                self.members -= gone.map_or(0, |gone| gone.size());
            }
        }
        while self.repositories.len() > 1
            && (self.members > MAX_MEMBERS || self.repositories.len() > MAX_REPOSITORIES)
        {
            let others = self.repositories.iter().filter(|(name, _)| *name != gun);
            let oldest = others.min_by_key(|(_, repository)| repository.used);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else {
                break;
            };
            let gone = self.repositories.remove(&oldest);
            let roots = gone.iter().flat_map(|gone| gone.roots.values());
            self.members -= roots.map(Root::size).sum::<usize>();
        }
    }
}

/// How long an allowed manifest speaks for its parts before it is asked for again.
const BELIEVED_FOR: Duration = Duration::from_mins(10);
/// Manifests of a repository that speak for others.
const MAX_ROOTS: usize = 256;
/// Parts of a repository; an index of thirty platforms with forty layers each has 1,300.
const MAX_OF_REPOSITORY: usize = 50_000;
/// Parts of all; each takes about 130 bytes.
const MAX_MEMBERS: usize = 200_000;
const MAX_REPOSITORIES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(number: u32) -> Digest {
        Digest::of(&number.to_be_bytes())
    }

    fn policy() -> Arc<Policy> {
        Arc::new(Policy::signed())
    }

    fn counted(reach: &Reach) -> (usize, usize) {
        let inner = reach.locked();
        let roots = inner.repositories.values();
        let roots = roots.flat_map(|repository| repository.roots.values());
        (inner.members, roots.map(Root::size).sum())
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_is_forgotten() {
        let (reach, policy) = (Reach::default(), policy());
        let layer = digest(7);
        for number in 0..=u32::try_from(MAX_ROOTS).unwrap() {
            let root = digest(1000 + number);
            reach.allow("a", &root, &policy);
            reach.open("a", &root, &root, &[(Kind::Blob, digest(2000 + number))]);
            // The first is used all the time.
            assert!(
                reach
                    .find("a", &digest(2000), Kind::Blob, &policy)
                    .is_some()
            );
        }
        assert!(
            reach
                .find("a", &digest(2001), Kind::Blob, &policy)
                .is_none()
        );
        assert!(
            reach
                .find("a", &digest(2002), Kind::Blob, &policy)
                .is_some()
        );
        assert!(
            reach
                .find("b", &digest(2000), Kind::Blob, &policy)
                .is_none()
        );
        assert!(reach.find("a", &layer, Kind::Blob, &policy).is_none());
    }

    #[test]
    fn one_repository_does_not_take_all_the_room() {
        let (reach, policy) = (Reach::default(), policy());
        let root = digest(0);
        reach.allow("small", &root, &policy);
        reach.open("small", &root, &root, &[(Kind::Blob, digest(1))]);
        let parts: Vec<_> = (0..60_000).map(|it| (Kind::Blob, digest(it))).collect();
        reach.allow("large", &root, &policy);
        reach.open("large", &root, &root, &parts);
        assert_eq!(counted(&reach).0, MAX_OF_REPOSITORY + 1);
        assert!(
            reach
                .find("small", &digest(1), Kind::Blob, &policy)
                .is_some()
        );
    }

    #[test]
    fn another_policy_makes_all_parts_stale() {
        let (reach, before) = (Reach::default(), policy());
        let (root, part) = (digest(0), digest(1));
        reach.allow("a", &root, &before);
        reach.open("a", &root, &root, &[(Kind::Manifest, part.clone())]);
        let stale = |policy| {
            reach
                .find("a", &part, Kind::Manifest, policy)
                .map(|it| it.stale)
        };
        assert_eq!(stale(&before), Some(false));
        let after = policy();
        assert_eq!(stale(&after), Some(true));
        reach.allow("a", &root, &after);
        assert_eq!(stale(&after), Some(false));
        assert!(reach.find("a", &part, Kind::Blob, &after).is_none());
    }

    /// What comes of a part that nobody was told to open, or for a root that was not allowed.
    #[test]
    fn nothing_is_remembered_for_strangers() {
        let (reach, policy) = (Reach::default(), policy());
        let (root, part, layer) = (digest(0), digest(1), digest(2));
        reach.open("a", &root, &root, &[(Kind::Blob, layer.clone())]);
        reach.add("a", &root, &[(Kind::Remark, part.clone())]);
        reach.allow("a", &root, &policy);
        reach.open("a", &root, &part, &[(Kind::Blob, layer.clone())]);
        assert_eq!(counted(&reach), (0, 0));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Allow,
        Open(u32, Vec<u32>),
        Add(Vec<u32>),
        Forget,
    }

    fn step() -> impl Strategy<Value = (u8, u32, Step)> {
        let parts = || prop::collection::vec(0..40_u32, 0..6);
        let step = prop_oneof![
            3 => Just(Step::Allow),
            4 => (0..40_u32, parts()).prop_map(|(part, parts)| Step::Open(part, parts)),
            2 => parts().prop_map(Step::Add),
            1 => Just(Step::Forget),
        ];
        (0..3_u8, 0..6_u32, step)
    }

    proptest! {
        #[test]
        fn the_count_is_right_whatever_happens(steps in prop::collection::vec(step(), 0..60)) {
            let (reach, policy) = (Reach::default(), policy());
            for (repository, root, step) in steps {
                let (gun, root) = (repository.to_string(), digest(root));
                let kinds = [Kind::Manifest, Kind::Blob, Kind::Remark];
                let parts = |numbers: Vec<u32>| -> Vec<_> {
                    numbers.into_iter().zip(kinds.into_iter().cycle()).map(|(n, kind)| (kind, digest(n))).collect()
                };
                match step {
                    Step::Allow => reach.allow(&gun, &root, &policy),
                    Step::Open(part, numbers) => reach.open(&gun, &root, &digest(part), &parts(numbers)),
                    Step::Add(numbers) => reach.add(&gun, &root, &parts(numbers)),
                    Step::Forget => reach.forget(&gun, &root),
                }
                let (counted, there) = counted(&reach);
                prop_assert_eq!(counted, there);
            }
        }
    }
}
