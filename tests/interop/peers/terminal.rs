//! A command on a terminal, and the person who reads and types.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use pty_process::{Size, blocking};
use rustix::termios::{LocalModes, tcgetattr};

/// A running command whose streams are all one pseudo-terminal.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    read: usize,
}

impl Terminal {
    /// Starts the command on a terminal of its own.
    pub(crate) fn start(command: Command) -> Self {
        let (pty, pts) = blocking::open().expect("a pseudo-terminal");
        pty.resize(Size::new(50, 200)).expect("a size");
        let child = blocking::Command::from(command)
            .spawn(pts)
            .expect("the command");
        let keyboard = File::from(OwnedFd::from(pty));
        let mut display = keyboard.try_clone().expect("a second handle");
        let (send, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The kernel reports an error once the command has closed its side.
            while let Ok(count @ 1..) = display.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            shown: String::new(),
            read: 0,
        }
    }

    /// Reads on until `words` have come up; fails after half a minute.
    #[track_caller]
    pub(crate) fn shows(&mut self, words: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown[self.read..].find(words) {
                self.read += at + words.len();
                return self;
            }
            let more = self.more_until(deadline);
            assert!(
                more,
                "`{words}` did not come up on the terminal:\n{}",
                self.shown
            );
        }
    }

    /// Types a line.
    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        writeln!(self.keyboard, "{line}").expect("an open terminal");
        self
    }

    /// Types a line once the terminal has stopped showing what is typed.
    #[track_caller]
    pub(crate) fn types_secret(&mut self, line: &str) -> &mut Self {
        let deadline = Instant::now() + PATIENCE;
        while self.echoes() {
            assert!(
                Instant::now() < deadline,
                "the secret would be shown:\n{}",
                self.shown
            );
            thread::sleep(Duration::from_millis(2));
        }
        self.types(line)
    }

    /// Waits for the end with this exit code and gives back all that was shown.
    #[track_caller]
    pub(crate) fn ends(mut self, code: i32) -> String {
        assert_eq!(
            self.exit_code(),
            Some(code),
            "wrong exit code:\n{}",
            self.shown
        );
        self.transcript()
    }

    /// Waits for an end without success and gives back all that was shown.
    #[track_caller]
    pub(crate) fn ends_in_failure(mut self) -> String {
        let code = self.exit_code();
        assert!(
            matches!(code, Some(1..=3)),
            "exit code {code:?}:\n{}",
            self.shown
        );
        self.transcript()
    }

    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while self.more_until(deadline) {}
        assert!(Instant::now() < deadline, "still running:\n{}", self.shown);
        self.child.wait().expect("a child to wait for").code()
    }

    fn transcript(&self) -> String {
        self.shown.replace("\r\n", "\n")
    }

    fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO)
    }

    fn more_until(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(bytes) = self.screen.recv_timeout(left) else {
            return false;
        };
        self.shown.push_str(&String::from_utf8_lossy(&bytes));
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PATIENCE: Duration = Duration::from_secs(30);
