//! `trust server rekey`

use super::site::{Place, Site};
use crate::cli::{
    failure::{Failure, in_gos_words},
    session::Session,
};
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use trust::config::passphrase_from_file;
use trust_store::keys::Passphrase;
use trust_store::server::SealSource;

/// Seal the online keys of the store with another secret
///
/// The keys stay the same, and so do repositories. Without a new secret, the key file is replaced
/// by a new one and kept under another name: older backups need it. Servers that run meanwhile
/// have to be started again.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    site: Place,
    /// New key file, made if it is not there
    #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_file")]
    new_key_file: Option<PathBuf>,
    /// File with the new passphrase
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Ask for a new passphrase
    #[arg(long, conflicts_with_all = ["new_key_file", "new_passphrase_file"])]
    new_passphrase: bool,
}

/// What opens the keys from now on.
enum Next {
    KeyFile(PathBuf),
    Passphrase(Passphrase),
    /// A new file in place of this one
    Replaced(PathBuf),
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let site = Site::find(&args.site, session)?;
    let store = site.existing_store().await?;
    // Nobody is asked for a new secret before the present one is known to be right.
    let sealer = site.sealer(&store, session).await?;
    let next = next(args, &site.seal(session)?, session)?;
    let (source, kept) = match next {
        Next::KeyFile(file) => (made(&file)?, Some(file)),
        Next::Passphrase(passphrase) => (SealSource::Passphrase(passphrase), None),
        Next::Replaced(file) => (made(&beside(&file, "new"))?, Some(file)),
    };
    let replaces = matches!(&source, SealSource::KeyFile(made) if Some(made) != kept.as_ref());
    let (_, keys) = sealer.rekey(&store, source).await?;
    store.close().await;
    if let Some(file) = kept.as_ref().filter(|_| replaces) {
        replace(file, session.now())?;
    }
    say(keys, kept.as_deref(), replaces, session);
    Ok(())
}

fn next(args: &Args, present: &SealSource, session: &Session) -> Result<Next, Failure> {
    if let Some(file) = &args.new_key_file {
        return Ok(Next::KeyFile(file.clone()));
    }
    if let Some(file) = &args.new_passphrase_file {
        return Ok(Next::Passphrase(Passphrase::new(passphrase_from_file(
            file,
        )?)));
    }
    match present {
        SealSource::KeyFile(file) if !args.new_passphrase => Ok(Next::Replaced(file.clone())),
        _ => {
            let name = "new passphrase for the online keys";
            let entered = session.new_secret(name, "--new-passphrase-file or --new-key-file")?;
            Ok(Next::Passphrase(Passphrase::new(entered)))
        }
    }
}

fn made(file: &Path) -> Result<SealSource, Failure> {
    SealSource::create_key_file(file)?;
    Ok(SealSource::KeyFile(file.to_owned()))
}

/// The new key file has the name of the present one, which is kept beside it.
fn replace(file: &Path, now: Timestamp) -> Result<(), Failure> {
    let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let new = beside(file, "new");
    // A second name for the old one: at no time is there none.
    fs::hard_link(file, beside(file, &seconds.to_string()))
        .and_then(|()| fs::rename(&new, file))
        .map_err(|error| {
            let words = in_gos_words(&error);
            Failure::unfinished(format!("cannot rename {}: {words}", file.display())).hint(format!(
                "the keys are sealed anew: give {} the name of {}",
                new.display(),
                file.display()
            ))
        })
}

/// The same name with something added.
fn beside(file: &Path, what: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn say(keys: usize, file: Option<&Path>, replaced: bool, session: &Session) {
    let out = &session.out;
    out.say(&format!("Sealed {keys} online keys anew"));
    match file {
        _ if replaced => {}
        Some(file) => out.note(&format!(
            "Start servers of this store with seal.key_file = \"{}\".",
            file.display()
        )),
        None => out.note(
            "Start servers of this store with the new passphrase: seal.passphrase_file, or \
             TRUST_SERVER_PASSPHRASE.",
        ),
    }
    out.note("Servers that are running have to be started again.");
    if out.is_json() {
        out.json(&serde_json::json!({"keys": keys, "key_file": file}));
    }
}
