//! Pages for people.
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use jiff::Timestamp;
use trust_store::server::Store;
pub async fn answer(
    _: &str,
    _: Option<&str>,
    _: &Store,
    _: &(dyn Fn(&str) -> bool + Sync),
    _: Timestamp,
) -> Response<Full<Bytes>> {
    Response::default()
}
