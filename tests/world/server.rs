//! The HTTP side: names and the answers they get.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// What the server says when it is asked for a file.
#[derive(Clone)]
pub enum Answer {
    /// These bytes
    File(Vec<u8>),
    /// Bytes without end
    Endless,
    /// Nothing, for ever
    Never,
    /// This status and nothing else
    Status(u16),
}

/// A server on a loopback port chosen by the system; gone when dropped.
pub struct Server {
    pub url: reqwest::Url,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    asked: Arc<Mutex<VecDeque<String>>>,
    task: tokio::task::JoinHandle<()>,
}

type Shared = (
    Arc<Mutex<BTreeMap<String, Answer>>>,
    Arc<Mutex<VecDeque<String>>>,
);

impl Server {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let shared: Shared = Shared::default();
        let (answers, asked) = shared.clone();
        let app = Router::new().fallback(answer).with_state(shared);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            answers,
            asked,
            task,
        }
    }

    /// Serves `answer` under a file name such as `targets.json` or `2.root.json`.
    pub fn put(&self, name: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(name.to_owned(), answer);
    }

    /// The file served under a name.
    pub fn file(&self, name: &str) -> Vec<u8> {
        match self.answers.lock().unwrap().get(name) {
            Some(Answer::File(file)) => file.clone(),
            _ => panic!("no file {name}"),
        }
    }

    /// Does not serve a name any more.
    pub fn remove(&self, name: &str) {
        self.answers.lock().unwrap().remove(name);
    }

    /// Every name served.
    pub fn names(&self) -> Vec<String> {
        self.answers.lock().unwrap().keys().cloned().collect()
    }

    /// What was asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().drain(..).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State((answers, asked)): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if path == "/v2/" {
        return "{}".into_response();
    }
    let Some((_, name)) = path.split_once("/_trust/tuf/") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    asked.lock().unwrap().push_back(name.to_owned());
    let answer = answers.lock().unwrap().get(name).cloned();
    match answer {
        Some(Answer::File(file)) => file.into_response(),
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Answer::Endless) => {
            let chunk = Bytes::from(vec![b' '; 64 << 10]);
            let chunks =
                futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            Body::from_stream(chunks).into_response()
        }
        Some(Answer::Never) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
