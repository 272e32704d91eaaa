//! Who may sign: roles, keys, thresholds, paths.

use super::figures;
use super::frame::breakable;
use super::model::{FileState, RoleFacts};
use crate::tuf::role::{RELEASES, RoleName};
use maud::{Markup, html};

/// The people who sign: delegations other than the releases.
pub(super) fn signers(roles: &[RoleFacts]) -> impl Iterator<Item = &RoleFacts> {
    roles
        .iter()
        .filter(|role| role.paths.is_some() && role.name.as_str() != RELEASES)
}

/// All roles in a table.
pub(super) fn section(roles: &[RoleFacts]) -> Markup {
    html! {
        section aria-labelledby="roles" {
            h2 #roles { "Who may sign" }
            @if roles.is_empty() {
                p.lead { "The root cannot be believed, so nobody can say." }
            } @else {
                table.cards.roles {
                    caption.unseen { "Roles with their keys, thresholds and paths" }
                    thead {
                        tr {
                            th scope="col" { "Role" }
                            th scope="col" { "May sign" }
                            th scope="col" { "Needs" }
                            th scope="col" { "Keys" }
                            th.number scope="col" { "Version" }
                        }
                    }
                    tbody { @for role in roles.iter().take(MOST_ROLES) { (line(role, roles)) } }
                }
                @if roles.len() > MOST_ROLES { ul { (figures::more(roles.len(), MOST_ROLES)) } }
            }
        }
    }
}

fn line(role: &RoleFacts, all: &[RoleFacts]) -> Markup {
    let depth = role.name.depth().min(DEEPEST);
    html! {
        tr {
            th scope="row" class={ "depth-" (depth) } {
                (breakable(role.name.as_str()))
                span.who { (called(&role.name)) }
            }
            td data-label="May sign" { (may_sign(role)) }
            td data-label="Needs" { (role.threshold) " of " (figures::count(role.keys.len(), "key")) }
            td data-label="Keys" { (keys(role, all)) }
            td.number data-label="Version" {
                @match &role.file {
                    FileState::Signed(file) => (file.version),
                    FileState::Refused(_) => span.faint { "not believed" },
                    FileState::Never => span.faint { "none yet" },
                }
            }
        }
    }
}

/// Who that is, in the words of `docker trust inspect`.
fn called(role: &RoleName) -> String {
    match role.as_str() {
        "root" => "owner of the repository".to_owned(),
        "targets" => "(Repo Admin)".to_owned(),
        "snapshot" => "which files belong together".to_owned(),
        "timestamp" => "which state is the newest".to_owned(),
        RELEASES => "what clients pull".to_owned(),
        _ => format!("signer {}", role.signer()),
    }
}

fn may_sign(role: &RoleFacts) -> Markup {
    html! {
        @match (role.name.as_str(), &role.paths) {
            ("root", _) => "the keys of all base roles",
            ("snapshot", _) => "versions of all roles",
            ("timestamp", _) => "the newest snapshot",
            (_, None) => "every tag, and who else may",
            (_, Some(paths)) if paths.is_empty() => "nothing: no path",
            (_, Some(paths)) if paths.iter().any(String::is_empty) => "every tag",
            (_, Some(paths)) => ul.paths {
                @for path in paths.iter().take(MOST_ITEMS) {
                    li { "tags that begin with " code { (figures::name(path)) } }
                }
                (figures::more(paths.len(), MOST_ITEMS))
            },
        }
    }
}

fn keys(role: &RoleFacts, all: &[RoleFacts]) -> Markup {
    html! {
        ul.keys {
            @for (id, key_type) in role.keys.iter().take(MOST_ITEMS) {
                li { (figures::key_id(id)) " " span.faint { (figures::name(key_type)) (holder(role, id, all)) } }
            }
            (figures::more(role.keys.len(), MOST_ITEMS))
        }
    }
}

/// Whose key that is, where many share a role.
fn holder(role: &RoleFacts, id: &str, all: &[RoleFacts]) -> String {
    if role.name.as_str() != RELEASES {
        return String::new();
    }
    let has = |signer: &&RoleFacts| signer.keys.iter().any(|(key, _)| key == id);
    match signers(all).find(has) {
        Some(signer) => format!(", {}", signer.name.signer()),
        None => String::new(),
    }
}

/// Roles in the table, and in the picture of their validity.
pub(super) const MOST_ROLES: usize = 100;

/// Keys and paths of a role.
const MOST_ITEMS: usize = 20;

/// Deeper roles stand no further to the right.
const DEEPEST: usize = 4;
