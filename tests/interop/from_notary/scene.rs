//! A repository of its own, its owner, and a reader who keeps nothing yet.

use std::{
    cell::RefCell,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::peers::{
    home::Home,
    image::{digest, hex_of},
    lab::Lab,
    run::{Ran, run},
    server::Kind,
};

/// What one row is played with.
pub(super) struct Scene<'lab> {
    pub(super) lab: &'lab Lab,
    pub(super) server: Kind,
    /// Keeps the keys `root` and `nigel`, and those of the repository
    pub(super) nigel: &'lab Home<'lab>,
    /// Has seen nothing
    pub(super) reader: Home<'lab>,
    /// The repository
    pub(super) app: String,
    path: String,
    number: usize,
    ran: RefCell<Vec<String>>,
}

/// Data as a target: its digest in hex and its size.
pub(super) struct Data {
    pub(super) hex: String,
    pub(super) size: usize,
}

impl<'lab> Scene<'lab> {
    pub(super) fn new(nigel: &'lab Home<'lab>, number: usize, server: Kind) -> Self {
        let (lab, path) = (nigel.lab, format!("team/app-{number}"));
        Self {
            lab,
            server,
            nigel,
            reader: lab.home(&format!("reader-{number}")),
            app: lab.name(&path),
            path,
            number,
            ran: RefCell::default(),
        }
    }

    /// Another machine of this scene.
    pub(super) fn home(&self, person: &str) -> Home<'lab> {
        self.lab.home(&format!("{person}-{}", self.number))
    }

    /// Runs our command as Nigel, for the row.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(super) fn trust(&self, line: &str) -> Ran {
        self.trust_as(self.nigel, line)
    }

    /// Runs our command on another machine, for the row.
    #[must_use = "a command that nobody checks proves nothing"]
    pub(super) fn trust_as(&self, home: &Home<'_>, line: &str) -> Ran {
        self.ran.borrow_mut().push(line.to_owned());
        home.trust(line)
    }

    /// Sets a variable on a machine, for the row.
    pub(super) fn with(&self, home: &Home<'lab>, variable: &str, value: &str) -> Home<'lab> {
        self.ran_with(variable);
        home.with(variable, value)
    }

    /// Notes a variable that was set elsewhere, for the row.
    pub(super) fn ran_with(&self, variable: &str) {
        self.ran.borrow_mut().push(variable.to_owned());
    }

    /// What was done for the row.
    pub(super) fn ran(&self) -> Vec<String> {
        self.ran.borrow().clone()
    }

    /// Begins the repository.
    pub(super) fn begin(&self) {
        self.nigel.trust(&format!("repo init {}", self.app)).ok();
    }

    /// An image in the registry; its digest in hex.
    pub(super) fn push(&self, tag: &str) -> String {
        let image = self.lab.push(&self.path, tag);
        hex_of(&image.digest()).to_owned()
    }

    /// Notary delegates to `targets/qa`, with Nigel's key.
    pub(super) fn delegate(&self) {
        let app = &self.app;
        self.nigel
            .notary(&format!(
                "delegation add -p {app} targets/qa nigel.pub --all-paths"
            ))
            .ok();
    }

    /// Notary signs data of its own under `tag` in these roles.
    pub(super) fn sign(&self, tag: &str, roles: &str) -> Data {
        let (app, data) = (&self.app, Data::of(&format!("{} {tag}", self.app)));
        let Data { hex, size } = &data;
        self.nigel
            .notary(&format!(
                "addhash -p {app} {tag} {size} --sha256 {hex} -r {roles}"
            ))
            .ok();
        data
    }

    /// Notary publishes what is staged.
    pub(super) fn publish(&self) {
        self.nigel.notary(&format!("publish {}", self.app)).ok();
    }

    /// What notary shows somebody who has seen nothing before.
    pub(super) fn listed(&self, options: &str) -> Ran {
        let stranger = self.home(&format!("stranger-{}", self.ran.borrow().len()));
        stranger
            .notary(&format!("list {} {options}", self.app))
            .ok()
    }

    /// A file of the repository that notary keeps for the reader, refreshed.
    pub(super) fn kept(&self, role: &str) -> Value {
        self.reader.notary(&format!("list {}", self.app)).ok();
        let file = self.reader.cache_of(&self.app).join(format!("{role}.json"));
        let file = fs::read(file).expect("a kept file");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        file["signed"].clone()
    }
}

impl Data {
    pub(super) fn of(text: &str) -> Self {
        Self {
            hex: hex_of(&digest(text.as_bytes())).to_owned(),
            size: text.len(),
        }
    }
}

/// The id of a key, by its name or file.
pub(super) fn id_of(home: &Home<'_>, name: &str) -> String {
    let shown = home.trust(&format!("key show {name} --format json")).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    shown["id"].as_str().expect("an id").to_owned()
}

/// The ids of all keys of a home, as notary lists them.
pub(super) fn ids(home: &Home<'_>) -> Vec<String> {
    let listed = home.notary("key list").ok().stdout;
    let words = listed.split_whitespace();
    let ids = words.filter(|word| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit()));
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort();
    ids
}

/// A new key in `NAME.key` and a certificate for it in `NAME.crt`, from `OpenSSL`.
pub(super) fn certify(home: &Home<'_>, name: &str, subject: &str, more: &str) -> PathBuf {
    let subject = subject.replace('/', "\\/");
    let line = format!(
        "req -x509 -noenc -days 300 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
         -subj /CN={subject} -keyout {name}.key -out {name}.crt {more}"
    );
    run(home.command(Path::new("openssl"), &line)).ok();
    let key = home.folder().join(format!("{name}.key"));
    private(&key);
    key
}

/// Makes a file readable for its owner only, as key files have to be.
pub(super) fn private(file: &Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a mode");
}
