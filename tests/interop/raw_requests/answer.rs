//! What an answer says, in one line, without what is different each time.

use serde_json::Value;

use super::{repository::Repository, request::Reply};

/// One line: status, what clients read of the headers, and the body.
pub(crate) fn line(reply: Option<&Reply>, repository: &mut Repository) -> String {
    let Some(reply) = reply else {
        return "no answer".to_owned();
    };
    let mut words = vec![reply.status.to_string()];
    if let Some(place) = reply.header("location") {
        words.push(format!("to {place}"));
        return words.join(" ");
    }
    words.extend(kind(reply));
    words.extend(cache(reply));
    words.extend(modified(reply));
    words.extend(challenge(reply));
    words.extend(body(reply, repository));
    words.join(" ").replace('|', "\\x7c")
}

/// The type, where it is not what goes with the status.
fn kind(reply: &Reply) -> Option<String> {
    let expected = match reply.status {
        200 => Some("text/plain; charset=utf-8"),
        _ => Some("application/json; charset=utf-8"),
    };
    let kind = reply.header("content-type");
    let silent = kind.is_none() && reply.body.is_empty();
    (kind != expected && !silent).then(|| format!("({})", kind.unwrap_or("no type")))
}

fn cache(reply: &Reply) -> Option<String> {
    let words = match reply.header("cache-control")? {
        "public, max-age=300, s-maxage=300, must-revalidate" => "current".to_owned(),
        "public, max-age=2592000, s-maxage=2592000" => "lasting".to_owned(),
        other => format!("(cache-control: {other})"),
    };
    Some(words)
}

/// `modified`, for a date of RFC 1123: Notary ends it with the zone of its database, HTTP wants
/// `GMT`.
fn modified(reply: &Reply) -> Option<String> {
    let date = reply.header("last-modified")?;
    let date = date.replace(" UTC", " GMT").replace(" +0000", " GMT");
    let known = jiff::fmt::rfc2822::parse(&date).is_ok() && date.ends_with(" GMT");
    Some(if known {
        "modified".to_owned()
    } else {
        format!("(modified: {date})")
    })
}

/// The challenge with the actions in order.
fn challenge(reply: &Reply) -> Option<String> {
    let challenge = reply.header("www-authenticate")?;
    let mut shown = Vec::new();
    for part in challenge.split("\",") {
        let (name, value) = part.split_once("=\"").unwrap_or((part, ""));
        let value = value.trim_end_matches('"');
        shown.push(match name {
            "scope" => {
                let (resource, actions) = value.rsplit_once(':').unwrap_or(("", value));
                let mut actions: Vec<_> = actions.split(',').collect();
                actions.sort_unstable();
                format!("scope={resource}:{}", actions.join(","))
            }
            "Bearer realm" => "Bearer realm".to_owned(),
            name => format!("{name}={value}"),
        });
    }
    Some(format!("({})", shown.join(" ")))
}

fn body(reply: &Reply, repository: &mut Repository) -> Option<String> {
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    if text.is_empty() {
        return None;
    }
    let Ok(json) = serde_json::from_str::<Value>(&text) else {
        return Some(prose(&text));
    };
    if json.get("errors").is_some() {
        return Some(errors(&json, text.ends_with("}\n")));
    }
    if json.get("keytype").is_some() {
        return Some(format!("key {}", repository.letter(&reply.body)));
    }
    if json.get("records").is_some() {
        return Some(feed(&json));
    }
    if json.get("signed").is_some() {
        return Some(metadata(&json, &reply.body, repository));
    }
    Some(format!("`{text}`"))
}

fn prose(text: &str) -> String {
    let mut families: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE notary_server_http_"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    families.sort_unstable();
    if families.is_empty() {
        let text: String = text.trim().chars().take(60).collect();
        return format!("`{text}`");
    }
    format!("metrics {}", families.join(" "))
}

fn errors(json: &Value, newline: bool) -> String {
    let list = json["errors"].as_array().expect("a list");
    let mut words: Vec<String> = list.iter().map(error).collect();
    if !newline {
        words.push("(no newline)".to_owned());
    }
    words.join(" and ")
}

fn error(error: &Value) -> String {
    let code = error["code"].as_str().unwrap_or("no code");
    let mut words = code.to_owned();
    let message = error["message"].as_str().unwrap_or("no message");
    let known = MESSAGES.iter().find(|(name, _)| *name == code);
    if known.is_none_or(|(_, expected)| message != *expected) {
        words = format!("{words} ({message})");
    }
    match error.get("detail") {
        None => words,
        Some(Value::String(text)) => format!("{words}: {text}"),
        Some(detail) if detail["Error"]["Msg"].is_string() => {
            let missing = &detail["Error"]["Missing"];
            let missing = missing.as_str().map(|it| format!(" (missing {it})"));
            let said = masked(detail["Error"]["Msg"].as_str().unwrap_or_default());
            let name = detail["Name"].as_str().unwrap_or("no name");
            format!("{words} {name}{}: {said}", missing.unwrap_or_default())
        }
        Some(detail) if detail["Severity"].is_string() => format!("{words} {{of the database}}"),
        Some(detail) => format!("{words} {}", sorted(detail)),
    }
}

/// Lists of actions come in any order.
fn sorted(detail: &Value) -> String {
    let Value::Array(list) = detail else {
        return detail.to_string();
    };
    let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
    texts.sort();
    format!("[{}]", texts.join(","))
}

/// Without key ids and dates, nor which of two wrong hashes was looked at first.
fn masked(text: &str) -> String {
    let text = text.replace("sha512 checksum", "sha256 checksum");
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches(|it: char| !it.is_ascii_alphanumeric());
        let hex = bare.len() >= 64 && bare.chars().all(|it| it.is_ascii_hexdigit());
        if hex {
            word.replace(bare, "ID")
        } else {
            word.to_owned()
        }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    match text.split_once(" expired at ") {
        Some((before, _)) => format!("{before} expired at DATE"),
        None => text,
    }
}

fn feed(json: &Value) -> String {
    let records = json["records"].as_array().cloned().unwrap_or_default();
    let mut words = vec![format!("{} changes:", json["count"])];
    for record in &records {
        let whole = record["ID"]
            .as_str()
            .is_some_and(|it| it.parse::<u64>().is_ok())
            && record["CreatedAt"]
                .as_str()
                .is_some_and(|it| it.parse::<jiff::Timestamp>().is_ok());
        let hash = record["SHA256"].as_str().map_or(0, |it| it.trim().len());
        let (category, version) = (&record["Category"], &record["Version"]);
        let gun = record["GUN"].as_str().unwrap_or("nobody");
        let broken = if whole { "" } else { " BROKEN" };
        let category = category.as_str().unwrap_or("nothing");
        words.push(format!("{category} of {gun} {version} {hash}{broken};"));
    }
    if records.is_empty() {
        // Notary says `null` here and `[]` there, and no client cares.
        assert!(json["records"].is_null() || json["records"].is_array());
    }
    words.join(" ")
}

fn metadata(json: &Value, file: &[u8], repository: &Repository) -> String {
    let signed = &json["signed"];
    let kind = signed["_type"].as_str().unwrap_or("nothing");
    let mut words = vec![format!("{kind} {}", signed["version"])];
    let roles = [
        "root",
        "targets",
        "targets/releases",
        "targets/alice",
        "snapshot",
    ];
    if roles.iter().any(|role| repository.is_accepted(role, file)) {
        words.push("as sent".to_owned());
    }
    if let Some(meta) = signed["meta"].as_object() {
        let names: Vec<_> = meta.keys().map(String::as_str).collect();
        words.push(format!("of {}", names.join(" ")));
    }
    words.join(" ")
}

/// Every code and its sentence.
const MESSAGES: [(&str, &str); 11] = [
    (
        "INVALID_GUN",
        "The server does not support actions on images of this name.",
    ),
    (
        "INVALID_PARAMETERS",
        "The parameters provided are not valid.",
    ),
    (
        "INVALID_ROLE",
        "The role you are attempting to operate on is invalid.",
    ),
    ("INVALID_UPDATE", "Update sent by the client is invalid."),
    (
        "MALFORMED_JSON",
        "JSON sent by the client could not be parsed by the server",
    ),
    ("MALFORMED_UPLOAD", "The body of your request is malformed."),
    (
        "METADATA_NOT_FOUND",
        "You have requested metadata that does not exist.",
    ),
    ("NO_FILENAME", "No file/role name provided."),
    ("UNAUTHORIZED", "authentication required"),
    ("UNKNOWN", "unknown error"),
    (
        "VERSION",
        "A newer version of metadata is already available.",
    ),
];
