//! Single values of a policy file, each parsed once and then trusted.

use super::document::Text;
use super::problem::Problem;
use crate::quantity::Period;
use crate::reference::Digest;
use crate::tuf::key::KeyId;
use crate::tuf::role::{RELEASES, RoleName};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::time::Duration;
use toml::Spanned;
use url::Url;

/// The items of a list that has some.
pub(super) fn some<'l, T>(list: &'l Spanned<Vec<T>>, what: &str) -> Result<&'l [T], Problem> {
    if list.as_ref().is_empty() {
        return Err(Problem::with(list, format!("{what} is empty")));
    }
    Ok(list.as_ref())
}

/// The name of a signer: what follows `targets/` in the name of a role.
pub(super) fn signer(name: &Text) -> Result<String, Problem> {
    let role = format!("targets/{}", name.as_ref());
    if RoleName::parse(&role).is_none() {
        return Err(Problem::with(
            name,
            format!("`{}` is no name of a signer", name.as_ref()),
        ));
    }
    if role == RELEASES {
        return Err(Problem::with(
            name,
            "`releases` is no signer: name the role in `roles`",
        ));
    }
    Ok(name.as_ref().clone())
}

/// A role that signs tags.
pub(super) fn role(name: &Text) -> Result<String, Problem> {
    let role = RoleName::parse(name.as_ref());
    let signs = |role: &RoleName| *role == RoleName::targets() || role.is_delegation();
    match role.filter(signs) {
        Some(role) => Ok(role.to_string()),
        None => Err(Problem::with(
            name,
            format!(
                "`{}` is no role that signs tags, such as targets/releases",
                name.as_ref()
            ),
        )),
    }
}

/// What an image is for, as a role below `targets` may say.
pub(super) fn context(name: &Text) -> Result<String, Problem> {
    let role = RoleName::of_signer(name.as_ref()).filter(|role| role.as_str() != RELEASES);
    match role {
        Some(role) => Ok(role.signer().to_owned()),
        None => Err(Problem::with(
            name,
            format!("`{}` can be no context", name.as_ref()),
        )),
    }
}

/// 64 hex digits.
pub(super) fn key_id(id: &Text) -> Result<String, Problem> {
    match KeyId::parse(id.as_ref()) {
        Some(id) => Ok(id.to_string()),
        None => Err(Problem::with(
            id,
            format!("`{}` is no key id: 64 lower-case hex digits", id.as_ref()),
        )),
    }
}

/// The hex digits of a SHA-256.
pub(super) fn digest(text: &Text) -> Result<String, Problem> {
    let digest = Digest::parse(text.as_ref()).ok();
    let hex = digest.as_ref().and_then(Digest::sha256_hex);
    hex.map(str::to_owned).ok_or_else(|| {
        let words = format!(
            "`{}` is no digest: sha256: and 64 hex digits",
            text.as_ref()
        );
        Problem::with(text, words)
    })
}

/// A moment, or the end of a day in UTC.
pub(super) fn end(value: &Spanned<toml::Value>) -> Result<Timestamp, Problem> {
    let text = match value.as_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(moment) => moment.to_string(),
        other => other.type_str().to_owned(),
    };
    end_of_day(&text)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| {
            let words = format!("`{text}` is no end such as 2027-01-31 or 2027-01-31T18:00:00Z");
            Problem::with(value, words)
        })
}

fn end_of_day(text: &str) -> Option<Timestamp> {
    if text.len() != DATE {
        return None;
    }
    let day: Date = text.parse().ok()?;
    let next = day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(next.timestamp())
}

/// A time between two others.
pub(super) fn period(text: &Text, least: Period, most: Period) -> Result<Duration, Problem> {
    let Some(period) = Period::parse(text.as_ref()) else {
        let words = format!(
            "{:?} is no time such as 500ms, 10s, 5m, 24h or 14d",
            text.as_ref()
        );
        return Err(Problem::with(text, words));
    };
    if period < least || period > most {
        return Err(Problem::with(
            text,
            format!("{period} is not between {least} and {most}"),
        ));
    }
    Ok(period.into())
}

/// The address of a trust server.
pub(super) fn server(text: &Text) -> Result<String, Problem> {
    let url = Url::parse(text.as_ref()).ok();
    match url.filter(|url| url.scheme() == "https" && url.has_host()) {
        Some(_) => Ok(text.as_ref().clone()),
        None => Err(Problem::with(
            text,
            format!(
                "valid https URL required for trust server, got {}",
                text.as_ref()
            ),
        )),
    }
}

/// Characters in `2027-01-31`.
const DATE: usize = 10;
