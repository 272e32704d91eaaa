//! An engine that says what a test wants of its images and containers.

use axum::{Json, Router, extract::Request, http::StatusCode, response::IntoResponse as _};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::UnixListener, time::sleep};

/// What it was asked, in order.
#[derive(Clone, Default)]
pub struct Engine {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Engine {
    /// Listens there with these answers, each after the end of its path.
    pub fn start(socket: &Path, answers: &[(&str, Value)], delay: Duration) -> Self {
        let engine = Self::default();
        let asked = Arc::clone(&engine.asked);
        let answers: Vec<(String, Value)> = answers
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), answer.clone()))
            .collect();
        let answer = move |request: Request| {
            let (asked, answers) = (Arc::clone(&asked), answers.clone());
            async move {
                let path = request.uri().path().to_owned();
                asked
                    .lock()
                    .unwrap()
                    .push(format!("{} {path}", request.method()));
                if path.ends_with("/_ping") {
                    return "OK".into_response();
                }
                sleep(delay).await;
                match answers.iter().find(|(end, _)| path == *end) {
                    Some((_, answer)) => Json(answer.clone()).into_response(),
                    None => (
                        StatusCode::NOT_FOUND,
                        Json(json!({"message": "No such image"})),
                    )
                        .into_response(),
                }
            }
        };
        let listener = UnixListener::bind(socket).unwrap();
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        engine
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What the engine says of an image.
pub fn image(id: &str, tags: &[&str], digests: &[String]) -> Value {
    json!({"Id": format!("sha256:{id}"), "RepoTags": tags, "RepoDigests": digests})
}
