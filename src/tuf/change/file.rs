//! A change as the bytes of its file: `{"action","role","type","path","data"}`.

use super::{Change, EVERYTHING_BELOW};
use crate::tuf::canonical::{Node, html_safe};
use crate::tuf::digest::FileMeta;
use crate::tuf::edit::Terms;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::limits;
use crate::tuf::role::RoleName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// Why a file is no change that can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// Not JSON as we accept it
    #[error("not acceptable JSON: {0}")]
    Json(String),
    /// More of something than a change can reasonably have
    #[error("too many {0}")]
    TooMany(&'static str),
    /// A change of a kind that is not made from a list
    #[error("changes of this kind are not known: {action} {kind}")]
    Unknown {
        /// What it does
        action: String,
        /// To what
        kind: String,
    },
    /// A member nobody knows: the change may mean more than we see
    #[error("the member {0:?} is not known")]
    UnknownMember(String),
    /// A member that is missing, or has another type or form than expected
    #[error("{0} has an invalid value")]
    Wrong(&'static str),
}

/// The file, in Go's order.
#[derive(Serialize)]
struct File<'c> {
    action: &'c str,
    role: &'c str,
    r#type: &'c str,
    path: &'c str,
    data: Option<String>,
}

impl Change {
    /// Reads a change; one of which anything is not understood is refused.
    ///
    /// # Errors
    /// The bytes are no such file, or of a kind that is not made from a list.
    pub fn parse(bytes: &[u8]) -> Result<Self, ChangeError> {
        let node = parse(bytes)?;
        only(&node, &["action", "role", "type", "path", "data"])?;
        let data = match node.member("data") {
            None | Some(Node::Null) => None,
            Some(Node::Text(text)) if text.is_empty() => None,
            Some(Node::Text(text)) => {
                let data = STANDARD.decode(text.as_bytes());
                Some(data.map_err(|_| ChangeError::Wrong("data"))?)
            }
            Some(_) => return Err(ChangeError::Wrong("data")),
        };
        let data = data.as_deref().map(parse).transpose()?;
        let (action, kind) = (text(&node, "action")?, text(&node, "type")?);
        let (scope, path) = (text(&node, "role")?, text(&node, "path")?);
        match kind {
            "target" => about_target(action, scope, path, data.as_ref()),
            _ if !path.is_empty() => Err(ChangeError::Wrong("path")),
            "delegation" => about_delegation(action, scope, data.as_ref()),
            "witness" if action == "update" && data.is_none() => {
                let role = signing_role(scope)?;
                Ok(Self::Witness { role })
            }
            _ => Err(unknown(action, kind)),
        }
    }

    /// Writes what [`Self::parse`] and Notary's client read.
    ///
    /// # Errors
    /// Never for a change that was read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ChangeError> {
        let purge;
        let data = match self {
            Self::Sign { meta, .. } => Some(meta.node()),
            Self::Begin { terms, .. } | Self::Amend { terms, .. } => Some(terms_node(terms)),
            Self::Purge { keys, .. } => {
                purge = Terms::without(keys);
                Some(terms_node(&purge))
            }
            Self::Revoke { .. } | Self::End { .. } | Self::Witness { .. } => None,
        };
        let json = |error: serde_json::Error| ChangeError::Json(error.to_string());
        let data = data.map(|node| serde_json::to_vec(&node.to_value()));
        let data = data.transpose().map_err(json)?;
        let scope = self.scope();
        let file = File {
            action: self.action(),
            role: &scope,
            r#type: self.kind(),
            path: self.path(),
            data: data.map(|data| STANDARD.encode(html_safe(&data))),
        };
        Ok(html_safe(&serde_json::to_vec(&file).map_err(json)?))
    }
}

fn about_target(
    action: &str,
    scope: &str,
    path: &str,
    data: Option<&Node<'_>>,
) -> Result<Change, ChangeError> {
    let (role, name) = (signing_role(scope)?, path.to_owned());
    if name.is_empty() {
        return Err(ChangeError::Wrong("path"));
    }
    match (action, data) {
        ("create", Some(data)) => {
            only(data, &["length", "hashes", "custom"])?;
            let meta = FileMeta::read(data).map_err(|_| ChangeError::Wrong("data"))?;
            if meta.hash("sha256").or(meta.hash("sha512")).is_none() {
                return Err(ChangeError::Wrong("hashes"));
            }
            Ok(Change::Sign { role, name, meta })
        }
        ("delete", None) => Ok(Change::Revoke { role, name }),
        ("create" | "delete", _) => Err(ChangeError::Wrong("data")),
        _ => Err(unknown(action, "target")),
    }
}

fn about_delegation(
    action: &str,
    scope: &str,
    data: Option<&Node<'_>>,
) -> Result<Change, ChangeError> {
    if let (Some(above), "update", Some(data)) =
        (scope.strip_suffix(EVERYTHING_BELOW), action, data)
    {
        let (from, terms) = (signing_role(above)?, read_terms(data)?);
        let keys = terms.remove_keys.clone();
        if terms != Terms::without(&keys) || keys.is_empty() {
            return Err(ChangeError::Wrong("data"));
        }
        return Ok(Change::Purge { from, keys });
    }
    let role = signing_role(scope).ok().filter(RoleName::is_delegation);
    let role = role.ok_or(ChangeError::Wrong("role"))?;
    match (action, data) {
        ("create", Some(data)) => {
            let terms = read_terms(data)?;
            let takes = !terms.remove_keys.is_empty() || !terms.remove_paths.is_empty();
            if takes || terms.clear_paths {
                return Err(ChangeError::Wrong("data"));
            }
            Ok(Change::Begin { role, terms })
        }
        ("update", Some(data)) => {
            let terms = read_terms(data)?;
            Ok(Change::Amend { role, terms })
        }
        ("delete", None) => Ok(Change::End { role }),
        ("create" | "update" | "delete", _) => Err(ChangeError::Wrong("data")),
        _ => Err(unknown(action, "delegation")),
    }
}

fn read_terms(node: &Node<'_>) -> Result<Terms, ChangeError> {
    only(node, &TERMS)?;
    let threshold = match node.member("threshold") {
        None | Some(Node::Null | Node::Int(0)) => None,
        Some(Node::Int(threshold)) => {
            let threshold = u64::try_from(*threshold).ok();
            Some(threshold.ok_or(ChangeError::Wrong("threshold"))?)
        }
        Some(_) => return Err(ChangeError::Wrong("threshold")),
    };
    let key = |node: &Node<'_>| PublicKey::read(node).ok();
    let id = |node: &Node<'_>| match node {
        Node::Text(id) => KeyId::parse(id),
        _ => None,
    };
    let path = |node: &Node<'_>| match node {
        Node::Text(path) => Some(path.to_string()),
        _ => None,
    };
    Ok(Terms {
        threshold,
        add_keys: list(node, "add_keys", key)?,
        remove_keys: list(node, "remove_keys", id)?,
        add_paths: list(node, "add_paths", path)?,
        remove_paths: list(node, "remove_paths", path)?,
        clear_paths: match node.member("clear_paths") {
            None | Some(Node::Null) => false,
            Some(Node::Bool(clear)) => *clear,
            Some(_) => return Err(ChangeError::Wrong("clear_paths")),
        },
    })
}

/// Empty members are left out, as Go leaves them out.
fn terms_node(terms: &Terms) -> Node<'_> {
    let ids = terms.remove_keys.iter();
    let lists = [
        (
            "add_keys",
            terms.add_keys.iter().map(PublicKey::node).collect(),
        ),
        (
            "remove_keys",
            ids.map(|id| Node::text(id.as_str())).collect(),
        ),
        ("add_paths", texts(&terms.add_paths)),
        ("remove_paths", texts(&terms.remove_paths)),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let lists = lists.map(|(name, list)| (name, Node::List(list.into())));
    let threshold = terms.threshold.and_then(|it| i64::try_from(it).ok());
    let threshold = threshold.map(|threshold| ("threshold", Node::Int(threshold)));
    let clear = terms
        .clear_paths
        .then_some(("clear_paths", Node::Bool(true)));
    Node::object(lists.chain(threshold).chain(clear))
}

fn texts(list: &[String]) -> Vec<Node<'_>> {
    list.iter().map(|text| Node::text(text.as_str())).collect()
}

fn parse(bytes: &[u8]) -> Result<Node<'_>, ChangeError> {
    Node::parse(bytes).map_err(|error| ChangeError::Json(error.to_string()))
}

/// Refuses what is no object, or has other members.
fn only(node: &Node<'_>, known: &[&str]) -> Result<(), ChangeError> {
    let Node::Object(members) = node else {
        return Err(ChangeError::Wrong("file"));
    };
    match members
        .iter()
        .find(|(name, _)| !known.contains(&name.as_ref()))
    {
        Some((name, _)) => Err(ChangeError::UnknownMember(name.chars().take(64).collect())),
        None => Ok(()),
    }
}

fn text<'n>(node: &'n Node<'_>, name: &'static str) -> Result<&'n str, ChangeError> {
    match node.member(name) {
        Some(Node::Text(text)) => Ok(text),
        _ => Err(ChangeError::Wrong(name)),
    }
}

fn list<T>(
    node: &Node<'_>,
    name: &'static str,
    read: impl Fn(&Node<'_>) -> Option<T>,
) -> Result<Vec<T>, ChangeError> {
    let items: &[_] = match node.member(name) {
        None | Some(Node::Null) => &[],
        Some(Node::List(items)) => items,
        Some(_) => return Err(ChangeError::Wrong(name)),
    };
    if items.len() > limits::KEYS {
        return Err(ChangeError::TooMany(name));
    }
    let read = items.iter().map(read).collect::<Option<_>>();
    read.ok_or(ChangeError::Wrong(name))
}

/// `targets` or a delegation: what states of names, and delegates.
fn signing_role(name: &str) -> Result<RoleName, ChangeError> {
    RoleName::parse(name)
        .filter(|role| role.is_delegation() || *role == RoleName::targets())
        .ok_or(ChangeError::Wrong("role"))
}

fn unknown(action: &str, kind: &str) -> ChangeError {
    let short = |text: &str| text.chars().take(32).collect();
    ChangeError::Unknown {
        action: short(action),
        kind: short(kind),
    }
}

const TERMS: [&str; 6] = [
    "threshold",
    "add_keys",
    "remove_keys",
    "add_paths",
    "remove_paths",
    "clear_paths",
];
