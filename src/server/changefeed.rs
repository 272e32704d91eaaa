//! `…/_trust/changefeed`: what happened to one repository, or to all.

use super::access::Who;
use super::reply::{Fault, PARAMETERS, Reply, text};
use super::{Server, reading};
use crate::hosting::HostingError;
use serde::Serialize;
use serde_json::json;
use trust_store::server::Change;

impl Server {
    /// Changes of one repository, which `who` may read, or of all that `who` may follow.
    pub(super) async fn changes(
        &self,
        gun: Option<&str>,
        query: Option<&str>,
        who: &Who,
    ) -> Result<Reply, Fault> {
        let (after, records) = asked(query.unwrap_or_default())?;
        let changes = match gun {
            Some(_) => self.hosting.changes(gun, after, records).await,
            None => self.followed(after, records, who).await,
        };
        let changes = changes.map_err(|error| reading(&error))?;
        let feed = Feed {
            count: changes.len(),
            records: changes.iter().map(Record::from).collect(),
        };
        Ok(text(serde_json::to_string(&feed).unwrap_or_default()))
    }

    /// As many changes as asked for, leaving out those that are not for these eyes.
    async fn followed(
        &self,
        mut after: i64,
        records: i64,
        who: &Who,
    ) -> Result<Vec<Change>, HostingError> {
        let backwards = after < 0 || records < 0;
        let wanted = match usize::try_from(records.unsigned_abs()).unwrap_or(usize::MAX) {
            0 => USUAL,
            some => some,
        };
        // After the first page `after` no longer says in which direction.
        let step = if backwards {
            -i64::try_from(wanted).unwrap_or(i64::MAX)
        } else {
            records
        };
        let mut found: Vec<Change> = Vec::new();
        for _ in 0..ROUNDS {
            let mut page = self.hosting.changes(None, after, step).await?;
            let end = if backwards { page.first() } else { page.last() };
            let Some(end) = end else { break };
            after = end.id;
            page.retain(|change| who.may_follow(&change.gun));
            if backwards {
                page.append(&mut found);
                found = page;
            } else {
                found.append(&mut page);
            }
            // Number 1 is the first there is.
            if found.len() >= wanted || (backwards && after <= 1) {
                break;
            }
        }
        if backwards {
            found.drain(..found.len().saturating_sub(wanted));
        } else {
            found.truncate(wanted);
        }
        Ok(found)
    }
}

/// After which change, and how many records, as Notary's server reads them (`changefeed.go`).
fn asked(query: &str) -> Result<(i64, i64), Fault> {
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
    Ok((after, records))
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

/// Records given to those who do not say how many.
const USUAL: usize = 100;
/// Pages looked through for somebody who may follow few repositories of many.
const ROUNDS: usize = 64;
