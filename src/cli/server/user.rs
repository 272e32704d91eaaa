//! `trust server user`

use super::site::{Place, Site};
use crate::cli::{failure::Failure, session::Session, table::table};
use clap::Subcommand;
use std::collections::BTreeMap;
use std::path::PathBuf;
use trust::config::passphrase_from_file;
use trust::server::access::{UserError, check_user_name, hash_password};
use trust_store::server::{Action, Right, Store, User};
use zeroize::Zeroizing;

/// Add, remove and list those who log in with a password
#[derive(clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(Add),
    Remove(Remove),
    List(List),
}

/// Add a user, or replace the password and all rights of one
///
/// The servers of this store know it at once.
#[derive(clap::Args)]
struct Add {
    #[command(flatten)]
    site: Place,
    /// Name to log in with
    name: String,
    /// What may be done below a prefix: pull, push, or * for everything
    ///
    /// `docker.io/team:pull,push` is about the repository docker.io/team and those below it, never
    /// about docker.io/teams; `:pull` is about every repository.
    #[arg(long = "repo", value_name = "PREFIX:ACTIONS", value_parser = right)]
    rights: Vec<Right>,
    /// File with the password [default: asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Remove a user
#[derive(clap::Args)]
struct Remove {
    #[command(flatten)]
    site: Place,
    /// Name of the user
    name: String,
}

/// List users and what they may do
#[derive(clap::Args)]
struct List {
    #[command(flatten)]
    site: Place,
}

pub(super) async fn run(args: &Args, session: &Session) -> Result<(), Failure> {
    let place = match &args.command {
        Command::Add(Add { site, .. })
        | Command::Remove(Remove { site, .. })
        | Command::List(List { site }) => site,
    };
    let site = Site::find(place, session)?;
    let store = site.existing_store().await?;
    match &args.command {
        Command::Add(args) => add(args, &store, &site, session).await,
        Command::Remove(args) => remove(args, &store, &site, session).await,
        Command::List(_) => list(&store, session).await,
    }?;
    store.close().await;
    Ok(())
}

async fn add(args: &Add, store: &Store, site: &Site, session: &Session) -> Result<(), Failure> {
    let (name, out) = (&args.name, &session.out);
    check_user_name(name).map_err(wrong)?;
    let password = password(args, session)?;
    let hash = hash_password(&password).map_err(wrong)?;
    let rights = merged(&args.rights);
    for right in &rights {
        if right.actions == [Action::Push] {
            out.warn(&format!(
                "clients read before they publish: {}:push needs pull as well",
                right.prefix
            ));
        }
    }
    let first = !store.has_users().await?;
    let replaced = store.user(name).await?.is_some();
    store.put_user(name, &hash, &rights, session.now()).await?;
    let done = if replaced { "Replaced" } else { "Added" };
    out.say(&format!("{done} user {name}"));
    if first && was_open(site) {
        out.note("From now on only users may publish; everybody may still read.");
    }
    if out.is_json() {
        out.json(&serde_json::json!({"name": name, "replaced": replaced}));
    }
    Ok(())
}

async fn remove(
    args: &Remove,
    store: &Store,
    site: &Site,
    session: &Session,
) -> Result<(), Failure> {
    let (name, out) = (&args.name, &session.out);
    if !store.remove_user(name).await? {
        return Err(Failure::wrong(format!("there is no user {name}")));
    }
    out.say(&format!("Removed user {name}"));
    if was_open(site) && !store.has_users().await? {
        out.warn("there is no user left: everybody may do everything");
    }
    if out.is_json() {
        out.json(&serde_json::json!({ "name": name }));
    }
    Ok(())
}

async fn list(store: &Store, session: &Session) -> Result<(), Failure> {
    let users = store.list_users().await?;
    if session.out.is_json() {
        let described: Vec<_> = users.iter().map(described).collect();
        session.out.json(&described);
        return Ok(());
    }
    let rows: Vec<_> = users
        .iter()
        .map(|user| [user.name.clone(), to_second(user), rights(user)])
        .collect();
    session
        .out
        .text(&table(["NAME", "CREATED", "RIGHTS"], &rows));
    Ok(())
}

/// Whether the settings leave everything open until there is a user.
fn was_open(site: &Site) -> bool {
    let access = &site.settings.access;
    access.anonymous.is_none() && access.token.is_none() && !access.certificates
}

fn password(args: &Add, session: &Session) -> Result<Zeroizing<String>, Failure> {
    match &args.password_file {
        Some(file) => Ok(passphrase_from_file(file)?),
        None => session.new_secret(&format!("password for {}", args.name), "--password-file"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn wrong(error: UserError) -> Failure {
    Failure::wrong(error.to_string())
}

/// `PREFIX:ACTIONS`; a prefix may hold colons itself.
fn right(text: &str) -> Result<Right, String> {
    let (prefix, words) = text.rsplit_once(':').ok_or("it has no `:ACTIONS`")?;
    if prefix.contains('*') {
        return Err("a prefix needs no `*`: it is about everything below it".to_owned());
    }
    let actions = words.split(',').map(|word| {
        Action::parse(word).ok_or_else(|| format!("{word:?} is none of pull, push and *"))
    });
    Ok(Right {
        prefix: prefix.to_owned(),
        actions: actions.collect::<Result<_, _>>()?,
    })
}

/// One right for each prefix, however often it was named.
fn merged(rights: &[Right]) -> Vec<Right> {
    let mut merged: BTreeMap<&str, Vec<Action>> = BTreeMap::new();
    for right in rights {
        let actions = merged.entry(&right.prefix).or_default();
        actions.extend(&right.actions);
        actions.sort_unstable();
        actions.dedup();
    }
    let rights = merged.into_iter().map(|(prefix, actions)| Right {
        prefix: prefix.to_owned(),
        actions,
    });
    rights.collect()
}

fn rights(user: &User) -> String {
    let rights = user.rights.iter().map(|right| {
        let words: Vec<_> = right.actions.iter().map(|action| action.as_str()).collect();
        format!("{}:{}", right.prefix, words.join(","))
    });
    match rights.collect::<Vec<_>>().join(" ") {
        none if none.is_empty() => "-".to_owned(),
        rights => rights,
    }
}

fn to_second(user: &User) -> String {
    jiff::Timestamp::from_second(user.created.as_second())
        .unwrap_or(user.created)
        .to_string()
}

/// A user as programs see it.
fn described(user: &User) -> serde_json::Value {
    let rights = user.rights.iter().map(|right| {
        let actions: Vec<_> = right.actions.iter().map(|action| action.as_str()).collect();
        serde_json::json!({"prefix": right.prefix, "actions": actions})
    });
    serde_json::json!({
        "name": user.name,
        "created": to_second(user),
        "rights": rights.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_as_they_are_listed() {
        let listed = |texts: &[&str]| {
            let rights: Vec<_> = texts.iter().map(|text| right(text).unwrap()).collect();
            rights_of(merged(&rights))
        };
        for (texts, expected) in [
            (
                &["docker.io/team:pull,push"][..],
                "docker.io/team:pull,push",
            ),
            (&["host:5000/x/:*"], "host:5000/x/:*"),
            (&[":pull"], ":pull"),
            (&["b:push", "a:pull", "b:pull,push"], "a:pull b:pull,push"),
            (&[], "-"),
        ] {
            assert_eq!(listed(texts), expected);
        }
        for (text, why) in [
            ("docker.io/team", "it has no `:ACTIONS`"),
            ("host:5000/x", "\"5000/x\" is none of"),
            ("a:", "\"\" is none of"),
            ("a:Pull", "\"Pull\" is none of"),
            ("a/*:pull", "needs no `*`"),
        ] {
            let error = right(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    fn rights_of(rights: Vec<Right>) -> String {
        super::rights(&User {
            name: "u".into(),
            hash: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
            rights,
        })
    }
}
