//! The decisions of one review: each image once, several at a time, all before the deadline.

use super::places::Place;
use crate::gate::{Answer, Denial};
use crate::policy::Reason;
use crate::reference::{Digest, ImageReference, ReferenceError};
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// What was decided about one image.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decided<'d> {
    /// By the policy
    Answer(&'d ImageReference, &'d Answer),
    /// It is no name of an image
    Invalid(&'d ReferenceError),
    /// Nothing, before time was up
    TooLate,
    /// Nothing: there are more than [`MOST`]
    TooMany,
}

impl<'d> Decided<'d> {
    /// The gate's answer, or why it was not asked.
    pub(super) fn answer(self) -> Result<(&'d ImageReference, &'d Answer), (String, Reason)> {
        Err(match self {
            Self::Answer(image, answer) => return Ok((image, answer)),
            Self::Invalid(error) => (error.to_string(), Reason::Malformed),
            Self::TooLate => ("no decision in time".to_owned(), Reason::Unreachable),
            Self::TooMany => {
                let why = format!("one of more than {MOST} images in one object");
                (why, Reason::Malformed)
            }
        })
    }
}

/// The decision about each image, by its name as it is written.
#[derive(Debug)]
pub(super) struct Decisions {
    names: BTreeMap<String, Result<ImageReference, ReferenceError>>,
    answers: BTreeMap<String, Answer>,
    too_many: bool,
}

impl Decisions {
    /// Decides about all these images; `decide` keeps to the time it is given.
    pub(super) async fn make<D, F>(places: &[Place], deadline: Instant, decide: D) -> Self
    where
        D: Fn(ImageReference, Duration) -> F,
        F: Future<Output = Answer>,
    {
        let mut names = BTreeMap::new();
        for place in places {
            if !names.contains_key(&place.image) {
                names.insert(place.image.clone(), named(&place.image));
            }
        }
        let valid = names.values().filter_map(|image| image.as_ref().ok());
        let asked: BTreeMap<String, ImageReference> = valid
            .map(|image| (image.to_string(), image.clone()))
            .collect();
        let too_many = asked.len() > MOST;
        let answers = if too_many {
            BTreeMap::new()
        } else {
            answers(asked, deadline, decide).await
        };
        Self {
            names,
            answers,
            too_many,
        }
    }

    /// The decision about an image; too late for one that was never asked about.
    pub(super) fn about(&self, name: &str) -> Decided<'_> {
        match self.names.get(name) {
            Some(Err(error)) => Decided::Invalid(error),
            Some(Ok(_)) if self.too_many => Decided::TooMany,
            Some(Ok(image)) => match self.answers.get(&image.to_string()) {
                Some(answer) => Decided::Answer(image, answer),
                None => Decided::TooLate,
            },
            None => Decided::TooLate,
        }
    }

    /// What is refused for no question to the gate, to be written down: of too many images the
    /// first, and no more than [`MOST`] that are no names.
    pub(super) fn unasked(&self) -> impl Iterator<Item = Denial> {
        let refused = self.all().filter_map(|(name, decided)| {
            let (why, reason) = decided.answer().err()?;
            Some(refusal(name, &why, reason))
        });
        refused.take(if self.too_many { 1 } else { MOST })
    }

    /// Every image with its decision, in order of names.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Decided<'_>)> {
        self.names
            .keys()
            .map(|name| (name.as_str(), self.about(name)))
    }
}

/// The image of a name; not of an id, by which a node runs whatever it has.
fn named(name: &str) -> Result<ImageReference, ReferenceError> {
    let is_id = |digest: Digest| digest.sha256_hex().is_some();
    if Digest::parse(name).is_ok_and(is_id) {
        let name = name.to_owned();
        return Err(ReferenceError::LooksLikeId { name });
    }
    ImageReference::parse(name).map(ImageReference::or_latest)
}

/// A refusal of this door itself, as the log has it.
pub(super) fn refusal(what: &str, why: &str, reason: Reason) -> Denial {
    Denial {
        image: what.chars().take(LONGEST).collect(),
        reason,
        message: why.chars().take(LONGEST).collect(),
        hint: None,
        undecided: reason == Reason::Unreachable,
        rule: "[admission]".to_owned(),
    }
}

/// The answers that come in time, by normalised name.
async fn answers<D, F>(
    asked: BTreeMap<String, ImageReference>,
    deadline: Instant,
    decide: D,
) -> BTreeMap<String, Answer>
where
    D: Fn(ImageReference, Duration) -> F,
    F: Future<Output = Answer>,
{
    let answer = async |(name, image): (String, ImageReference)| {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        Some((name, decide(image, left).await))
    };
    stream::iter(asked)
        .map(answer)
        .buffer_unordered(AT_A_TIME)
        .filter_map(async |answer| answer)
        .collect()
        .await
}

/// Images of one object; real ones have a few, and nobody gets thousands of questions asked.
pub(super) const MOST: usize = 256;
/// Characters of what somebody wrote that go into the log.
const LONGEST: usize = 600;
/// Decisions at a time in one review.
const AT_A_TIME: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::admission::pointer::Pointer;
    use std::sync::Mutex;
    use std::time::Duration;

    fn places(images: &[&str]) -> Vec<Place> {
        let place = |image: &&str| Place {
            pointer: Pointer::default(),
            image: (*image).to_owned(),
            owner: ("containers", String::new()),
        };
        images.iter().map(place).collect()
    }

    fn passed() -> Answer {
        Answer::Passed { notice: None }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test]
    async fn each_image_is_asked_about_once_by_whatever_name() {
        let asked = Mutex::new(Vec::new());
        let names = [
            "alpine",
            "alpine",
            "alpine:latest",
            "docker.io/library/alpine",
            "alpine:3",
            "Not An Image",
            "Not An Image",
        ];
        let decisions =
            Decisions::make(&places(&names), soon(), async |image: ImageReference, _| {
                asked.lock().unwrap().push(image.to_string());
                passed()
            })
            .await;
        let mut asked = asked.into_inner().unwrap();
        asked.sort();
        assert_eq!(
            asked,
            [
                "docker.io/library/alpine:3",
                "docker.io/library/alpine:latest"
            ]
        );
        let all: Vec<_> = decisions.all().collect();
        assert_eq!(all.len(), 5);
        assert!(matches!(
            decisions.about("Not An Image"),
            Decided::Invalid(_)
        ));
        assert!(matches!(
            decisions.about("alpine"),
            Decided::Answer(image, Answer::Passed { .. }) if image.typed() == "alpine"
        ));
        assert!(matches!(decisions.about("other"), Decided::TooLate));
    }

    /// Nodes run what they have by its id; as a name it would be a tag of docker.io/library/sha256.
    #[tokio::test]
    async fn ids_of_images_are_no_names() {
        let id = "a".repeat(64);
        let names = [id.clone(), format!("sha256:{id}")];
        let names = names.each_ref().map(String::as_str);
        let decisions = Decisions::make(&places(&names), soon(), async |_, _| passed()).await;
        assert!(
            decisions
                .all()
                .all(|(_, d)| matches!(d, Decided::Invalid(_)))
        );
    }

    #[tokio::test]
    async fn several_are_decided_at_a_time_and_none_after_the_deadline() {
        let names: Vec<String> = (0..100).map(|n| format!("app:{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let asked = Mutex::new(0);
        let deadline = Instant::now() + Duration::from_millis(200);
        let decisions = Decisions::make(&places(&names), deadline, async |_, left: Duration| {
            *asked.lock().unwrap() += 1;
            tokio::time::sleep(left).await;
            passed()
        })
        .await;
        assert!(Instant::now() >= deadline);
        assert_eq!(*asked.lock().unwrap(), AT_A_TIME);
        let late = decisions
            .all()
            .filter(|(_, d)| matches!(d, Decided::TooLate));
        assert_eq!(late.count(), 100 - AT_A_TIME);
    }

    #[tokio::test]
    async fn nobody_gets_thousands_of_questions_asked() {
        let names: Vec<String> = (0..=MOST).map(|n| format!("app:{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let never = async |_, _| unreachable!("nothing is asked");
        let decisions = Decisions::make(&places(&names), soon(), never).await;
        assert!(decisions.all().all(|(_, d)| matches!(d, Decided::TooMany)));
        let decisions = Decisions::make(&places(&names[1..]), soon(), async |_, _| passed()).await;
        let answered = decisions
            .all()
            .all(|(_, d)| matches!(d, Decided::Answer(..)));
        assert!(answered);
    }
}
