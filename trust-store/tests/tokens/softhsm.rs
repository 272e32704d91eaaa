//! `SoftHSM`: tokens in a folder of their own, and one that is pulled out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tokens of one test, never the system's.
pub(crate) struct SoftHsm {
    folder: PathBuf,
}

impl SoftHsm {
    /// No tokens yet; everything is kept below `folder`.
    pub(crate) fn below(folder: &Path) -> Self {
        let folder = folder.join("softhsm");
        fs::create_dir_all(folder.join("tokens")).expect("a folder");
        let tokens = folder.join("tokens");
        let text = format!("directories.tokendir = {}\n", tokens.display());
        fs::write(folder.join("softhsm2.conf"), text).expect("softhsm2.conf");
        Self { folder }
    }

    /// Puts in a new token.
    pub(crate) fn insert(&self, label: &str, pin: &str) {
        let options = ["--init-token", "--free", "--label", label, "--pin", pin];
        let mut command = Command::new("softhsm2-util");
        command.args(options).args(["--so-pin", "so-pin-5678"]);
        self.run(command);
    }

    /// Does something to a token by `OpenSC`'s tool.
    pub(crate) fn pkcs11_tool(&self, label: &str, pin: &str, line: &str) -> String {
        let mut command = Command::new("pkcs11-tool");
        command.arg("--module").arg(module());
        command.args(["--login", "--pin", pin, "--token-label", label]);
        command.args(line.split_whitespace());
        self.run(command)
    }

    /// What leads a program to these tokens.
    pub(crate) fn environment(&self) -> BTreeMap<&'static str, String> {
        let configuration = self.folder.join("softhsm2.conf");
        BTreeMap::from([
            ("SOFTHSM2_CONF", configuration.display().to_string()),
            ("TRUST_PKCS11_MODULE", module().display().to_string()),
        ])
    }

    /// The same, where the tokens are pulled out at the `call`th call.
    pub(crate) fn pulled_out_at(&self, call: u32) -> BTreeMap<&'static str, String> {
        let mut environment = self.environment();
        environment.insert("TRUST_TEST_MODULE", module().display().to_string());
        environment.insert("TRUST_TEST_UNPLUG_AT", call.to_string());
        let unplugged = self.unplugged().display().to_string();
        environment.insert("TRUST_PKCS11_MODULE", unplugged);
        environment
    }

    fn unplugged(&self) -> PathBuf {
        let library = self.folder.join("unplugged.so");
        if !library.exists() {
            let source = include_str!("unplugged.c");
            let file = self.folder.join("unplugged.c");
            fs::write(&file, source).expect("a source file");
            let mut command = Command::new("cc");
            command.args(["-shared", "-fPIC", "-w", "-o"]).arg(&library);
            self.run({
                command.arg(file).arg("-ldl");
                command
            });
        }
        library
    }

    fn run(&self, mut command: Command) -> String {
        command.env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"));
        let ran = command.output();
        let ran = ran.unwrap_or_else(|error| panic!("{command:?}: {error}; {INSTALL}"));
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let complained = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{command:?}:\n{said}{complained}");
        said
    }
}

/// The library of `SoftHSM`, where Debian puts it.
pub(crate) fn module() -> PathBuf {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    ];
    let found = places.iter().map(PathBuf::from).find(|it| it.exists());
    found.unwrap_or_else(|| panic!("no libsofthsm2.so; {INSTALL}"))
}

const INSTALL: &str = "run scripts/install-peers as root, or: apt-get install softhsm2 opensc";
