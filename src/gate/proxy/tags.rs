//! The tags of a repository: the signed ones, unless policy asks for no signature.

use super::reply::{self, Refusal, Reply};
use super::route::{Page, parameter};
use super::{Asking, Proxy};
use crate::gate::Tags;
use crate::reference::ImageReference;
use crate::registry::{Listing, Registry};
use hyper::Uri;
use hyper::header::{HeaderValue, LINK};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// What registries answer, as far as it is passed on.
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Proxy {
    pub(super) async fn tags(
        &self,
        repository: &ImageReference,
        page: &Page,
        asking: &Asking<'_>,
    ) -> Result<Reply, Refusal> {
        let (tags, next) = match self.gate.signed_tags(repository).await? {
            Tags::All => self.all_tags(repository, page).await?,
            Tags::Only(tags) => page.of_tags(tags),
        };
        let body = json!({"name": asked_name(asking.uri), "tags": tags});
        let bytes = format!("{body}\n").into();
        let mut reply = reply::list(bytes, "application/json", asking.head);
        if let Some(link) = next.and_then(|next| link(asking.uri, &next)) {
            reply.headers_mut().insert(LINK, link);
        }
        Ok(reply)
    }

    /// A page of what the registry lists, and the query of the next.
    async fn all_tags(
        &self,
        repository: &ImageReference,
        page: &Page,
    ) -> Result<(Vec<String>, Option<String>), Refusal> {
        let query = page.query();
        let query = query.as_deref();
        let question = |registry: Arc<Registry>| async move {
            registry.list(repository, Listing::Tags, query).await
        };
        let listed = self.upstreams.ask(repository, question).await;
        let listed = listed.map_err(|error| Refusal::upstream(&error, "NAME_UNKNOWN"))?;
        let next = listed.link.as_ref().and_then(Page::of_link);
        let Ok(Listed { tags }) = serde_json::from_slice(&listed.bytes) else {
            let line = format!("{} gave no list of tags", repository.registry());
            return Err(Refusal::denied(line, "upstream"));
        };
        let tags = tags.unwrap_or_default().into_iter();
        let tags = tags.filter(|tag| repository.with_tag(tag).is_ok());
        Ok((tags.collect(), next.and_then(|next| next.query())))
    }
}

impl Page {
    /// The tags of this page in order, and the query of the next if there is one.
    fn of_tags(&self, mut tags: Vec<String>) -> (Vec<String>, Option<String>) {
        tags.sort_unstable();
        tags.dedup();
        if let Some(after) = &self.after {
            tags.retain(|tag| tag > after);
        }
        let most = self.most.unwrap_or(usize::MAX);
        if tags.len() <= most {
            return (tags, None);
        }
        tags.truncate(most);
        let next = Self {
            most: self.most,
            after: tags.last().cloned(),
        };
        // A page of no tags has none after it.
        let query = next.after.is_some().then(|| next.query()).flatten();
        (tags, query)
    }

    fn query(&self) -> Option<String> {
        let most = self.most.map(|most| format!("n={most}"));
        let after = self.after.as_ref().map(|after| {
            let encoded = utf8_percent_encode(after, NON_ALPHANUMERIC);
            format!("last={encoded}")
        });
        let both: Vec<String> = most.into_iter().chain(after).collect();
        (!both.is_empty()).then(|| both.join("&"))
    }

    /// The next page as a registry names it: `</v2/…/tags/list?last=x&n=2>; rel="next"`.
    fn of_link(link: &HeaderValue) -> Option<Self> {
        let (address, _) = link.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
        let (_, query) = address.split_once('?')?;
        let most = parameter(query, "n").ok()?;
        Some(Self {
            most: most.and_then(|most| most.parse().ok()),
            after: parameter(query, "last").ok()?,
        })
    }
}

/// The repository as the client calls it.
fn asked_name(uri: &Uri) -> &str {
    let name = uri.path().strip_prefix("/v2/");
    name.and_then(|name| name.strip_suffix("/tags/list"))
        .unwrap_or_default()
}

/// The address of the next page, for whoever asked at this one.
fn link(uri: &Uri, query: &str) -> Option<HeaderValue> {
    let named = parameter(uri.query().unwrap_or_default(), "ns").ok()?;
    let named = named.map(|named| {
        let encoded = utf8_percent_encode(&named, NON_ALPHANUMERIC);
        format!("&ns={encoded}")
    });
    let address = format!("{}?{query}{}", uri.path(), named.unwrap_or_default());
    HeaderValue::from_str(&format!("<{address}>; rel=\"next\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(most: Option<usize>, after: Option<&str>) -> Page {
        Page {
            most,
            after: after.map(str::to_owned),
        }
    }

    #[test]
    fn tags_come_in_pages() {
        for (page, expected, next) in [
            (page(None, None), "a b c", None),
            (page(Some(3), None), "a b c", None),
            (page(Some(2), None), "a b", Some("n=2&last=b")),
            (page(Some(2), Some("b")), "c", None),
            (page(None, Some("a0")), "b c", None),
            (page(Some(0), None), "", None),
            (page(Some(1), Some("c")), "", None),
        ] {
            let tags = ["c", "a", "b", "a"].map(str::to_owned).to_vec();
            let (tags, query) = page.of_tags(tags);
            assert_eq!(tags.join(" "), expected, "{page:?}");
            assert_eq!(query.as_deref(), next, "{page:?}");
        }
    }

    #[test]
    fn links_are_ours() {
        let header =
            HeaderValue::from_static(r#"</v2/team/app/tags/list?last=1%2E0&n=2>; rel="next""#);
        let next = Page::of_link(&header).unwrap();
        assert_eq!(next, page(Some(2), Some("1.0")));
        let uri = "/v2/team/app/tags/list?n=2&ns=quay.test%3A5000"
            .parse()
            .unwrap();
        let link = link(&uri, &next.query().unwrap()).unwrap();
        assert_eq!(
            link.to_str().unwrap(),
            r#"</v2/team/app/tags/list?n=2&last=1%2E0&ns=quay%2Etest%3A5000>; rel="next""#
        );
        assert_eq!(asked_name(&uri), "team/app");
        for wrong in ["", "/v2/x", "<x", "<x>"] {
            assert!(Page::of_link(&HeaderValue::from_str(wrong).unwrap()).is_none());
        }
    }
}
