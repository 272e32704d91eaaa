//! A database on a machine that is gone: no connection is closed, nobody answers any more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Between servers and a database; can lose all that passes through it.
pub(super) struct Wire {
    folder: tempfile::TempDir,
    database: PathBuf,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Carries,
    /// What was begun is lost for ever, and so is what is begun now
    Lost,
}

impl Wire {
    /// To the database whose socket is in this folder.
    pub(super) fn to(database: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = |folder: &Path| folder.join(".s.PGSQL.5432");
        let listener = UnixListener::bind(socket(folder.path())).expect("a socket");
        let (state, states) = watch::channel(State::Carries);
        let there = Arc::new(socket(database));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, Arc::clone(&there), states.clone()));
            }
        });
        Self {
            folder,
            database: database.to_owned(),
            state,
        }
    }

    /// The same address through this wire.
    pub(super) fn instead_of(&self, url: &str) -> String {
        let (from, to) = (self.database.display(), self.folder.path().display());
        url.replace(&from.to_string(), &to.to_string())
    }

    pub(super) fn lose(&self) {
        self.state.send_replace(State::Lost);
    }

    /// Another machine took over: what is begun from now on arrives.
    pub(super) fn restore(&self) {
        self.state.send_replace(State::Carries);
    }
}

async fn carry(mut near: UnixStream, there: Arc<PathBuf>, mut state: watch::Receiver<State>) {
    if *state.borrow_and_update() == State::Carries {
        let Ok(mut far) = UnixStream::connect(&*there).await else {
            return;
        };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = state.changed() => {}
        }
    }
    // Nobody hears that the other end is gone.
    std::future::pending::<()>().await;
    drop(near);
}
