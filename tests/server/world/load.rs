//! Many people who publish at the same time until they are told to stop.

use super::api::{Api, Upload, version};
use super::ledger::Ledger;
use super::repo::Repo;
use reqwest::StatusCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// One repository and everything that happened to it.
#[derive(Clone)]
pub struct Story {
    pub repo: Repo,
    pub ledger: Arc<Mutex<Ledger>>,
}

/// How a publish ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// 200
    Taken,
    /// 400 VERSION: somebody was quicker
    Late,
    /// Any other answer
    Refused(StatusCode, String),
    /// None: the connection broke
    Cut,
}

impl Answer {
    /// Passes on what was answered 200.
    #[track_caller]
    pub fn taken(self) {
        assert_eq!(self, Self::Taken);
    }
}

/// What many people saw together.
#[derive(Default)]
pub struct Seen {
    pub taken: AtomicUsize,
    pub late: AtomicUsize,
    /// Answers 503 and 507
    pub unavailable: AtomicUsize,
    pub cut: AtomicUsize,
    /// The longest that anybody waited for an answer
    pub longest: Mutex<Duration>,
}

impl Story {
    /// A repository whose keys the server made.
    pub async fn begin(api: &Api, gun: &str) -> Option<Self> {
        Repo::begin(api, gun).await.map(Self::of)
    }

    /// A repository of which nobody knows what happened to it before.
    pub fn of(repo: Repo) -> Self {
        Self {
            repo,
            ledger: Arc::default(),
        }
    }

    /// Publishes one more tag on top of what this person knows.
    pub async fn publish(&mut self, api: &Api, tag: &str) -> Answer {
        self.publish_tags(api, std::iter::once(tag.to_owned()))
            .await
    }

    /// Publishes more tags.
    pub async fn publish_tags(&mut self, api: &Api, tags: impl Iterator<Item = String>) -> Answer {
        let next = self.repo.next(tags);
        let upload = next.upload(self.repo.version == 0);
        self.send(api, next, upload).await
    }

    /// Publishes a new root with everything that it needs.
    pub async fn publish_new_root(&mut self, api: &Api) -> Answer {
        let next = self.repo.next(std::iter::empty()).with_next_root();
        let upload = next.upload(true);
        self.send(api, next, upload).await
    }

    /// Publishes one more tag on top of what is there.
    pub async fn publish_newest(&mut self, api: &Api, tag: &str) -> Answer {
        match self.catch_up(api).await {
            Ok(()) => self.publish(api, tag).await,
            Err(answer) => answer,
        }
    }

    async fn send(&mut self, api: &Api, next: Repo, upload: Upload) -> Answer {
        let entry = self.ledger().send(&upload);
        let answer = match api.publish(&self.repo.gun, &upload).await {
            Ok(reply) if reply.status == StatusCode::OK => Answer::Taken,
            Ok(reply) => {
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                if reply.status == StatusCode::BAD_REQUEST && body.contains(r#""VERSION""#) {
                    Answer::Late
                } else {
                    Answer::Refused(reply.status, body)
                }
            }
            Err(_) => Answer::Cut,
        };
        match answer {
            Answer::Taken => {
                self.ledger().acknowledge(entry);
                self.repo = next;
            }
            Answer::Late => self.ledger().refuse(entry),
            Answer::Refused(..) | Answer::Cut => {}
        }
        answer
    }

    /// Learns what the server has; it must be at least what it has promised by now.
    pub async fn catch_up(&mut self, api: &Api) -> Result<(), Answer> {
        let promised = self.ledger().acknowledged();
        match api.state(&self.repo.gun).await {
            Ok(Some(state)) => {
                let found = version(&state.targets);
                assert!(
                    found >= promised,
                    "read {found} after {promised} was answered"
                );
                self.repo = self.repo.caught_up(&state);
                Ok(())
            }
            Ok(None) => {
                assert_eq!(promised, 0, "{} is lost", self.repo.gun);
                Ok(())
            }
            Err(reply) if reply.status == StatusCode::BAD_GATEWAY => Err(Answer::Cut),
            Err(reply) => {
                let body = String::from_utf8_lossy(&reply.body).into_owned();
                Err(Answer::Refused(reply.status, body))
            }
        }
    }

    /// The story is true; gives the newest version.
    pub async fn check(&self, api: &Api) -> u64 {
        let mut ledger = std::mem::take(&mut *self.ledger());
        let newest = ledger.check(api, &self.repo.gun).await;
        *self.ledger() = ledger;
        newest
    }

    /// The same, for every version from the first.
    pub async fn check_everything(&self, api: &Api) -> u64 {
        self.ledger().check_all_again();
        self.check(api).await
    }

    /// The newest version that was answered 200.
    pub fn acknowledged(&self) -> u64 {
        self.ledger().acknowledged()
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// People at work, each a task of its own.
pub struct Load {
    people: Vec<JoinHandle<()>>,
    over: Arc<AtomicBool>,
    pub seen: Arc<Seen>,
}

impl Load {
    pub fn new() -> Self {
        Self {
            people: Vec::new(),
            over: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// One more person, who publishes through each of the servers in turn, and on a conflict
    /// learns and tries again.
    pub fn writer(&mut self, story: &Story, apis: &[&Api]) {
        let mut story = story.clone();
        let name = format!("by{}", self.people.len());
        let apis: Vec<Api> = apis.iter().map(|api| (*api).clone()).collect();
        let (over, seen) = (Arc::clone(&self.over), Arc::clone(&self.seen));
        self.people.push(tokio::spawn(async move {
            for round in 0_usize.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // As many tags as keep the files small.
                let tag = format!("{name}-{}", round % 40);
                let answer = one_more(&mut story, &apis[round % apis.len()], &tag, &seen).await;
                if matches!(answer, Answer::Refused(..) | Answer::Cut) {
                    sleep(Duration::from_millis(10)).await;
                }
            }
        }));
    }

    /// One more person, who begins one repository after the other; gives their stories.
    pub fn newcomer(&mut self, api: &Api, names: &str) -> Arc<Mutex<Vec<Story>>> {
        let begun = Arc::<Mutex<Vec<Story>>>::default();
        let (api, names, stories) = (api.clone(), names.to_owned(), Arc::clone(&begun));
        let (over, seen) = (Arc::clone(&self.over), Arc::clone(&self.seen));
        self.people.push(tokio::spawn(async move {
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let Some(mut story) = Story::begin(&api, &format!("{names}{number}")).await else {
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                stories.lock().unwrap().push(story.clone());
                one_more(&mut story, &api, "first", &seen).await;
            }
        }));
        begun
    }

    /// Whether somebody saw what must not be; [`Self::end`] says what.
    pub fn is_broken(&self) -> bool {
        self.people.iter().any(JoinHandle::is_finished)
    }

    /// Waits until everybody has the answer to what they asked, and asks no more.
    pub async fn end(self) -> Arc<Seen> {
        self.over.store(true, Ordering::Relaxed);
        for person in self.people {
            person.await.unwrap();
        }
        self.seen
    }
}

async fn one_more(story: &mut Story, api: &Api, tag: &str, seen: &Seen) -> Answer {
    let begun = Instant::now();
    let answer = story.publish_newest(api, tag).await;
    seen.count(&answer, begun.elapsed());
    answer
}

impl Seen {
    fn count(&self, answer: &Answer, took: Duration) {
        let counter = match answer {
            Answer::Taken => &self.taken,
            Answer::Late => &self.late,
            Answer::Cut => &self.cut,
            Answer::Refused(
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE,
                _,
            ) => &self.unavailable,
            Answer::Refused(status, body) => panic!("{status}: {body}"),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = took.max(*longest);
    }
}
