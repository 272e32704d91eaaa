//! Credential helpers: `docker-credential-<name> get`, the registry on stdin, JSON on stdout.

use super::{ConfigError, Credentials};
use serde::Deserialize;
use std::{io, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::timeout,
};
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Zeroizing<String>,
}

/// What the helper knows about a registry; knowing nothing is an answer, not an error.
pub(super) async fn ask(name: &str, registry: &str) -> Result<Credentials, ConfigError> {
    let program = format!("docker-credential-{name}");
    let fault = |reason: String| ConfigError::Helper {
        helper: program.clone(),
        reason,
    };
    if name.contains(['/', '\\', '\0']) {
        return Err(fault("a helper is named without a path".to_owned()));
    }
    let child = start(&program).map_err(|error| fault(error.to_string()))?;
    let (success, output) = timeout(LONGEST_ANSWER, converse(child, registry))
        .await
        .map_err(|_| fault(format!("no answer within {} s", LONGEST_ANSWER.as_secs())))?
        .map_err(|error| fault(error.to_string()))?;
    read_answer(success, &output).map_err(fault)
}

fn read_answer(success: bool, output: &[u8]) -> Result<Credentials, String> {
    if !success {
        let said = String::from_utf8_lossy(output);
        return match said.trim() {
            NOT_FOUND => Ok(Credentials::Anonymous),
            "" => Err("it failed without a word".to_owned()),
            complaint => Err(complaint.chars().take(LONGEST_COMPLAINT).collect()),
        };
    }
    let answer: Answer =
        serde_json::from_slice(output).map_err(|_| "its answer is not JSON".to_owned())?;
    Ok(match answer.username.as_str() {
        "<token>" => Credentials::IdentityToken(answer.secret),
        _ => Credentials::from_pair(answer.username, answer.secret),
    })
}

fn start(program: &str) -> io::Result<Child> {
    Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

async fn converse(mut child: Child, registry: &str) -> io::Result<(bool, Zeroizing<Vec<u8>>)> {
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading has closed its end; that is its right.
        let _ = stdin.write_all(registry.as_bytes()).await;
    }
    let output = match child.stdout.take() {
        Some(stdout) => read_bounded(stdout).await?,
        None => Zeroizing::default(),
    };
    Ok((child.wait().await?.success(), output))
}

async fn read_bounded(stdout: impl AsyncRead + Unpin) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut output = Zeroizing::new(Vec::with_capacity(4096));
    let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut output).await?;
    if u64::try_from(read).is_ok_and(|read| read > MAX_ANSWER) {
        return Err(io::Error::other("its answer is too long"));
    }
    Ok(output)
}

/// What every helper says when it has nothing (docker-credential-helpers).
const NOT_FOUND: &str = "credentials not found in native keychain";
const LONGEST_ANSWER: Duration = Duration::from_secs(10);
/// Characters of a helper's complaint that are shown.
const LONGEST_COMPLAINT: usize = 500;
/// Bytes; identity tokens reach a few kilobytes.
const MAX_ANSWER: u64 = 256 * 1024;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn answer(script: &str) -> io::Result<(bool, Zeroizing<Vec<u8>>)> {
        let child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        converse(child, "host:5000").await
    }

    #[tokio::test]
    async fn the_registry_arrives_on_stdin() {
        let (success, output) = answer("cat").await.unwrap();
        assert_eq!((success, output.as_slice()), (true, &b"host:5000"[..]));
    }

    #[tokio::test]
    async fn endless_answers_are_cut() {
        let error = answer("cat /dev/zero").await.unwrap_err();
        assert_eq!(error.to_string(), "its answer is too long");
    }

    #[test]
    fn answers_are_read_as_docker_reads_them() {
        let basic = br#"{"ServerURL":"h","Username":"me","Secret":"pw"}"#;
        assert!(matches!(
            read_answer(true, basic),
            Ok(Credentials::Basic { .. })
        ));
        let token = br#"{"Username":"<token>","Secret":"t"}"#;
        assert!(matches!(
            read_answer(true, token),
            Ok(Credentials::IdentityToken(_))
        ));
        let nothing = b"credentials not found in native keychain\n";
        assert!(matches!(
            read_answer(false, nothing),
            Ok(Credentials::Anonymous)
        ));
        assert_eq!(
            read_answer(false, b"keychain is locked\n").unwrap_err(),
            "keychain is locked"
        );
        assert_eq!(
            read_answer(true, b"pw").unwrap_err(),
            "its answer is not JSON"
        );
    }

    #[tokio::test]
    async fn missing_helpers_are_named() {
        let error = ask("no-such-helper", "h").await.unwrap_err().to_string();
        assert!(error.starts_with("error getting credentials: docker-credential-no-such-helper: "));
        assert!(ask("../evil", "h").await.is_err());
    }
}
