//! A PostgreSQL of one test, which hangs, stops and dies when told to.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::postgres::Cluster;

/// A cluster with one database in it.
pub(super) struct PostgreSql {
    cluster: Cluster,
    url: String,
}

impl PostgreSql {
    pub(super) fn new() -> Self {
        let cluster = Cluster::new();
        let url = cluster.new_database();
        Self { cluster, url }
    }

    /// The address of the database.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A database in a folder of another disk.
    pub(super) fn on_disk(&self, folder: &Path) -> String {
        let owned = Command::new("chown").arg("postgres").arg(folder).status();
        assert!(
            owned.is_ok_and(|status| status.success()),
            "root gives folders away"
        );
        let make = format!("CREATE TABLESPACE small LOCATION '{}'", folder.display());
        self.cluster.sql("postgres", &make);
        self.cluster
            .sql("postgres", "CREATE DATABASE small TABLESPACE small");
        let (before, parameters) = self.url.split_once('?').expect("a host");
        let (server, _) = before.rsplit_once('/').expect("a database");
        format!("{server}/small?{parameters}")
    }

    /// What was written is in its files.
    pub(super) fn checkpoint(&self) {
        self.cluster.sql("postgres", "CHECKPOINT");
    }

    /// A fast shutdown, as by an operator.
    pub(super) fn stop(&mut self) {
        self.cluster.stop();
    }

    pub(super) fn start(&mut self) {
        self.cluster.start();
    }

    /// No process of it does anything, but all keep what they have.
    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// They go on.
    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Killed at whatever it was at; then it runs again.
    pub(super) fn crash(&mut self) {
        for process in self.signal(Signal::KILL) {
            while stat(process).is_some_and(|stat| stat[0] != ENDED) {
                sleep(Duration::from_millis(5));
            }
        }
        self.cluster.stop();
        self.cluster.start();
    }

    /// The postmaster first, so that it makes no more of them.
    fn signal(&self, signal: Signal) -> Vec<i32> {
        let Some(postmaster) = self.postmaster() else {
            return Vec::new();
        };
        send(postmaster, signal);
        let mut all = children(postmaster);
        all.iter().for_each(|child| send(*child, signal));
        all.push(postmaster);
        all
    }

    fn postmaster(&self) -> Option<i32> {
        let file = read_to_string(self.folder().join("data/postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    /// Its folder is where its socket is.
    pub(super) fn folder(&self) -> PathBuf {
        let (_, after) = self.url.split_once("?host=").expect("a host");
        after
            .split('&')
            .next()
            .map_or_else(PathBuf::new, Into::into)
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        // Nobody who is frozen can be asked to end.
        self.thaw();
    }
}

fn children(of: i32) -> Vec<i32> {
    let processes = read_dir("/proc").expect("/proc").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent(*id) == Some(of)).collect()
}

fn parent(of: i32) -> Option<i32> {
    stat(of)?.get(1)?.parse().ok()
}

/// What the system says of a process: its state, its parent and so on (`proc_pid_stat`).
fn stat(process: i32) -> Option<Vec<String>> {
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before, in brackets, may hold anything.
    let (_, after) = stat.rsplit_once(") ")?;
    Some(after.split(' ').map(str::to_owned).collect())
}

fn send(process: i32, signal: Signal) {
    // A connection may have ended meanwhile.
    let _ = Pid::from_raw(process).map(|process| kill_process(process, signal));
}

/// It ended, and whoever started it has not looked yet.
const ENDED: &str = "Z";
