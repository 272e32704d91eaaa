//! Gathering what happened to a repository: a page of publishes, with the files to judge them by.

use super::model::{Archive, Before, Told};
use super::read::{self, Budget, ReadError};
use crate::tuf::role::RoleName;
use jiff::{SignedDuration, Timestamp};
use trust_store::server::{FileFacts, Past, Store};

/// Files that were published at the same moment.
#[derive(Debug)]
pub(super) struct Publish {
    /// When
    pub(super) at: Timestamp,
    /// The files
    pub(super) files: Vec<Changed>,
}

/// A file in a publish.
#[derive(Debug)]
pub(super) struct Changed {
    /// Its role
    pub(super) role: RoleName,
    /// Its version
    pub(super) version: u64,
    /// What it says and who signed it; why not, otherwise
    pub(super) told: Result<Told, String>,
}

/// A page of publishes.
#[derive(Debug)]
pub(super) struct Page {
    /// The latest first
    pub(super) publishes: Vec<Publish>,
    /// The moment of the last one, if there are earlier ones
    pub(super) next: Option<Timestamp>,
}

/// The publishes of a repository before a moment, the latest first.
pub(super) async fn page(
    store: &Store,
    gun: &str,
    before: Option<Timestamp>,
) -> Result<Page, ReadError> {
    let (files, next) = files(store, gun, before).await?;
    let mut gathering = Gathering {
        store,
        gun,
        archive: Archive::of(gun),
        budget: Budget::of_a_page(),
    };
    let mut questions = Vec::with_capacity(files.len());
    let mut rest = files.as_slice();
    while let [(role, facts), older @ ..] = rest {
        let before = gathering.gather(role, facts, older).await?;
        questions.push((role.clone(), facts.clone(), before));
        rest = older;
    }
    let mut archive = gathering.archive;
    let publishes = read::aside(move || {
        let told = questions.into_iter().map(|(role, facts, before)| {
            let told = match before {
                Some(before) => archive.tell(&role, facts.version, before),
                None => Err("too large to be looked at here".to_owned()),
            };
            let version = facts.version;
            (
                facts.created,
                Changed {
                    role,
                    version,
                    told,
                },
            )
        });
        grouped(told)
    })
    .await?;
    Ok(Page { publishes, next })
}

/// The files of a page of publishes, none of them cut in two.
async fn files(
    store: &Store,
    gun: &str,
    before: Option<Timestamp>,
) -> Result<(Vec<(RoleName, FileFacts)>, Option<Timestamp>), ReadError> {
    let after = before.map(just_before);
    let mut past = store.history(gun, after.as_ref(), MOST_FILES).await?;
    let more = past.len() == MOST_FILES as usize;
    let mut moments: Vec<_> = past.iter().map(|past| past.file.created).collect();
    moments.dedup();
    // The last publish may go on behind the last file that was asked for.
    if more && moments.len() > 1 {
        moments.pop();
    }
    let shown = moments.len().min(MOST_PUBLISHES);
    let last = moments.get(shown.saturating_sub(1)).copied();
    let next = last.filter(|_| more || moments.len() > shown);
    past.retain(|past| last.is_some_and(|last| past.file.created >= last));
    let files = past
        .into_iter()
        .filter_map(|past| Some((RoleName::parse(&past.role)?, past.file)))
        .collect();
    Ok((files, next))
}

/// What stands for the end of the page before: nothing of that moment comes again.
fn just_before(at: Timestamp) -> Past {
    Past {
        role: String::new(),
        file: FileFacts {
            version: 0,
            sha256: String::new(),
            size: 0,
            created: earlier(at),
        },
    }
}

struct Gathering<'s> {
    store: &'s Store,
    gun: &'s str,
    archive: Archive,
    budget: Budget,
}

impl Gathering<'_> {
    /// Brings all that is needed to judge a file; none if that is too much.
    async fn gather(
        &mut self,
        role: &RoleName,
        facts: &FileFacts,
        rest: &[(RoleName, FileFacts)],
    ) -> Result<Option<Before>, ReadError> {
        if !self.bring(role, facts).await? || !self.bring_keys(role, facts.created).await? {
            return Ok(None);
        }
        if *role != RoleName::targets() && !role.is_delegation() {
            return Ok(Some(Before::Unknown));
        }
        let known = rest.iter().find(|(other, _)| other == role);
        let older = match known {
            Some((_, older)) => Some(older.clone()),
            None => self.at(role, earlier(facts.created)).await?,
        };
        let Some(older) = older else {
            return Ok(Some(if facts.version == 1 {
                Before::Nothing
            } else {
                Before::Unknown
            }));
        };
        let brought =
            self.bring(role, &older).await? && self.bring_keys(role, older.created).await?;
        Ok(Some(if brought {
            Before::Version(older.version)
        } else {
            Before::Unknown
        }))
    }

    /// Brings the files that say who might sign a role at a moment: the role above it, what said
    /// so of that one when it was published, and so on up to the root. False if that is too much.
    async fn bring_keys(&mut self, role: &RoleName, at: Timestamp) -> Result<bool, ReadError> {
        let (mut role, mut at) = (role.clone(), at);
        while role != RoleName::root() {
            let above = role.parent().unwrap_or_else(RoleName::root);
            if self.archive.version_at(&above, at).is_some() {
                break;
            }
            let Some(facts) = self.at(&above, at).await? else {
                break;
            };
            self.archive
                .in_force(above.clone(), facts.version, facts.created, at);
            if !self.bring(&above, &facts).await? {
                return Ok(false);
            }
            (role, at) = (above, facts.created);
        }
        Ok(true)
    }

    async fn at(&self, role: &RoleName, at: Timestamp) -> Result<Option<FileFacts>, ReadError> {
        let found = self.store.versions(self.gun, role.as_str(), at, 1).await?;
        Ok(found.into_iter().next())
    }

    async fn bring(&mut self, role: &RoleName, facts: &FileFacts) -> Result<bool, ReadError> {
        if self.archive.has(role, facts.version) {
            return Ok(true);
        }
        if !self.budget.take(facts.size) {
            return Ok(false);
        }
        if let Some(file) = read::version(self.store, self.gun, role.as_str(), facts).await? {
            self.archive.keep(role.clone(), file);
        }
        Ok(true)
    }
}

fn grouped(files: impl Iterator<Item = (Timestamp, Changed)>) -> Vec<Publish> {
    let mut publishes: Vec<Publish> = Vec::new();
    for (at, changed) in files {
        match publishes.last_mut().filter(|last| last.at == at) {
            Some(last) => last.files.push(changed),
            None => publishes.push(Publish {
                at,
                files: vec![changed],
            }),
        }
    }
    publishes
}

/// The store counts microseconds.
fn earlier(at: Timestamp) -> Timestamp {
    at.saturating_sub(SignedDuration::from_micros(1))
        .unwrap_or(Timestamp::MIN)
}

/// Publishes on a page.
const MOST_PUBLISHES: usize = 25;

/// Files looked at for a page: a publish of more roles than this is shown in parts.
const MOST_FILES: u32 = 400;
