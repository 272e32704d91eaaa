//! `trust sign --approve`

use crate::cli::{
    failure::Failure,
    notice,
    prompt::Prompt,
    request::{Described, change_lines, say_quorums},
    session::Session,
};
use std::{fs::File, io::Read, path::Path};
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{
        keyring::Keyring,
        request::{Approval, Approver, Request},
    },
    tuf::edit::Proposal,
};
use trust_store::write_atomic;

pub(super) async fn run(file: &Path, yes: bool, session: &Session) -> Result<(), Failure> {
    let doing = format!("sign --approve {}", file.display());
    approve(file, yes, session)
        .await
        .map_err(|failure| failure.doing(doing))
}

async fn approve(file: &Path, yes: bool, session: &Session) -> Result<(), Failure> {
    let request = read(file)?;
    let gun = Proposal::repository_of(&request).map_err(trust::repository::Error::from)?;
    let image = ImageReference::parse(&gun)?;
    if image.gun() != gun {
        return Err(Failure::wrong(format!(
            "{gun:?} is no name of a repository"
        )));
    }
    let mut prompt = Prompt::new(session);
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let repository = session.repository(&image, Actions::PullPush).await?;
    let mut person = Person {
        file,
        gun: &gun,
        yes,
        session,
        failure: None,
    };
    let mut watch = |event| notice::tell(&session.out, event);
    let approval = repository
        .approve(
            &mut keyring,
            &request,
            &mut person,
            session.now(),
            &mut watch,
        )
        .await?;
    if let Some(failure) = person.failure {
        return Err(failure);
    }
    report(&gun, file, &approval, session);
    Ok(())
}

fn report(gun: &str, file: &Path, approval: &Approval, session: &Session) {
    let out = &session.out;
    let (request, published) = match approval {
        Approval::Published(request) => (request, true),
        Approval::Signed(request) => (request, false),
        Approval::Declined => return out.note("Aborting action."),
    };
    let name = file.display();
    if published {
        out.say(&format!("Successfully published the request for {gun}"));
    } else {
        out.say(&format!(
            "Request for {gun} signed; {name} is to be handed on"
        ));
        say_quorums(request, out);
    }
    if out.is_json() {
        out.json(&Described::new(gun, file, request, published));
    }
}

/// Whoever approves, and where the signed request goes.
struct Person<'s> {
    file: &'s Path,
    gun: &'s str,
    yes: bool,
    session: &'s Session,
    failure: Option<Failure>,
}

impl Approver for Person<'_> {
    fn wants(&mut self, request: &Request) -> bool {
        let out = &self.session.out;
        // Nobody is asked to sign what they were not shown.
        let show = |line: &str| {
            if self.yes {
                out.note(line);
            } else {
                out.complain(line);
            }
        };
        show(&format!("Request for {}:", self.gun));
        for line in change_lines(request) {
            show(&line);
        }
        if self.yes {
            return true;
        }
        let question = format!("Sign this for {}?", self.gun);
        self.session
            .confirm(&question, "-y")
            .unwrap_or_else(|failure| {
                self.failure = Some(failure);
                false
            })
    }

    fn keep(&mut self, request: &Request) -> Result<(), String> {
        let written = write_atomic(self.file, &request.file, 0o644);
        written.map_err(|error| format!("{}: {error}", self.file.display()))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::wrong(format!("could not read {}: {error}", file.display()))
    };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        let words = format!("{} is longer than any request", file.display());
        return Err(Failure::wrong(words));
    }
    Ok(bytes)
}

/// Bytes of a request: the longest metadata file, and room for others.
const LONGEST: u64 = 2 * trust::tuf::limits::NAMED_BYTES;
