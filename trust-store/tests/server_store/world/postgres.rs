//! A `PostgreSQL` of our own in a temporary folder, reached through a socket there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// The one for all tests of this process that leave it alone.
pub(crate) fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::new)
}

pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    /// Whoever watches our end of a pipe and removes everything when this process is gone,
    /// however it went.
    watch: Option<Child>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        if is_root() {
            ok(Command::new("chown").arg("postgres").arg(&folder));
        }
        let mut cluster = Self {
            programs: programs(),
            folder,
            watch: None,
        };
        // Byte order is not this cluster's own order: the store must not depend on it.
        ok(unprivileged(&cluster.programs.join("initdb"))
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ])
            .args(["--locale-provider=icu", "--icu-locale=en-US", "-D"])
            .arg(cluster.data()));
        cluster.start();
        cluster
    }

    /// An empty database; gives its address.
    pub(crate) fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        format!(
            "postgres:///{name}?host={}&user=postgres",
            self.folder.display()
        )
    }

    pub(crate) fn start(&mut self) {
        // Its programs stop with the pipe: nothing stays behind a test that was killed.
        let script = format!(
            "{postgres} -D {data} -k {folder} -c listen_addresses= -c max_connections=200 \
             >{folder}/log 2>&1 & read _; kill -INT $!; wait; test -e {folder}/keep || rm -rf {folder}",
            postgres = self.programs.join("postgres").display(),
            data = self.data().display(),
            folder = self.folder.display(),
        );
        let watch = unprivileged(Path::new("sh"))
            .arg("-c")
            .arg(script)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        self.watch = Some(watch);
        for _ in 0..300 {
            if self
                .psql("postgres", "SELECT 1")
                .output()
                .unwrap()
                .status
                .success()
            {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start: {log}");
    }

    /// It is down until it is started again; its data stay.
    pub(crate) fn stop(&mut self) {
        ok(unprivileged(Path::new("touch")).arg(self.folder.join("keep")));
        let mut watch = self.watch.take().unwrap();
        watch.stdin.take().unwrap().write_all(b"\n").unwrap();
        watch.wait().unwrap();
        ok(Command::new("rm").arg(self.folder.join("keep")));
    }

    pub(crate) fn sql(&self, database: &str, statement: &str) {
        ok(&mut self.psql(database, statement));
    }

    fn psql(&self, database: &str, statement: &str) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "-q", "-U", "postgres", "-d", database, "-c", statement, "-h",
        ])
        .arg(&self.folder);
        psql
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            watch.wait().unwrap();
        }
    }
}

/// Debian keeps the server's programs out of the search path.
fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = debian
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("psql").exists());
    found.expect("PostgreSQL is missing, install it: apt-get install postgresql")
}

/// `PostgreSQL` refuses to run as root; Debian's package makes a user for it.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command
        .args(["-u", "postgres", "--"])
        .arg(program)
        .current_dir("/");
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

fn ok(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
