//! What a request says of who is asking, and of where this server is.

use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Request};

/// The parts of a request that access control looks at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    pub(super) authorization: Option<&'r HeaderValue>,
    host: Option<&'r str>,
    forwarded: Option<&'r str>,
}

impl<'r> Asked<'r> {
    /// Those of this request.
    pub fn of<B>(request: &'r Request<B>) -> Self {
        let headers = request.headers();
        let authority = request.uri().authority().map(Authority::as_str);
        Self {
            authorization: headers.get(AUTHORIZATION),
            host: authority.or_else(|| text(headers, HOST.as_str())),
            forwarded: text(headers, "x-forwarded-proto"),
        }
    }

    /// Where the client reached this server, as far as it can be told.
    ///
    /// It goes into the answer to the same client: who lies about it misleads nobody else.
    pub(super) fn address(&self, tls: bool) -> Option<String> {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let host = self
            .host
            .filter(|host| (1..=LONGEST_HOST).contains(&host.len()) && host.bytes().all(is_host))?;
        // A proxy in front of us may speak TLS for us.
        let scheme = match self.forwarded {
            Some("https") => "https",
            Some("http") => "http",
            _ if tls => "https",
            _ => "http",
        };
        Some(format!("{scheme}://{host}"))
    }
}

fn text<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Bytes of a name with a port.
const LONGEST_HOST: usize = 260;

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &str, headers: &[(&str, &str)], tls: bool) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Asked::of(&request.body(()).unwrap()).address(tls)
    }

    #[test]
    fn the_server_is_where_the_client_reached_it() {
        let proxied = [("host", "trust.example"), ("x-forwarded-proto", "https")];
        for (uri, headers, tls, expected) in [
            (
                "/v2/",
                &[("host", "a:4443")][..],
                true,
                Some("https://a:4443"),
            ),
            (
                "/v2/",
                &[("host", "[::1]:4443")],
                false,
                Some("http://[::1]:4443"),
            ),
            ("https://b/v2/", &[("host", "a")], true, Some("https://b")),
            ("/v2/", &proxied, false, Some("https://trust.example")),
            ("/v2/", &[("host", "a/b?c=\"")], true, None),
            ("/v2/", &[("host", "")], true, None),
            ("/v2/", &[], true, None),
        ] {
            assert_eq!(address(uri, headers, tls).as_deref(), expected, "{uri}");
        }
    }
}
