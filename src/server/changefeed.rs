//! `…/_trust/changefeed`: what happened to one repository, or to all.

use super::reply::{Fault, PARAMETERS, Reply, text};
use super::{Server, reading};
use serde::Serialize;
use serde_json::json;
use trust_store::server::Change;

impl Server {
    pub(super) async fn changes(
        &self,
        gun: Option<&str>,
        query: Option<&str>,
    ) -> Result<Reply, Fault> {
        let query = query.unwrap_or_default();
        let records = parameter(query, "records").unwrap_or_default();
        let records = integer(&records).and_then(in_32_bits).map_err(|why| {
            let words = "invalid records parameter: strconv.ParseInt: parsing ";
            PARAMETERS.about(format!("{words}{records:?}: {why}"))
        })?;
        // Notary gives an error without words here.
        let after = match parameter(query, "change_id").as_deref() {
            None | Some("") => 0,
            Some(id) => integer(id).map_err(|_| PARAMETERS.about(json!({})))?,
        };
        let changes = self.hosting.changes(gun, after, records).await;
        let changes = changes.map_err(|error| reading(&error))?;
        let feed = Feed {
            count: changes.len(),
            records: changes.iter().map(Record::from).collect(),
        };
        Ok(text(serde_json::to_string(&feed).unwrap_or_default()))
    }
}

#[derive(Serialize)]
struct Feed<'c> {
    count: usize,
    records: Vec<Record<'c>>,
}

/// Members in the order of Go's server.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'c> {
    #[serde(rename = "ID")]
    id: String,
    created_at: String,
    #[serde(rename = "GUN")]
    gun: &'c str,
    version: u64,
    #[serde(rename = "SHA256")]
    sha256: &'c str,
    category: &'static str,
}

impl<'c> From<&'c Change> for Record<'c> {
    fn from(change: &'c Change) -> Self {
        Self {
            id: change.id.to_string(),
            created_at: change.created.to_string(),
            gun: &change.gun,
            version: change.version,
            sha256: &change.sha256,
            category: change.category.as_str(),
        }
    }
}

fn parameter(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// A whole number as Go reads it, or what Go says of it.
fn integer(text: &str) -> Result<i64, &'static str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("invalid syntax");
    }
    text.parse().map_err(|_| OUT_OF_RANGE)
}

/// Notary reads the number of records so.
fn in_32_bits(number: i64) -> Result<i64, &'static str> {
    i32::try_from(number)
        .map(i64::from)
        .map_err(|_| OUT_OF_RANGE)
}

const OUT_OF_RANGE: &str = "value out of range";
