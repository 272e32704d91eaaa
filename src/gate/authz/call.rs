//! What the engine tells of a request it was sent.

use super::Unclear;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A request to the engine as the engine passes it on.
///
/// Of headers that came more than once the engine shows the last, while it reads the first; a body
/// is there only if the first `Content-Type` was `application/json` and the engine's limit of 1 or
/// 4 MiB was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Common name of the client's certificate, where there was one.
    pub user: Option<String>,
    /// Such as `POST`.
    pub method: String,
    /// Path and query, as they came.
    pub uri: String,
    /// Headers by their names in Go's canonical case.
    pub headers: BTreeMap<String, String>,
    /// The body, if the engine let it be seen.
    pub body: Option<Vec<u8>>,
}

impl Call {
    /// Reads the message of the engine.
    pub fn read(message: &[u8]) -> Result<Self, Unclear> {
        let told: Told = serde_json::from_slice(message).map_err(|error| Unclear::Message {
            wrong: error.to_string(),
        })?;
        let body = BASE64_STANDARD
            .decode(told.body)
            .map_err(|error| Unclear::Message {
                wrong: error.to_string(),
            })?;
        Ok(Self {
            user: Some(told.user).filter(|user| !user.is_empty()),
            method: told.method,
            uri: told.uri,
            headers: told.headers,
            body: Some(body).filter(|body| !body.is_empty()),
        })
    }

    /// What is asked of the engine, for people: method and path.
    pub(super) fn words(&self) -> String {
        let path = self.uri.split('?').next().unwrap_or_default();
        let path: String = path
            .chars()
            .filter(|c| !c.is_control())
            .take(WORDS)
            .collect();
        format!("{} {path}", self.method)
    }

    /// Refuses a request with a body that may be a form and cannot be seen.
    ///
    /// The engine reads a form in the body before the query, and believes the first of several
    /// `Content-Type` headers, of which only the last is told. A body that was passed on is no
    /// form, nor is one without any `Content-Type`; otherwise its length has to be said to be 0.
    pub(super) fn hides_no_form(&self) -> Result<(), Unclear> {
        let nothing_hidden = self.body.is_some()
            || self.header("Content-Type").is_none()
            || self.header("Content-Length") == Some("0");
        if nothing_hidden {
            return Ok(());
        }
        Err(Unclear::HiddenBody)
    }

    /// Refuses forms in the body where a body of another kind is expected.
    pub(super) fn is_no_form(&self) -> Result<(), Unclear> {
        let kind = self.header("Content-Type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        if kind == "application/x-www-form-urlencoded" || kind.starts_with("multipart/") {
            return Err(Unclear::Form);
        }
        Ok(())
    }

    /// The body of a request that means nothing without one.
    pub(super) fn json(&self) -> Result<serde_json::Value, Unclear> {
        let body = self.body.as_deref().ok_or(Unclear::NoBody)?;
        super::json::parse(body)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &(&String, _)| key.eq_ignore_ascii_case(name);
        let (_, value) = self.headers.iter().find(named)?;
        Some(value.trim())
    }
}

/// The engine's message; what is empty is left out of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Told {
    user: String,
    #[serde(rename = "RequestMethod")]
    method: String,
    #[serde(rename = "RequestUri")]
    uri: String,
    #[serde(rename = "RequestBody")]
    body: String,
    #[serde(rename = "RequestHeaders")]
    headers: BTreeMap<String, String>,
}

/// Characters of a path that people get to read.
const WORDS: usize = 200;
