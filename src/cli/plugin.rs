//! Called as `docker-trust`: a plugin of Docker's CLI.
//!
//! Docker starts its plugins with its own words: its global options, `trust`, the rest.

use super::failure::Failure;
use serde_json::json;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};
use trust::config::Environment;

/// What Docker's own words leave for us to do.
pub(super) enum Call {
    /// Say what plugin this is
    Metadata(String),
    /// Run a command
    Command {
        /// The words after `trust`
        words: Vec<OsString>,
        /// Whether Docker was asked for debug output
        debug: bool,
    },
}

/// Whether the program was called by its plugin's name.
pub(super) fn is_called(program: Option<&OsString>) -> bool {
    let name = program.map(Path::new).and_then(Path::file_stem);
    name == Some(OsStr::new("docker-trust"))
}

/// Reads Docker's words; its options go into the environment they stand for.
pub(super) fn read(words: &[OsString], environment: &mut Environment) -> Result<Call, Failure> {
    let mut words = words.iter();
    let mut debug = false;
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "docker-cli-plugin-metadata" {
            return Ok(Call::Metadata(metadata()));
        }
        if !text.starts_with('-') {
            let own = (text != "trust").then(|| word.clone());
            let words = own.into_iter().chain(words.cloned()).collect();
            return Ok(Call::Command { words, debug });
        }
        let (name, attached) = split(&text);
        match name {
            "-D" | "--debug" => debug = true,
            "--tls" | "--tlsverify" => environment.docker_tls_verify = Some("1".to_owned()),
            "-h" | "--help" | "-v" | "--version" => {
                let words = std::iter::once(word).chain(words).cloned().collect();
                return Ok(Call::Command { words, debug });
            }
            _ => {
                let value = match attached {
                    Some(value) => value.to_owned(),
                    None => words
                        .next()
                        .map(|value| value.to_string_lossy().into_owned())
                        .ok_or_else(|| Failure::wrong(format!("flag needs an argument: {name}")))?,
                };
                set(name, value, environment)?;
            }
        }
    }
    let words = Vec::new();
    Ok(Call::Command { words, debug })
}

/// An option and the value that is attached to it: `--config=DIR`, `-cNAME`.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None if text.starts_with("--") => (text, None),
        None => match text.split_at_checked(2) {
            Some((name, value)) if !value.is_empty() => (name, Some(value)),
            _ => (text, None),
        },
    }
}

fn set(name: &str, value: String, environment: &mut Environment) -> Result<(), Failure> {
    match name {
        "--config" => environment.docker_config = Some(PathBuf::from(value)),
        "-c" | "--context" => {
            environment.docker_context = Some(value);
            environment.docker_host = None;
        }
        "-H" | "--host" => environment.docker_host = Some(value),
        "--tlscacert" | "--tlscert" | "--tlskey" => {
            environment.docker_cert_path = Path::new(&value).parent().map(Path::to_owned);
        }
        "-l" | "--log-level" => {}
        _ => return Err(Failure::wrong(format!("unknown flag: {name}"))),
    }
    Ok(())
}

fn metadata() -> String {
    json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "trust",
        "Version": env!("CARGO_PKG_VERSION"),
        "ShortDescription": "Manage trust on Docker images",
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> (Vec<String>, bool, Environment) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut environment = Environment::default();
        match read(&words, &mut environment) {
            Ok(Call::Command { words, debug }) => {
                let words = words.iter().map(|it| it.to_string_lossy().into_owned());
                (words.collect(), debug, environment)
            }
            Ok(Call::Metadata(text)) => panic!("{text}"),
            Err(failure) => panic!("{failure:?}"),
        }
    }

    #[test]
    fn dockers_options_stand_before_the_command() {
        for line in [
            "trust inspect a",
            "inspect a",
            "--debug trust inspect a",
            "--config /c --context other -l error trust inspect a",
            "--config=/c -cother trust inspect a",
        ] {
            assert_eq!(call(line).0, ["inspect", "a"], "{line}");
        }
        let (_, debug, environment) = call("-D --config /c -c other -H=tcp://h trust inspect a");
        assert!(debug);
        assert_eq!(environment.docker_config, Some("/c".into()));
        assert_eq!(environment.docker_context.as_deref(), Some("other"));
        assert_eq!(environment.docker_host.as_deref(), Some("tcp://h"));
    }

    #[test]
    fn options_after_the_command_are_its_own() {
        assert_eq!(call("trust key --help").0, ["key", "--help"]);
        assert_eq!(call("--help").0, ["--help"]);
        assert_eq!(call("trust revoke -y a").0, ["revoke", "-y", "a"]);
        assert_eq!(call("").0, Vec::<String>::new());
    }

    #[test]
    fn unknown_options_and_missing_values_are_errors() {
        for line in ["--nonsense x trust", "--config", "-x"] {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert!(read(&words, &mut Environment::default()).is_err(), "{line}");
        }
    }

    #[test]
    fn the_name_decides() {
        for (name, plugin) in [
            ("/usr/libexec/docker/cli-plugins/docker-trust", true),
            ("docker-trust.exe", true),
            ("trust", false),
            ("docker-trusty", false),
        ] {
            assert_eq!(is_called(Some(&OsString::from(name))), plugin, "{name}");
        }
        assert!(!is_called(None));
    }
}
