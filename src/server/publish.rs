//! `POST …/_trust/tuf/`: a new state of a repository. `DELETE`: none at all.

use super::reply::{self, Fault, Reply, UPDATE, UPDATING, VERSION, empty};
use super::{Server, upload};
use crate::hosting::HostingError;
use crate::listen::{BodyError, read_body};
use crate::tuf::accept::Refusal;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde_json::json;
use trust_store::server::StoreError;

impl Server {
    pub(super) async fn publish(
        &self,
        gun: String,
        request: Request<Incoming>,
    ) -> Result<Reply, Fault> {
        let (head, body) = request.into_parts();
        let boundary = upload::boundary(&head.headers)?;
        let limits = self.limits;
        let body = read_body(body, limits.body, limits.body_timeout).await;
        let body = body.map_err(|error| cut_off(&error, limits.body))?;
        let files = upload::files(&boundary, body, limits.parts).await?;
        // Once begun it is finished, also when the client hangs up.
        let (hosting, now) = (self.hosting.clone(), self.now());
        let work = tokio::spawn(async move { hosting.publish(&gun, files, now).await });
        match work.await {
            Ok(Ok(_)) => Ok(empty(StatusCode::OK)),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(UPDATING),
        }
    }

    pub(super) async fn delete(&self, gun: String) -> Result<Reply, Fault> {
        let (hosting, now) = (self.hosting.clone(), self.now());
        let work = tokio::spawn(async move { hosting.delete(&gun, now).await });
        match work.await {
            Ok(Ok(_)) => Ok(empty(StatusCode::OK)),
            Ok(Err(error)) => Err(super::reading(&error)),
            Err(_) => Err(reply::UNKNOWN),
        }
    }
}

fn cut_off(error: &BodyError, most: usize) -> Fault {
    let fault = reply::MALFORMED_UPLOAD.about(error.to_string());
    match error {
        BodyError::TooLarge { .. } => {
            let words = format!("the body is larger than {most} bytes");
            let fault = reply::MALFORMED_UPLOAD.about(words);
            fault.with_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        BodyError::TooSlow { .. } => fault.with_status(StatusCode::REQUEST_TIMEOUT),
        _ => fault,
    }
}

/// A failed publish in Notary's words (`validation.go`, `handlers/default.go`).
fn refused(error: &HostingError) -> Fault {
    let refusal = match error {
        HostingError::Refused(refusal) => refusal,
        HostingError::Store(StoreError::Unavailable { .. }) => return reply::UNAVAILABLE,
        HostingError::Store(StoreError::Full { .. }) => return reply::FULL.about(reply::NO_ROOM),
        HostingError::Store(StoreError::BadName { why, .. }) => return reply::GUN.about(*why),
        HostingError::Store(StoreError::TooLarge { .. }) => {
            return UPDATE.about(error.to_string());
        }
        _ => return UPDATING,
    };
    let invalid =
        |name: &str| UPDATE.about(json!({"Error": {"Msg": refusal.to_string()}, "Name": name}));
    match refusal {
        Refusal::Hierarchy { missing, message } => UPDATE.about(json!({
            "Error": {"Missing": missing, "Msg": message},
            "Name": "ErrBadHierarchy",
        })),
        Refusal::Json(_) => reply::MALFORMED_JSON,
        Refusal::Root(_) => invalid("ErrBadRoot"),
        Refusal::Snapshot(_) => invalid("ErrBadSnapshot"),
        Refusal::Targets(_) => invalid("ErrBadTargets"),
        Refusal::Validation(_) => invalid("ErrValidation"),
        Refusal::Version(_) => VERSION.about(json!({})),
    }
}
