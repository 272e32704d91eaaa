//! Parts of images, streamed: what a registry serves for a digest, or where it says they are.
//!
//! Nothing is hashed here: whoever asks for a digest checks what arrives, and gets it piece by piece.

use super::{Registry, RegistryError};
use crate::{
    reference::{Digest, ImageReference},
    remote::RemoteError,
    tls::{StreamingClient, is_loopback},
};
use reqwest::{
    Body, Method, Response, StatusCode, Url,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_RANGE, HeaderMap, HeaderValue, LOCATION, RANGE},
};

/// How much of a blob is wanted.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Only its size
    pub head: bool,
    /// Only this range, as HTTP writes it
    pub range: Option<HeaderValue>,
}

/// Where a blob was found.
#[derive(Debug)]
pub enum Found {
    /// At another address, without credentials
    Elsewhere(Url),
    /// Here
    Here(Blob),
}

/// A blob, or a part of it, on its way.
#[derive(Debug)]
pub struct Blob {
    /// 200, 206, or 416 for a range that is not there
    pub status: StatusCode,
    /// Bytes of the body, or of what it would be
    pub length: Option<u64>,
    /// Which part it is, as HTTP writes it
    pub range: Option<HeaderValue>,
    /// The bytes as they come
    pub body: Body,
}

impl Registry {
    /// What the registry has under this digest in the repository of the image.
    pub async fn blob(
        &self,
        over: &StreamingClient,
        image: &ImageReference,
        digest: &Digest,
        part: &Part,
    ) -> Result<Found, RegistryError> {
        let fault = |error| RegistryError::from_remote(error, &self.host, image, digest.as_str());
        let session = self.session(image).await.map_err(fault)?;
        let url = session
            .address(&format!("{}/blobs/{digest}", image.path()))
            .map_err(fault)?;
        let response = session
            .stream(over, &part.method(), &url, &part.headers())
            .await
            .map_err(fault)?;
        match found(response) {
            Ok(found) => Ok(found),
            Err(response) => Err(fault(session.fault(*response).await)),
        }
    }
}

/// What is at the address a registry named; no credentials go there.
///
/// # Errors
/// [`RegistryError::BadResponse`] for an address in the clear on another machine.
pub async fn follow(
    over: &StreamingClient,
    url: &Url,
    part: &Part,
) -> Result<Found, RegistryError> {
    let host = url.host_str().unwrap_or_default();
    let bad = |reason: String| RegistryError::BadResponse {
        host: host.to_owned(),
        reason,
    };
    if url.scheme() != "https" && !is_loopback(url) {
        return Err(bad("redirected to plain http".to_owned()));
    }
    let request = over
        .usual()
        .request(part.method(), url.clone())
        .headers(part.headers());
    let response =
        over.send(request)
            .await
            .map_err(|error| match RemoteError::from_stream(&error, host) {
                RemoteError::Tls { host, fault } => RegistryError::Tls { host, fault },
                other => RegistryError::Unreachable {
                    host: host.to_owned(),
                    reason: other.to_string(),
                },
            })?;
    found(response).map_err(|response| bad(format!("{} where a blob should be", response.status())))
}

/// Sorts an answer by what it brings; one that brings nothing is given back.
fn found(response: Response) -> Result<Found, Box<Response>> {
    let status = response.status();
    if status.is_redirection()
        && let Some(url) = location(&response)
    {
        return Ok(Found::Elsewhere(url));
    }
    let blob = [
        StatusCode::OK,
        StatusCode::PARTIAL_CONTENT,
        StatusCode::RANGE_NOT_SATISFIABLE,
    ];
    if !blob.contains(&status) {
        return Err(Box::new(response));
    }
    let header = |name| response.headers().get(name).cloned();
    let length = header(reqwest::header::CONTENT_LENGTH);
    Ok(Found::Here(Blob {
        status,
        length: length.and_then(|length| length.to_str().ok()?.parse().ok()),
        range: header(CONTENT_RANGE),
        body: Body::from(response),
    }))
}

fn location(response: &Response) -> Option<Url> {
    let named = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(named).ok()
}

impl Part {
    fn method(&self) -> Method {
        if self.head { Method::HEAD } else { Method::GET }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // A digest is of the bytes themselves.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(range) = &self.range {
            headers.insert(RANGE, range.clone());
        }
        headers
    }
}
