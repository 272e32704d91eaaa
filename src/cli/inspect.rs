//! `trust inspect`

use super::{failure::Failure, failure::worst, notice, session::Session, table::table};
use serde::Serialize;
use trust::{
    reference::ImageReference,
    remote::Actions,
    repository::inspect::{Inspection, natural},
};

/// Show who signed what in repositories
///
/// Prints the same JSON and the same tables as `docker trust inspect`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print tables for people
    #[arg(long)]
    pretty: bool,
    /// Repositories, or single tags of them
    #[arg(required = true, value_name = "IMAGE[:TAG]")]
    images: Vec<String>,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    if args.pretty && !session.out.is_json() {
        pretty(args, session).await
    } else {
        json(args, session).await
    }
}

/// One array of what could be had, then what could not.
async fn json(args: &Args, session: &Session) -> Result<(), Failure> {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for image in &args.images {
        match look(image, session).await {
            Ok(inspection) => found.push(described(image, inspection)),
            Err(failure) => failed.push(failure),
        }
    }
    session.out.json(&found);
    for failure in &failed {
        failure.tell(&session.out);
    }
    worst(failed.iter().map(Failure::kind)).map_or(Ok(()), |kind| Err(Failure::told(kind)))
}

/// One image after the other until one fails, as Docker does it.
async fn pretty(args: &Args, session: &Session) -> Result<(), Failure> {
    for (index, image) in args.images.iter().enumerate() {
        if index > 0 {
            session.out.text("\n\n");
        }
        let inspection = look(image, session).await?;
        session.out.text(&tables(image, &inspection));
    }
    Ok(())
}

async fn look(typed: &str, session: &Session) -> Result<Inspection, Failure> {
    let image = ImageReference::parse(typed)
        .map_err(|error| Failure::from(error).doing(format!("inspect {typed}")))?;
    let found = async {
        let repository = session.repository(&image, Actions::Pull).await?;
        let mut watch = |event| notice::tell(&session.out, event);
        let inspection = repository.inspect(image.tag(), session.now(), &mut watch);
        inspection.await.map_err(Failure::from)
    };
    found.await.map_err(|failure| {
        let words = format!("no signatures or cannot access {typed}");
        if session.out.is_plugin() {
            failure.saying(words)
        } else {
            failure.after(&words)
        }
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    name: String,
    signed_tags: Vec<Row>,
    signers: Vec<Signer>,
    administrative_keys: Vec<Signer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    signed_tag: String,
    digest: String,
    signers: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Signer {
    name: String,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    #[serde(rename = "ID")]
    id: String,
}

impl Signer {
    fn new(name: &str, key_ids: Vec<String>) -> Self {
        let keys = key_ids.into_iter().map(|id| Key { id }).collect();
        let name = name.to_owned();
        Self { name, keys }
    }
}

fn described(name: &str, inspection: Inspection) -> Described {
    let rows = inspection.signed_tags.into_iter().map(|row| Row {
        signed_tag: row.tag,
        digest: row.digest,
        signers: match row.signers.as_slice() {
            [] => vec![ADMIN.to_owned()],
            _ => row.signers,
        },
    });
    let signers = inspection.signers.into_iter();
    let mut signers: Vec<_> = signers
        .map(|it| Signer::new(&it.name, it.key_ids))
        .collect();
    signers.sort_by(|a, b| b.name.cmp(&a.name));
    Described {
        name: name.to_owned(),
        signed_tags: rows.collect(),
        signers,
        administrative_keys: vec![
            Signer::new("Root", inspection.root_key_ids),
            Signer::new("Repository", inspection.repository_key_ids),
        ],
    }
}

/// Docker's three tables, blank lines and all.
fn tables(name: &str, inspection: &Inspection) -> String {
    let mut parts = vec![match inspection.signed_tags.as_slice() {
        [] => format!("\nNo signatures for {name}\n\n"),
        _ => format!("\nSignatures for {name}\n\n{}", tag_table(inspection)),
    }];
    if !inspection.signers.is_empty() {
        let table = signer_table(inspection);
        parts.push(format!(
            "\nList of signers and their keys for {name}\n\n{table}"
        ));
    }
    parts.push(format!("\nAdministrative keys for {name}\n\n"));
    let keys = [
        ("Repository", &inspection.repository_key_ids),
        ("Root", &inspection.root_key_ids),
    ];
    parts.extend(keys.map(|(role, ids)| format!("  {role} Key:\t{}\n", sorted(ids).join(", "))));
    parts.concat()
}

fn tag_table(inspection: &Inspection) -> String {
    let rows = inspection.signed_tags.iter().map(|row| {
        let signers = match row.signers.as_slice() {
            [] => format!("({ADMIN})"),
            some => sorted(some).join(", "),
        };
        [row.tag.clone(), row.digest.clone(), signers]
    });
    table(
        ["SIGNED TAG", "DIGEST", "SIGNERS"],
        &rows.collect::<Vec<_>>(),
    )
}

fn signer_table(inspection: &Inspection) -> String {
    let mut signers: Vec<_> = inspection.signers.iter().collect();
    signers.sort_by(|a, b| natural(&a.name, &b.name));
    let rows = signers.into_iter().map(|signer| {
        let ids = sorted(&signer.key_ids);
        let short = ids.iter().map(|id| id.get(..SHORT_ID).unwrap_or(id));
        [signer.name.clone(), short.collect::<Vec<_>>().join(", ")]
    });
    table(["SIGNER", "KEYS"], &rows.collect::<Vec<_>>())
}

fn sorted(words: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    words
}

/// What signs a tag that no signer signed (Docker client).
const ADMIN: &str = "Repo Admin";
/// Digits of a signer's key id in the table.
const SHORT_ID: usize = 12;
