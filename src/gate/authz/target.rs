//! Path and query of a request, read the one way that the engine and its router both do.
//!
//! The router decodes the path before it matches, redirects what is not clean, and takes an
//! address with a host; so only paths that come out the same whoever reads them are taken.

use super::Unclear;

/// A path without its version, and the parameters of the query.
#[derive(Debug)]
pub(super) struct Target {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Target {
    pub(super) fn parse(uri: &str) -> Result<Self, Unclear> {
        if uri.len() > MAX_URI {
            return Err(Unclear::Path);
        }
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let path = path.strip_prefix('/').ok_or(Unclear::Path)?;
        let mut segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        if !segments.iter().all(|segment| is_plain(segment)) {
            return Err(Unclear::Path);
        }
        if segments.first().is_some_and(|first| is_version(first)) {
            segments.remove(0);
        }
        let query = parameters(query)?;
        Ok(Self { segments, query })
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The value of a parameter; none if it is absent or empty, which is the same to the engine.
    pub(super) fn one<'a>(&'a self, key: &'a str) -> Result<Option<&'a str>, Unclear> {
        let mut values = self.all(key);
        let first = values.next();
        if values.next().is_some() {
            let key = key.to_owned();
            return Err(Unclear::Twice { key });
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Every value of a parameter.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(name, value): &'a (String, String)| (name == key).then_some(&**value);
        self.query.iter().filter_map(named)
    }
}

/// Whether a part of a path is the same before and after it is decoded and cleaned.
fn is_plain(segment: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain)
}

/// What the engine's router takes for a version (`v{version:[0-9.]+}`).
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Reads a query as Go does (`net/url`, `ParseQuery`), of whose errors the engine makes errors too.
fn parameters(query: &str) -> Result<Vec<(String, String)>, Unclear> {
    // Go took `;` for `&` before 1.17, and drops what holds one since.
    if query.contains([';', '#']) {
        return Err(Unclear::Query);
    }
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decoded(key)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, Unclear> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let pair = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                let mut byte = [0];
                hex::decode_to_slice(pair, &mut byte).map_err(|_| Unclear::Query)?;
                byte[0]
            }
            0..=b' ' | 0x7f.. => return Err(Unclear::Query),
            byte => byte,
        });
    }
    String::from_utf8(bytes).map_err(|_| Unclear::Query)
}

/// Bytes; the changes of a commit stand in the query.
const MAX_URI: usize = 64 * 1024;
