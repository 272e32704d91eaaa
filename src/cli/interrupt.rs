//! Ctrl-C while a passphrase is read, when the terminal shows nothing that is typed.
//!
//! The process must not end there and then, or the terminal would stay that way.

use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// Whether somebody pressed Ctrl-C since it does not end the process any more.
#[derive(Default)]
pub(crate) struct Interrupt {
    held: OnceLock<()>,
    pressed: Arc<Notify>,
}

impl Interrupt {
    /// From now on Ctrl-C does not end the process, but [`Self::pressed`].
    pub(crate) fn hold(&self) {
        self.held.get_or_init(|| {
            #[cfg(unix)]
            if let Ok(mut signal) =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
            {
                let pressed = Arc::clone(&self.pressed);
                tokio::spawn(async move {
                    signal.recv().await;
                    pressed.notify_one();
                });
            }
        });
    }

    /// Ends when Ctrl-C was pressed after [`Self::hold`].
    pub(crate) async fn pressed(&self) {
        self.pressed.notified().await;
    }
}
