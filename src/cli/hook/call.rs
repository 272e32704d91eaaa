//! What the function of people's shells calls: Docker's command, with digests for signed images.

use crate::cli::decision::Judge;
use crate::cli::failure::{Failure, verdict};
use crate::cli::rules::PolicyArgs;
use crate::cli::session::Session;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use trust::gate::install::shell::{Build, Call, Dockerfile, Mention, read};
use trust::policy::{Allowance, Mode};
use trust::reference::ImageReference;

/// Call docker as the function of a shell does
#[derive(clap::Args)]
pub(super) struct Args {
    /// The words behind docker
    #[arg(last = true, value_name = "WORD")]
    words: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let words = &args.words;
    match read(words, session.environment.content_trust()) {
        Call::Other => replaced(docker(words)),
        Call::Pull(mention) => pull(words, &mention, &Checker::new(session)?).await,
        Call::Run(mention) => {
            let pinned = Checker::new(session)?.pinned(&mention.image).await?;
            replaced(checked(&with(words, mention.at, pinned)))
        }
        Call::Build(build) => self::build(words, &build, &Checker::new(session)?).await,
        Call::Refused(why) => Err(refused(why).hint("--disable-content-trust passes by the check")),
    }
}

/// The digest that is signed is pulled, and gets the tag, as docker did it.
async fn pull(words: &[String], mention: &Mention, checker: &Checker<'_>) -> Result<(), Failure> {
    let image = named(&mention.image)?;
    let pinned = checker.pinned(&mention.image).await?;
    let pull = checked(&with(words, mention.at, pinned.clone())).status();
    ended(pull.map_err(|error| lost(&error))?)?;
    let (Some(tag), true, Some((_, digest))) = (
        image.tag(),
        image.digest().is_none(),
        pinned.split_once('@'),
    ) else {
        return Ok(());
    };
    let name = image.familiar();
    // What stands before the command says which engine it is.
    let mut tagging: Vec<String> = words.iter().take(mention.command).cloned().collect();
    tagging.push("tag".to_owned());
    tagging.extend([format!("{name}@{digest}"), format!("{name}:{tag}")]);
    let status = docker(&tagging).status().map_err(|error| lost(&error))?;
    ended(status)
}

/// The builder gets a Dockerfile in which every image has its digest.
async fn build(words: &[String], build: &Build, checker: &Checker<'_>) -> Result<(), Failure> {
    let context = Path::new(&build.context);
    let file = match &build.file {
        Some(file) => Path::new(file).to_owned(),
        None => context.join("Dockerfile"),
    };
    let ignored = format!("{}.dockerignore", file.display());
    if Path::new(&ignored).exists() {
        return Err(refused(format!("{ignored} would not be read"))
            .hint("name it .dockerignore: the Dockerfile is handed to docker on standard input"));
    }
    let text = std::fs::read_to_string(&file)
        .map_err(|error| Failure::wrong(format!("cannot read {}: {error}", file.display())))?;
    let parsed = Dockerfile::read(&text, &build.args, &build.contexts)
        .map_err(|error| refused(error.to_string()))?;
    let mut known = BTreeMap::new();
    for image in parsed.images() {
        if !known.contains_key(image) {
            known.insert(image.to_owned(), checker.pinned(image).await?);
        }
    }
    let text = parsed
        .with(|image| known.get(image).cloned())
        .ok_or_else(|| refused("the Dockerfile could not be written anew"))?;
    let mut words = words.to_vec();
    words.splice(build.file_words.clone(), ["-f".to_owned(), "-".to_owned()]);
    let mut child = checked(&words)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| lost(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A builder that ends early says why itself.
        let _ = stdin.write_all(text.as_bytes());
    }
    ended(child.wait().map_err(|error| lost(&error))?)
}

/// Decides on the images of one command line.
struct Checker<'s> {
    judge: Judge<'s>,
    session: &'s Session,
}

impl<'s> Checker<'s> {
    fn new(session: &'s Session) -> Result<Self, Failure> {
        let judge = Judge::new(&PolicyArgs::default(), None, session)?;
        Ok(Self { judge, session })
    }

    /// The image as docker gets it: with the digest that is signed.
    async fn pinned(&self, typed: &str) -> Result<String, Failure> {
        let doing = |failure: Failure| failure.doing(format!("docker {typed}"));
        if is_id(typed) {
            return match self.judge.local() {
                Allowance::Accept => Ok(typed.to_owned()),
                Allowance::Reject => Err(doing(refused("the policy allows no local images"))),
            };
        }
        let image = named(typed).map_err(doing)?;
        let decision = self.judge.decide(&image).await.map_err(doing)?;
        if let Some(failure) = verdict(&decision.judgement, decision.hint.as_ref()) {
            if self.judge.rule(&image).mode == Mode::Enforce {
                return Err(doing(failure));
            }
            let words = failure.words();
            self.session.out.warn_always(&format!(
                "{typed} would be refused, but for audit mode: {words}"
            ));
            return Ok(typed.to_owned());
        }
        let signed = decision.judgement.decided_by.map(|statement| {
            let digest = format!("@sha256:{}", statement.digest);
            let tag = image.tag().map(|tag| format!(":{tag}"));
            format!("{}{}{digest}", image.familiar(), tag.unwrap_or_default())
        });
        // A rule that accepts whatever is there names no digest.
        Ok(signed.unwrap_or_else(|| typed.to_owned()))
    }
}

fn named(typed: &str) -> Result<ImageReference, Failure> {
    Ok(ImageReference::parse(typed)?.or_latest())
}

/// A whole id of a local image; a short one could as well be a name.
fn is_id(typed: &str) -> bool {
    let id = typed.strip_prefix("sha256:").unwrap_or(typed);
    id.len() == 64 && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

fn with(words: &[String], at: usize, image: String) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(word) = words.get_mut(at) {
        *word = image;
    }
    words
}

fn docker(words: &[String]) -> Command {
    let mut command = Command::new("docker");
    command.args(words);
    command
}

/// Docker's command for what has been checked: older versions would check once more, by tag.
fn checked(words: &[String]) -> Command {
    let mut command = docker(words);
    command.env_remove("DOCKER_CONTENT_TRUST");
    command
}

/// This process becomes docker; only a failure to do so comes back.
fn replaced(mut command: Command) -> Result<(), Failure> {
    Err(lost(&command.exec()))
}

fn ended(status: ExitStatus) -> Result<(), Failure> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::passed_on(code)),
        (None, signal) => Err(Failure::passed_on(128 + signal.unwrap_or(0))),
    }
}

fn refused(why: impl Into<String>) -> Failure {
    Failure::refused(why).doing("docker")
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::unfinished(format!("docker: {error}"))
}
