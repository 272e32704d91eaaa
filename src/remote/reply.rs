//! Error answers of registries and trust servers (distribution, errcode), made readable.

use super::RemoteError;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Errors {
    errors: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    code: String,
    message: String,
    detail: Value,
}

/// The error an unsuccessful answer stands for.
pub(super) fn error(status: StatusCode, body: &[u8], url: &str, host: &str) -> RemoteError {
    let number = status.as_u16();
    let Entry {
        code,
        message,
        detail,
    } = first_entry(body).unwrap_or_default();
    match (number, code.as_str()) {
        (401 | 403, _) => {
            let reason = match message.as_str() {
                "" => format!("server returned {number}"),
                said => format!("server returned {number}: {said}"),
            };
            RemoteError::Unauthorized {
                status: number,
                reason,
            }
        }
        (400, "VERSION") | (500, "UPDATING") => RemoteError::Conflict { code, message },
        (404, _) => RemoteError::NotFound {
            url: url.to_owned(),
        },
        (300..400, _) => RemoteError::BadResponse {
            url: url.to_owned(),
            reason: format!("{number}, redirects are not followed"),
        },
        (429 | 500.., _) => {
            let reason = match message.as_str() {
                "" => format!("{host} returned {number}"),
                said => format!("{host} returned {number}: {said}"),
            };
            RemoteError::Unreachable {
                host: host.to_owned(),
                status: Some(number),
                reason,
            }
        }
        _ => {
            let detail = rendered(&detail);
            RemoteError::Rejected {
                status: number,
                code,
                message,
                detail,
            }
        }
    }
}

/// The server's own words in an error body, if it has any.
pub(super) fn reason(body: &[u8]) -> Option<String> {
    if let Some(entry) = first_entry(body) {
        return Some(entry.message).filter(|message| !message.is_empty());
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let said = ["error_description", "details", "message", "error"]
        .into_iter()
        .find_map(|field| value.get(field)?.as_str())?;
    Some(shortened(said))
}

fn first_entry(body: &[u8]) -> Option<Entry> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let entry = errors.errors.into_iter().next()?;
    Some(Entry {
        message: shortened(&entry.message),
        code: shortened(&entry.code),
        ..entry
    })
}

/// A validation error in the words of Notary's client, anything else as the server put it.
fn rendered(detail: &Value) -> String {
    let name = detail.get("Name").and_then(Value::as_str);
    let message = detail
        .get("Error")
        .and_then(|e| e.get("Msg"))
        .and_then(Value::as_str);
    match (name, message, detail) {
        (Some(name), Some(message), _) => {
            let kind = match name {
                "ErrValidation" => "An error occurred during validation",
                "ErrBadHierarchy" => "Metadata hierarchy is incomplete",
                "ErrBadRoot" => "The root metadata is invalid",
                "ErrBadTargets" => "The targets metadata is invalid",
                "ErrBadSnapshot" => "The snapshot metadata is invalid",
                other => other,
            };
            shortened(&format!("{kind}: {message}"))
        }
        (_, _, Value::String(text)) => shortened(text),
        (_, _, Value::Null) => String::new(),
        (_, _, Value::Object(fields)) if fields.is_empty() => String::new(),
        (_, _, other) => shortened(&other.to_string()),
    }
}

/// Foreign words end up on terminals: one line, printable, not endless.
fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_WORDS)
        .collect()
}

/// Characters of a server's words that are kept.
const MAX_WORDS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> RemoteError {
        error(
            StatusCode::from_u16(status).unwrap(),
            body.as_bytes(),
            "u",
            "h",
        )
    }

    #[test]
    fn answers_become_situations() {
        let version = r#"{"errors":[{"code":"VERSION","message":"A newer version of metadata is already available.","detail":{}}]}"#;
        assert!(matches!(said(400, version), RemoteError::Conflict { .. }));
        let updating = r#"{"errors":[{"code":"UPDATING","message":"An error has occurred while updating the TUF repository."}]}"#;
        assert!(matches!(said(500, updating), RemoteError::Conflict { .. }));
        assert!(matches!(said(404, ""), RemoteError::NotFound { .. }));
        assert!(matches!(said(302, ""), RemoteError::BadResponse { .. }));
        for status in [429, 500, 503] {
            assert!(
                matches!(said(status, "<html>"), RemoteError::Unreachable { .. }),
                "{status}"
            );
        }
        assert_eq!(
            said(503, "").to_string(),
            "unable to reach trust server at this time: h returned 503"
        );
        let error = said(401, "").to_string();
        assert_eq!(
            error,
            "you are not authorized to perform this operation: server returned 401"
        );
    }

    #[test]
    fn refusals_keep_the_servers_words() {
        let bad = r#"{"errors":[{"code":"INVALID_UPDATE","message":"Update sent by the client is invalid.","detail":{"Name":"ErrBadTargets","Error":{"Msg":"no signature"}}}]}"#;
        assert_eq!(
            said(400, bad).to_string(),
            "The targets metadata is invalid: no signature"
        );
        let gun = r#"{"errors":[{"code":"INVALID_GUN","message":"The server does not support actions on images of this name.","detail":"Require GUNs with prefix: [a]"}]}"#;
        assert_eq!(said(400, gun).to_string(), "Require GUNs with prefix: [a]");
        let plain = r#"{"errors":[{"code":"MALFORMED_UPLOAD","message":"The body of your request is malformed."}]}"#;
        assert_eq!(
            said(400, plain).to_string(),
            "trust server rejected operation: The body of your request is malformed."
        );
        assert_eq!(
            said(405, "").to_string(),
            "trust server rejected operation: 405"
        );
        let rude = r#"{"errors":[{"code":"X","message":"a\u001b[31m\nb"}]}"#;
        assert!(!said(400, rude).to_string().contains(['\u{1b}', '\n']));
    }
}
