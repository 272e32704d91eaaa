//! The form in which clients publish: one part a file, its name the role (`httpstore.go`).

use super::reply::{Fault, MALFORMED_UPLOAD, NO_FILENAME, ROLE};
use crate::tuf::accept::Upload;
use crate::tuf::role::RoleName;
use bytes::Bytes;
use futures_util::stream;
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use multer::Multipart;
use std::convert::Infallible;

/// What separates the parts.
pub(super) fn boundary(headers: &HeaderMap) -> Result<String, Fault> {
    let stated = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    multer::parse_boundary(stated.unwrap_or_default()).map_err(|_| MALFORMED_UPLOAD)
}

/// The files by role; of two with one role the last counts, as for Notary.
pub(super) async fn files(boundary: &str, body: Bytes, most: usize) -> Result<Upload, Fault> {
    let broken = |error: multer::Error| MALFORMED_UPLOAD.about(error.to_string());
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let mut form = Multipart::new(body, boundary);
    let mut files = Upload::new();
    let mut parts = 0;
    while let Some(part) = form.next_field().await.map_err(broken)? {
        parts += 1;
        if parts > most {
            return Err(MALFORMED_UPLOAD.about(format!("more than {most} files at once")));
        }
        let name = part.file_name().unwrap_or_default();
        let name = name.strip_suffix(".json").unwrap_or(name).to_owned();
        if name.is_empty() {
            return Err(NO_FILENAME);
        }
        let role = RoleName::parse(&name).ok_or_else(|| ROLE.about(name))?;
        files.insert(role, part.bytes().await.map_err(broken)?);
    }
    Ok(files)
}
