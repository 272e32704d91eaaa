//! Requests: changes that are handed on to be signed instead of being published.

use super::{failure::Failure, output::Output, session::Session};
use serde::Serialize;
use std::path::{Path, PathBuf};
use trust::{
    reference::ImageReference,
    repository::{Repository, request::Request},
    tuf::edit::{Change, Meaning, Quorum},
};
use trust_store::create_atomic;

/// Whether a change is published or handed on.
#[derive(clap::Args)]
pub(crate) struct Delivery {
    /// Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
    /// with `trust sign --approve FILE`
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
}

impl Delivery {
    /// To a file named after the image, in this folder.
    pub(crate) fn to(image: &ImageReference, tag: &str) -> Self {
        let path = image.gun().rsplit('/').next().unwrap_or(image.gun());
        Self {
            request: Some(PathBuf::from(format!("{path}-{tag}.request.json"))),
        }
    }

    /// Whether the change is handed on.
    pub(crate) fn is_request(&self) -> bool {
        self.request.is_some()
    }

    /// Refuses several repositories where one request is to be made.
    pub(crate) fn for_one(&self, repositories: &[String]) -> Result<(), Failure> {
        if self.is_request() && repositories.len() > 1 {
            return Err(Failure::wrong("one request is for one repository"));
        }
        Ok(())
    }

    /// The repository, as the change is to be delivered.
    pub(crate) fn of(&self, repository: Repository) -> Result<Repository, Failure> {
        match &self.request {
            None => Ok(repository),
            Some(file) if file.symlink_metadata().is_ok() => Err(there(file)),
            Some(_) => Ok(repository.requesting()),
        }
    }

    /// Writes the request and says what it needs; an error if nothing would change.
    pub(crate) fn finish(&self, repository: &Repository, session: &Session) -> Result<(), Failure> {
        let (Some(file), Some(request)) = (&self.request, repository.requested()) else {
            return Err(Failure::wrong(
                "nothing would change, so there is nothing to request",
            ));
        };
        create_atomic(file, &request.file, 0o644).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => there(file),
            _ => Failure::unfinished(format!("could not write {}: {error}", file.display())),
        })?;
        let name = file.display();
        session.out.say(&format!(
            "Request for {} written to {name}",
            repository.gun()
        ));
        say_quorums(&request, &session.out);
        session.out.note(&format!(
            "the others sign it with `{} sign --approve {name}`",
            session.out.program()
        ));
        if session.out.is_json() {
            session
                .out
                .json(&Described::new(repository.gun(), file, &request, false));
        }
        Ok(())
    }
}

fn there(file: &Path) -> Failure {
    Failure::wrong(format!("{} is there already", file.display()))
        .hint("name a file that is not there yet")
}

/// A request as programs see it.
#[derive(Serialize)]
pub(super) struct Described<'r> {
    repository: &'r str,
    request: &'r Path,
    complete: bool,
    published: bool,
    files: Vec<DescribedFile<'r>>,
    signatures: Vec<DescribedQuorum<'r>>,
}

#[derive(Serialize)]
struct DescribedFile<'r> {
    role: &'r str,
    version: u64,
    changes: &'r [Change],
}

#[derive(Serialize)]
struct DescribedQuorum<'r> {
    role: &'r str,
    threshold: u64,
    signed: &'r [String],
    unsigned: &'r [String],
}

impl<'r> Described<'r> {
    pub(super) fn new(gun: &'r str, file: &'r Path, request: &'r Request, published: bool) -> Self {
        let files = request.reviews.iter().map(|review| DescribedFile {
            role: review.role.as_str(),
            version: review.version,
            changes: &review.changes,
        });
        let signatures = request.quorums.iter().map(|quorum| DescribedQuorum {
            role: quorum.role.as_str(),
            threshold: quorum.threshold,
            signed: &quorum.signed,
            unsigned: &quorum.unsigned,
        });
        Self {
            repository: gun,
            request: file,
            complete: request.is_complete(),
            published,
            files: files.collect(),
            signatures: signatures.collect(),
        }
    }
}

/// Says who has signed and who has to.
pub(super) fn say_quorums(request: &Request, out: &Output) {
    for quorum in &request.quorums {
        out.say(&quorum_line(quorum, request));
    }
}

fn quorum_line(quorum: &Quorum, request: &Request) -> String {
    let named = |ids: &[String]| {
        let names = ids.iter().map(|id| match request.names.get(id) {
            Some(name) => format!("{name} ({})", short(id)),
            None => short(id).to_owned(),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    let (role, threshold) = (&quorum.role, quorum.threshold);
    let by = match quorum.signed.as_slice() {
        [] => String::new(),
        ids => format!(": {}", named(ids)),
    };
    let rest = match quorum.unsigned.as_slice() {
        ids if !ids.is_empty() && !quorum.is_met() => format!("; not yet by {}", named(ids)),
        _ => String::new(),
    };
    let signed = quorum.signed.len();
    format!("  {role}: signed by {signed} of {threshold}{by}{rest}")
}

/// What a request changes, a line each, for whoever is asked to sign it.
pub(super) fn change_lines(request: &Request) -> Vec<String> {
    let mut lines = Vec::new();
    for review in &request.reviews {
        lines.push(format!("  {}, version {}", review.role, review.version));
        if review.changes.is_empty() {
            lines.push("    nothing but new signatures and a new date".to_owned());
        }
        lines.extend(review.changes.iter().map(change_line));
    }
    lines
}

fn change_line(change: &Change) -> String {
    let line = match change {
        Change::KeyAdded { role, key } => format!("+ key {} may sign {role}", short(key)),
        Change::KeyRemoved { role, key } => {
            format!("- key {} may not sign {role} any more", short(key))
        }
        Change::PathAdded { role, path } => format!("+ {role} may sign {path:?}"),
        Change::PathRemoved { role, path } => format!("- {role} may not sign {path:?} any more"),
        Change::RoleAdded { role } => format!("+ role {role}"),
        Change::RoleRemoved { role } => format!("- role {role}, and all that it signed"),
        Change::TagAdded { tag, to } => format!("+ {tag} {}", meaning(to)),
        Change::TagChanged { tag, from, to } => {
            format!("~ {tag} {}, instead of {}", meaning(to), meaning(from))
        }
        Change::TagRemoved { tag, from } => format!("- {tag} {}", meaning(from)),
        Change::Threshold { role, from, to } => {
            format!("~ {role} has to be signed by {to} keys, instead of {from}")
        }
        other => format!("{other:?}"),
    };
    format!("    {line}")
}

fn meaning(it: &Meaning) -> String {
    let custom = it.custom.as_ref().map(|data| format!(" with {data}"));
    format!(
        "{} ({} bytes){}",
        it.digest,
        it.size,
        custom.unwrap_or_default()
    )
}

fn short(id: &str) -> &str {
    id.get(..SHORT_ID).unwrap_or(id)
}

/// Digits of a key's id, as `trust inspect --pretty` shows them.
const SHORT_ID: usize = 12;
