//! Units that keep a gate running, and start it before its engine.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A gate as a service.
pub(super) struct Unit<'a> {
    /// What it does, in a line
    pub(super) description: &'a str,
    /// The hook that writes it
    pub(super) engine: &'a str,
    /// The command and its arguments
    pub(super) command: Vec<String>,
    /// The socket without which the engine does not start
    pub(super) socket: Option<&'a Path>,
    /// The unit of the engine
    pub(super) before: &'a str,
}

impl Unit<'_> {
    /// The unit file.
    pub(super) fn text(&self) -> String {
        let command: Vec<String> = self.command.iter().map(|word| quoted(word)).collect();
        let mut text = format!(
            "# Written by `trust hook install {engine}`; `trust hook remove {engine}` takes it away.\n\
             [Unit]\n\
             Description={description}\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             Before={before}\n\
             \n\
             [Service]\n\
             Type=exec\n\
             ExecStart={command}\n",
            engine = self.engine,
            description = self.description,
            before = self.before,
            command = command.join(" "),
        );
        if let Some(socket) = self.socket {
            // Writing to a text does not fail.
            let _ = write!(
                text,
                "# Started is what answers: {} looks for the socket only for a while.\n\
                 ExecStartPost=/bin/sh -c {}\n",
                self.before,
                quoted(&format!(
                    "exec timeout 30 sh -c 'until [ -S {} ]; do sleep 0.1; done'",
                    socket.display()
                ))
            );
        }
        text.push_str(
            "ExecReload=/bin/kill -HUP $MAINPID\n\
             Restart=always\n\
             RestartSec=1\n\
             NoNewPrivileges=yes\n\
             \n\
             [Install]\n",
        );
        let _ = writeln!(text, "WantedBy={}", self.before);
        text
    }
}

/// Where a unit of ours stands.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(UNITS).join(name)
}

/// The link that has another unit bring it along.
pub(super) fn wanted_by(name: &str, other: &str) -> PathBuf {
    Path::new(UNITS).join(format!("{other}.wants")).join(name)
}

/// A word of a command as systemd reads it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-:@+=,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '%' | '$' => quoted.extend([letter, letter]),
            '\n' => quoted.push_str("\\n"),
            letter => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// Where the units of a machine's owner are.
pub(super) const UNITS: &str = "/etc/systemd/system";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_reads_the_words_that_were_meant() {
        assert_eq!(quoted("/usr/bin/trust"), "/usr/bin/trust");
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("50%$x\"\\"), "\"50%%$$x\\\"\\\\\"");
        assert_eq!(quoted(""), "\"\"");
    }
}
