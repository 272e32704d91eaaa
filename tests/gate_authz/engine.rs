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
    /// Listens there with these answers, each to its path; of several to one path the first is
    /// given once, and the last from then on.
    pub fn start(socket: &Path, answers: &[(&str, Value)], delay: Duration) -> Self {
        let engine = Self::default();
        let asked = Arc::clone(&engine.asked);
        let answers: Vec<(String, Value)> = answers
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), answer.clone()))
            .collect();
        let answers = Arc::new(Mutex::new(answers));
        let answer = move |request: Request| {
            let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
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
                match next(&mut answers.lock().unwrap(), &path) {
                    Some(answer) => Json(answer).into_response(),
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

fn next(answers: &mut Vec<(String, Value)>, path: &str) -> Option<Value> {
    let mut places = (0..answers.len()).filter(|place| answers[*place].0 == path);
    let (first, later) = (places.next()?, places.next());
    match later {
        Some(_) => Some(answers.remove(first).1),
        None => Some(answers[first].1.clone()),
    }
}

/// What the engine says of an image.
pub fn image(id: &str, tags: &[&str], digests: &[String]) -> Value {
    json!({"Id": format!("sha256:{id}"), "RepoTags": tags, "RepoDigests": digests})
}
