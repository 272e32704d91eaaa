//! One command from start to end, and what it left: exit code, stdout, stderr.

use std::{
    ffi::OsStr,
    fmt,
    io::{Read, Write},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a finished command left behind.
#[derive(Clone)]
pub(crate) struct Ran {
    line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command with closed stdin; one that takes over a minute is a failure.
#[must_use = "a command that nobody checks proves nothing"]
pub(crate) fn run(command: Command) -> Ran {
    run_with_input(command, "")
}

/// Runs the command and feeds it `input`.
#[must_use = "a command that nobody checks proves nothing"]
pub(crate) fn run_with_input(mut command: Command, input: &str) -> Ran {
    let line = words_of(&command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        // A command that never reads its input is not at fault.
        let _ = stdin.write_all(input.as_bytes());
    }
    let code = wait(&mut child, &line);
    Ran {
        line,
        code,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

impl Ran {
    /// Passes on a success; anything else is a failure that shows both streams.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exit(0)
    }

    /// Passes on a command that ended with `code`.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, code, "wrong exit code of\n{self}");
        self
    }

    /// Passes on a command that said `words` on either stream.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(said, "`{words}` is missing from\n{self}");
        self
    }

    /// Passes on a command that kept silent about `words`.
    #[track_caller]
    pub(crate) fn does_not_say(self, words: &str) -> Self {
        let said = self.stdout.contains(words) || self.stderr.contains(words);
        assert!(!said, "`{words}` should not be in\n{self}");
        self
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            code,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{line}\n--- exit {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---"
        )
    }
}

/// The command without its long environment.
fn words_of(command: &Command) -> String {
    let words: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream
            .expect("a piped stream")
            .read_to_end(&mut bytes)
            .expect("readable output");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, line: &str) -> i32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            return status.code().unwrap_or(-1);
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("still running after {PATIENCE:?}: {line}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

const PATIENCE: Duration = Duration::from_mins(1);
