//! A machine whose engine asks us, and a registry with images that are signed and not.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::peers::{authz::Authz, home::Home, lab::Lab, server::Kind};

/// `team/**` has to be signed, `free/**` need not be, `tried/**` is only audited.
pub(super) fn policy(lab: &Lab, engine: &str) -> String {
    let rule =
        |path: &str, words: &str| format!("[[rule]]\nmatch = \"{}\"\n{words}\n", lab.name(path));
    [
        format!("[default]\nrequire = \"reject\"\n[engine]\n{engine}\n"),
        rule(
            "team/**",
            "require = \"signed\"\nfirst_use = true\nrefresh = \"1s\"",
        ),
        rule("free/**", "require = \"accept\""),
        rule(
            "tried/**",
            "require = \"signed\"\nfirst_use = true\nmode = \"audit\"",
        ),
    ]
    .concat()
}

/// What nobody may do by default.
pub(super) const CLOSED: &str = "";

/// One engine at a time: a plugin has a second to answer, however busy the machine is.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lab with a signed `team/app:signed`, and `team/app:unsigned`; its digests, in this order.
pub(super) fn lab() -> (Lab, String, String) {
    let lab = Lab::start(Kind::Trust);
    let nigel = lab.home("nigel");
    nigel.trust("key generate nigel").ok();
    let app = lab.name("team/app");
    nigel
        .trust(&format!("signer add --key nigel.pub nigel {app}"))
        .ok();
    let signed = sign(&nigel, "signed");
    let unsigned = lab.push("team/app", "unsigned").digest();
    drop(nigel);
    (lab, signed, unsigned)
}

/// Pushes an image under the tag and signs it; its digest.
pub(super) fn sign(home: &Home<'_>, tag: &str) -> String {
    let image = home.lab.push("team/app", tag);
    let name = home.lab.name(&format!("team/app:{tag}"));
    home.trust(&format!("sign {name}")).ok();
    image.digest()
}

/// The plugin with this policy, and the engine that asks it.
pub(super) fn gated(lab: &Lab, engine: &str) -> Authz {
    let gate = lab.home("gate");
    let authz = Authz::start(&gate, &policy(lab, engine));
    lab.start_engine_asking(&authz.name);
    authz
}

/// An answer of the engine.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    /// Passes on what the plugin refused with these words.
    #[track_caller]
    pub(super) fn refused(&self, words: &str) {
        let ours = self
            .text
            .contains("authorization denied by plugin trust-test-");
        assert!(self.status == 403 && ours, "not refused: {self:?}");
        assert!(self.text.contains(words), "`{words}` is missing: {self:?}");
    }

    /// Passes on what the plugin let through, whatever the engine made of it.
    #[track_caller]
    pub(super) fn let_through(&self) {
        assert!(!self.text.contains("authorization denied"), "{self:?}");
    }
}

/// Sends these lines of a request as they are, and a body.
pub(super) fn ask(lab: &Lab, lines: &[&str], body: &[u8]) -> Answer {
    let address = lab.docker_host();
    let socket = address.strip_prefix("unix://").expect("a socket");
    let mut stream = UnixStream::connect(socket).expect("the engine");
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).expect("a timeout");
    let head = format!(
        "{}\r\nHost: docker\r\nConnection: close\r\n\r\n",
        lines.join("\r\n")
    );
    stream.write_all(head.as_bytes()).expect("a request");
    // The engine may answer before it has read it all.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
    Answer {
        status: status.unwrap_or_default(),
        text,
    }
}

/// Sends JSON.
pub(super) fn send(lab: &Lab, request: &str, json: &str) -> Answer {
    let length = format!("Content-Length: {}", json.len());
    let lines = [
        &format!("{request} HTTP/1.1"),
        "Content-Type: application/json",
        &length,
    ];
    ask(lab, &lines, json.as_bytes())
}

/// Sends a request without a body.
pub(super) fn post(lab: &Lab, request: &str) -> Answer {
    ask(
        lab,
        &[&format!("POST {request} HTTP/1.1"), "Content-Length: 0"],
        b"",
    )
}
