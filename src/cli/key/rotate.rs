//! `trust key rotate`

use super::{file, find};
use crate::cli::{failure::Failure, notice, prompt::Prompt, session::Session};
use std::path::PathBuf;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::{
        RootKeys,
        init::SnapshotKey,
        keyring::Keyring,
        rotate::{Rotated, Rotation},
    },
};

/// Give a role of a repository new keys: root, targets, snapshot or timestamp
///
/// Published at once. A new root is signed with the keys before it, too, so that everybody who
/// trusted those follows. Old private keys stay on this machine.
#[derive(clap::Args)]
pub(super) struct Args {
    /// New key of root or targets: an id, the first digits of one, or a key file to load; may be
    /// given several times [default: one that is made now]
    #[arg(short, long = "key", value_name = "ID|FILE")]
    keys: Vec<String>,
    /// Certificate for a new root key, for this repository or a prefix of it; with --threshold also
    /// of a key that somebody else has; may be given several times [default: new ones]
    #[arg(long = "cert", value_name = "FILE")]
    certs: Vec<PathBuf>,
    /// How many keys of root or targets have to sign [default: as many as before]
    #[arg(long, value_name = "N")]
    threshold: Option<u64>,
    /// Leave the snapshot key to the server, which always has that of the timestamp
    #[arg(short = 'r', long)]
    server_managed: bool,
    /// Do not ask before the root key is rotated
    #[arg(short, long)]
    yes: bool,
    /// The role
    pub(super) role: String,
    /// The repository
    pub(super) repository: String,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let (role, out) = (&args.role, &session.out);
    check(args)?;
    let image = ImageReference::parse(&args.repository)?;
    if role == "root" && !args.yes && !session.confirm(QUESTION, "-y")? {
        out.note("\nAborting action.");
        report(args, image.gun(), None, session);
        return Ok(());
    }
    let mut prompt = Prompt::new(session);
    let how = rotation(args, image.gun(), &mut prompt, session)?;
    let actions = match how {
        Rotation::Root(_) | Rotation::Targets(..) => Actions::PullPush,
        Rotation::Snapshot(_) | Rotation::Timestamp => Actions::All,
    };
    let mut keyring = Keyring::new(session.keys()?, &mut prompt);
    let repository = session.repository(&image, actions).await?;
    let mut watch = |event| notice::tell(out, event);
    let rotated = repository
        .rotate(&mut keyring, &how, session.now(), &mut watch)
        .await?;
    if rotated.changed {
        let name = &args.repository;
        out.say(&format!(
            "Successfully rotated {role} key for repository {name}"
        ));
    } else {
        out.say(&format!("The {role} keys are these already"));
    }
    for id in &rotated.former {
        if session.keys()?.find(id)?.is_some() {
            out.note(&format!(
                "the former {role} key {id} is still here; once nothing else needs it, `{} key \
                 remove {id}` takes it away",
                out.program()
            ));
        }
    }
    report(args, image.gun(), Some(&rotated), session);
    Ok(())
}

/// Refuses what no rotation of this role can be told, in notary's words.
fn check(args: &Args) -> Result<(), Failure> {
    let role = args.role.as_str();
    let refused = |words: &str| Err(Failure::wrong(format!("trust does not {words}")));
    match role {
        "root" | "targets" if args.server_managed => {
            refused(&format!("permit the server managing the {role} key"))
        }
        "snapshot" if args.server_managed && !args.keys.is_empty() => {
            refused("permit the client choosing a key that the server manages")
        }
        "timestamp" if !args.keys.is_empty() => {
            refused("permit the client managing the timestamp key")
        }
        "snapshot" if !args.keys.is_empty() => {
            refused("permit choosing the snapshot key: a new one is made")
        }
        "snapshot" | "timestamp" if args.threshold.is_some_and(|threshold| threshold != 1) => {
            refused(&format!("permit a threshold for the {role} key"))
        }
        "targets" | "snapshot" | "timestamp" if !args.certs.is_empty() => {
            refused(&format!("permit certificates for the {role} key"))
        }
        "root" | "targets" | "snapshot" | "timestamp" => Ok(()),
        _ => Err(Failure::wrong(format!(
            "trust does not currently permit rotating the {role} key"
        ))
        .hint("the roles are root, targets, snapshot and timestamp; keys of signers are replaced with `signer replace`")),
    }
}

fn rotation(
    args: &Args,
    gun: &str,
    prompt: &mut Prompt<'_>,
    session: &Session,
) -> Result<Rotation, Failure> {
    Ok(match args.role.as_str() {
        "root" => Rotation::Root(RootKeys {
            keys: find::all(&args.keys, "root", None, prompt, session)?,
            certificates: file::certificates(&args.certs)?,
            threshold: args.threshold,
        }),
        "targets" => {
            let keys = find::all(&args.keys, "targets", Some(gun), prompt, session)?;
            Rotation::Targets(keys, args.threshold)
        }
        "snapshot" if args.server_managed => Rotation::Snapshot(SnapshotKey::Server),
        "snapshot" => Rotation::Snapshot(SnapshotKey::Local),
        _ => Rotation::Timestamp,
    })
}

fn report(args: &Args, gun: &str, rotated: Option<&Rotated>, session: &Session) {
    if session.out.is_json() {
        session.out.json(&serde_json::json!({
            "repository": gun,
            "role": args.role,
            "rotated": rotated.is_some_and(|rotated| rotated.changed),
            "threshold": rotated.map(|rotated| rotated.threshold),
            "key_ids": rotated.map(|rotated| &rotated.key_ids),
            "former_key_ids": rotated.map(|rotated| &rotated.former),
        }));
    }
}

const QUESTION: &str = "\
Warning: you are about to rotate your root key.

You must use your old key to sign this root rotation.
Are you sure you want to proceed?";
