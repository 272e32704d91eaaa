//! `trust gate containerd-verifier`, and `trust-containerd-verifier` as containerd calls it.

use super::start::GateArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;
use trust::gate::containerd::{LONGEST_DESCRIPTOR, Question, on_one_line, refusal};
use trust::gate::{Answer, Door};
use trust::policy::Reason;
use trust::repository::Kind;

/// Say whether containerd may pull an image: exit code 0 if it may, the reason on standard output
///
/// Put into /opt/containerd/image-verifier/bin by the name trust-containerd-verifier, the program
/// needs no command and no options of its own. containerd waits ten seconds; the answer comes
/// within eight.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    gate: GateArgs,
    /// The image's name, as it was asked for
    #[arg(long, value_name = "NAME", default_value = "")]
    name: String,
    /// The digest it was resolved to
    #[arg(long, value_name = "DIGEST", default_value = "")]
    digest: String,
    /// What standard input is
    #[arg(long, value_name = "TYPE", default_value = "")]
    stdin_media_type: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let verdict = match timeout(DEADLINE, verdict(args, session)).await {
        Ok(verdict) => verdict,
        Err(_) => Err(format!("no decision within {} s", DEADLINE.as_secs())),
    };
    let (words, done) = match verdict {
        Ok(words) => (words, Ok(())),
        Err(words) => (words, Err(Failure::told(Kind::Refused))),
    };
    session.out.say(&on_one_line(&words));
    done
}

/// Words for a pass or a refusal.
async fn verdict(args: &Args, session: &Session) -> Result<String, String> {
    let gate = args
        .gate
        .gate(DECISION, session)
        .map_err(|it| it.words().to_owned())?;
    let descriptor = standard_input().await.map_err(|it| it.to_string())?;
    let question = Question {
        name: &args.name,
        digest: &args.digest,
        media_type: &args.stdin_media_type,
        descriptor: &descriptor,
    };
    let began = Instant::now();
    // What is refused here, and not by the policy, is written down as well.
    let refused = |words: String, reason| {
        let denial = refusal(&args.name, &words, reason);
        gate.refused(Door::Containerd, WHO, denial, began.elapsed());
        words
    };
    let asked = question
        .asked()
        .map_err(|error| refused(error.to_string(), Reason::Malformed))?;
    let answer = gate.decide(Door::Containerd, WHO, &asked.image).await;
    let by_policy = matches!(answer, Answer::Denied(_));
    asked.verdict(answer).map_err(|words| {
        if by_policy {
            return words;
        }
        refused(words, Reason::DigestNotSigned)
    })
}

/// What is written to us, or a byte more than is allowed of it.
///
/// On a thread that nobody waits for: who writes may never end.
async fn standard_input() -> io::Result<Vec<u8>> {
    let (done, read) = oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let most = LONGEST_DESCRIPTOR as u64 + 1;
        let result = io::stdin().lock().take(most).read_to_end(&mut bytes);
        // Nobody may be there to hear it.
        let _ = done.send(result.map(|_| bytes));
    });
    read.await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Whether the program was called by the verifier's name.
pub(crate) fn is_called(program: Option<&OsString>) -> bool {
    program.map(Path::new).and_then(Path::file_stem) == Some(OsStr::new(CALLED))
}

/// The command that containerd's words stand for.
pub(crate) fn command(words: &[OsString]) -> Vec<OsString> {
    let command = ["gate", VERIFIER].map(OsString::from);
    command.into_iter().chain(words.iter().cloned()).collect()
}

/// The same words with two dashes where containerd, like every Go program, writes one.
pub(crate) fn with_two_dashes(words: &[OsString]) -> Vec<OsString> {
    let verifier = words.iter().position(|word| word == VERIFIER);
    let two = |(at, word): (usize, &OsString)| match word.to_str() {
        Some(text) if verifier.is_some_and(|verifier| at > verifier) && is_gos(text) => {
            format!("-{text}").into()
        }
        _ => word.clone(),
    };
    words.iter().enumerate().map(two).collect()
}

fn is_gos(word: &str) -> bool {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    ["-name", "-digest", "-stdin-media-type"].contains(&name)
}

/// Who asks; containerd does not say for whom.
const WHO: &str = "containerd";
const CALLED: &str = "trust-containerd-verifier";
const VERIFIER: &str = "containerd-verifier";
/// containerd waits ten seconds (`per_verifier_timeout`), then kills, and says nothing of it.
const DEADLINE: Duration = Duration::from_secs(8);
const DECISION: Duration = Duration::from_secs(7);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containerds_words_are_understood() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        let own = command(&words("-name a -digest=b -stdin-media-type c"));
        let expected = "gate containerd-verifier --name a --digest=b --stdin-media-type c";
        assert_eq!(with_two_dashes(&own), words(expected));
        for line in [
            "sign -name",
            "gate containerd-verifier --name a -v",
            "-q -name",
        ] {
            assert_eq!(with_two_dashes(&words(line)), words(line));
        }
        assert!(is_called(Some(&"/opt/x/trust-containerd-verifier".into())));
        assert!(!is_called(Some(&"trust".into())));
    }
}
