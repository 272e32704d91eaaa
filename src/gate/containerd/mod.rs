//! containerd's image verifier: a program it runs before it fetches what a name was resolved to.
//!
//! The name was resolved by others and the digest is fixed, so there is no race; nothing can be
//! changed either. containerd's names are not Docker's: `a/b` is host `a` there, so only names
//! that both read alike are judged.

use super::answer::printable;
use super::{Answer, Denial};
use crate::policy::Reason;
use crate::reference::{Digest, ImageReference, ReferenceError};
use serde::Deserialize;

/// What containerd asks, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// `-name`
    pub name: &'q str,
    /// `-digest`
    pub digest: &'q str,
    /// `-stdin-media-type`
    pub media_type: &'q str,
    /// Standard input
    pub descriptor: &'q [u8],
}

/// What is asked, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The image: the tag of its name, if it has one, and the digest it was resolved to
    pub image: ImageReference,
    /// Length of the manifest in bytes, as the registry said
    pub size: u64,
}

/// Why nobody can say what is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// The descriptor or the name speaks of another digest.
    #[error("{what} says {other}, and -digest says {digest}")]
    Disagreement {
        /// Which of them
        what: &'static str,
        /// The other digest
        other: String,
        /// The digest
        digest: String,
    },
    /// Standard input is no descriptor.
    #[error("standard input is no descriptor: {wrong}")]
    Descriptor {
        /// What is wrong with it
        wrong: String,
    },
    /// Standard input is of a kind that is not known here.
    #[error("standard input is {media_type}, and not {DESCRIPTOR}")]
    MediaType {
        /// What it is
        media_type: String,
    },
    /// A name or digest that is none.
    #[error("{wrong}: {text:?}")]
    Name {
        /// What was given
        text: String,
        /// What is wrong with it
        wrong: ReferenceError,
    },
    /// A name in which Docker and containerd see different registries.
    #[error("the name {name:?} does not say its registry in full, as in {full:?}")]
    Short {
        /// The name
        name: String,
        /// What Docker takes it for
        full: String,
    },
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
}

impl Question<'_> {
    /// The image that is asked for.
    ///
    /// # Errors
    /// Name, digest and descriptor are not clear, or do not agree.
    pub fn asked(&self) -> Result<Asked, QuestionError> {
        if self.media_type != DESCRIPTOR {
            return Err(QuestionError::MediaType {
                media_type: self.media_type.to_owned(),
            });
        }
        let digest = Digest::parse(self.digest).map_err(|wrong| named(self.digest, wrong))?;
        let descriptor = self.descriptor()?;
        self.agrees("the descriptor", &descriptor.digest)?;
        let name = ImageReference::parse(self.name).map_err(|wrong| named(self.name, wrong))?;
        if name.to_string() != self.name {
            return Err(QuestionError::Short {
                name: self.name.to_owned(),
                full: name.to_string(),
            });
        }
        if let Some(other) = name.digest() {
            self.agrees("the name", other.as_str())?;
        }
        Ok(Asked {
            image: name.pinned(&digest),
            size: descriptor.size,
        })
    }

    fn descriptor(&self) -> Result<Descriptor, QuestionError> {
        let wrong = |wrong: String| QuestionError::Descriptor { wrong };
        if self.descriptor.len() > LONGEST_DESCRIPTOR {
            return Err(wrong(format!("longer than {LONGEST_DESCRIPTOR} bytes")));
        }
        // A member that stands twice is an error here.
        serde_json::from_slice(self.descriptor).map_err(|error| wrong(error.to_string()))
    }

    fn agrees(&self, what: &'static str, other: &str) -> Result<(), QuestionError> {
        if other == self.digest {
            return Ok(());
        }
        Err(QuestionError::Disagreement {
            what,
            other: other.to_owned(),
            digest: self.digest.to_owned(),
        })
    }
}

impl Asked {
    /// What the gate's answer means for containerd: words for a pass or a refusal.
    ///
    /// # Errors
    /// The image does not pass.
    pub fn verdict(&self, answer: Answer) -> Result<String, String> {
        let image = &self.image;
        match answer {
            Answer::Signed(pinned) if pinned.size != self.size => Err(format!(
                "{image} is refused: it was signed with {} bytes, and the registry says {} [{}]",
                pinned.size,
                self.size,
                Reason::DigestNotSigned.code()
            )),
            Answer::Signed(_) => Ok(format!("{image} is signed")),
            Answer::Passed { notice: None } => Ok(format!("{image} passes")),
            Answer::Passed {
                notice: Some(notice),
            } => Ok(notice),
            Answer::Denied(denial) => Err(denial.line()),
        }
    }
}

/// The refusal of a question, for the log.
pub fn refusal(name: &str, why: &str, reason: Reason) -> Denial {
    Denial {
        image: on_one_line(name),
        reason,
        message: on_one_line(why),
        hint: None,
        undecided: false,
        rule: "[containerd]".to_owned(),
    }
}

/// Words on one line, and not too many of them for containerd, which reads 32 KiB.
pub fn on_one_line(words: &str) -> String {
    printable(words).chars().take(LONGEST_REASON).collect()
}

fn named(text: &str, wrong: ReferenceError) -> QuestionError {
    QuestionError::Name {
        text: text.chars().take(LONGEST_NAME).collect(),
        wrong,
    }
}

const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";
/// Bytes; annotations are all that makes one long.
pub const LONGEST_DESCRIPTOR: usize = 64 * 1024;
/// Characters that are said of something that is no name.
const LONGEST_NAME: usize = 300;
/// Characters, of at most four bytes.
const LONGEST_REASON: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{Denial, Pinned};
    use crate::policy::Reason;

    const HEX: &str = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

    fn asked(name: &str, descriptor: &str) -> Result<Asked, String> {
        let digest = format!("sha256:{HEX}");
        let descriptor = descriptor.replace("{D}", &digest);
        let question = Question {
            name: &name.replace("{D}", &digest),
            digest: &digest,
            media_type: DESCRIPTOR,
            descriptor: descriptor.as_bytes(),
        };
        question.asked().map_err(|error| error.to_string())
    }

    const GOOD: &str = r#"{"mediaType":"x","digest":"{D}","size":7,"annotations":{}}"#;

    #[test]
    fn names_in_full_are_understood() {
        for (name, tag) in [
            ("docker.io/library/alpine:3.20", Some("3.20")),
            ("docker.io/library/alpine", None),
            ("docker.io/library/alpine@{D}", None),
            ("localhost:5000/team/app:1@{D}", Some("1")),
        ] {
            let asked = asked(name, GOOD).unwrap();
            assert_eq!((asked.image.tag(), asked.size), (tag, 7), "{name}");
            assert_eq!(asked.image.digest().unwrap().sha256_hex(), Some(HEX));
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let other = GOOD.replace("{D}", &format!("sha256:{}", "e".repeat(64)));
        let long = format!("{GOOD}{}", " ".repeat(LONGEST_DESCRIPTOR));
        for (name, descriptor, words) in [
            ("alpine", GOOD, "docker.io/library/alpine"),
            ("evil/alpine:3", GOOD, "docker.io/evil/alpine:3"),
            ("docker.io/alpine:3", GOOD, "docker.io/library/alpine:3"),
            ("index.docker.io/library/alpine", GOOD, "in full"),
            ("docker.io/library/ALPINE", GOOD, "lowercase"),
            ("", GOOD, "invalid reference format"),
            (
                "docker.io/library/a@sha256:12",
                GOOD,
                "invalid reference format",
            ),
            ("docker.io/library/a", &other, "the descriptor says"),
            ("docker.io/library/a", "", "no descriptor"),
            ("docker.io/library/a", "{}", "no descriptor"),
            (
                "docker.io/library/a",
                r#"{"digest":"{D}","digest":"{D}","size":1}"#,
                "duplicate",
            ),
            (
                "docker.io/library/a",
                r#"{"digest":"{D}","size":-1}"#,
                "no descriptor",
            ),
            (
                "docker.io/library/a",
                r#"{"digest":"{D}","size":1}x"#,
                "no descriptor",
            ),
            ("docker.io/library/a", &long, "longer than"),
        ] {
            let error = asked(name, descriptor).unwrap_err();
            assert!(error.contains(words), "{name} {descriptor:.60}: {error}");
        }
        let digest = format!("sha256:{}", "e".repeat(64));
        let error = asked(&format!("docker.io/library/a@{digest}"), GOOD).unwrap_err();
        assert!(error.starts_with("the name says"), "{error}");
    }

    /// Bypass 8: the right hash with another length.
    #[test]
    fn a_signed_digest_of_another_length_is_refused() {
        let asked = asked("docker.io/library/a:1", GOOD).unwrap();
        let pinned = |size| {
            Answer::Signed(Pinned {
                tag: "1".to_owned(),
                digest: Digest::parse(&format!("sha256:{HEX}")).unwrap(),
                size,
            })
        };
        assert!(asked.verdict(pinned(7)).is_ok());
        assert!(asked.verdict(pinned(8)).unwrap_err().contains("8 bytes"));
        let denied = Answer::Denied(Denial {
            image: "a".to_owned(),
            reason: Reason::Unsigned,
            message: "nobody signed it".to_owned(),
            hint: None,
            undecided: false,
            rule: "default".to_owned(),
        });
        assert!(asked.verdict(denied).unwrap_err().contains("[unsigned]"));
    }

    #[test]
    fn reasons_are_one_line_and_short() {
        let line = on_one_line(&format!("a\nb\u{1b}[1m{}", "ü".repeat(50_000)));
        assert!(line.starts_with("a b [1m") && line.len() < 32 * 1024);
    }
}
