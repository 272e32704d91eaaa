//! Flags of Docker's commands: which take a value, and which do not (Docker 20.10 to 29).

/// The flags of a command.
pub(super) struct Flags {
    /// Take a value
    pub(super) valued: &'static [&'static str],
    /// Are true or false
    pub(super) plain: &'static [&'static str],
    /// One letter, and the name it stands for
    pub(super) letters: &'static [(char, &'static str)],
    /// Whether flags may stand behind the first other word
    pub(super) interspersed: bool,
}

/// What a flag wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Value,
    Nothing,
}

impl Flags {
    /// What a flag of this name wants; none if Docker has no such flag.
    pub(super) fn wants(&self, name: &str) -> Option<Wants> {
        if self.valued.contains(&name) {
            Some(Wants::Value)
        } else if self.plain.contains(&name) || name == "help" {
            Some(Wants::Nothing)
        } else {
            None
        }
    }

    /// The name a letter stands for.
    pub(super) fn long(&self, letter: char) -> Option<&'static str> {
        let known = self.letters.iter().find(|(it, _)| *it == letter);
        known.map(|(_, name)| *name)
    }
}

/// What stands before the command.
pub(super) const GLOBAL: Flags = Flags {
    valued: &[
        "config",
        "context",
        "host",
        "log-level",
        "tlscacert",
        "tlscert",
        "tlskey",
    ],
    plain: &["debug", "tls", "tlsverify", "version"],
    letters: &[
        ('c', "context"),
        ('D', "debug"),
        ('H', "host"),
        ('h', "help"),
        ('l', "log-level"),
        ('v', "version"),
    ],
    interspersed: false,
};

/// `docker pull`
pub(super) const PULL: Flags = Flags {
    valued: &["platform"],
    plain: &["all-tags", "disable-content-trust", "quiet"],
    letters: &[('a', "all-tags"), ('q', "quiet")],
    interspersed: true,
};

/// `docker run` and `docker create`
pub(super) const RUN: Flags = Flags {
    valued: &[
        "add-host",
        "annotation",
        "attach",
        "blkio-weight",
        "blkio-weight-device",
        "cap-add",
        "cap-drop",
        "cgroup-parent",
        "cgroupns",
        "cidfile",
        "cpu-count",
        "cpu-percent",
        "cpu-period",
        "cpu-quota",
        "cpu-rt-period",
        "cpu-rt-runtime",
        "cpu-shares",
        "cpus",
        "cpuset-cpus",
        "cpuset-mems",
        "detach-keys",
        "device",
        "device-cgroup-rule",
        "device-read-bps",
        "device-read-iops",
        "device-write-bps",
        "device-write-iops",
        "dns",
        "dns-opt",
        "dns-option",
        "dns-search",
        "domainname",
        "entrypoint",
        "env",
        "env-file",
        "expose",
        "gpus",
        "group-add",
        "health-cmd",
        "health-interval",
        "health-retries",
        "health-start-interval",
        "health-start-period",
        "health-timeout",
        "hostname",
        "io-maxbandwidth",
        "io-maxiops",
        "ip",
        "ip6",
        "ipc",
        "isolation",
        "kernel-memory",
        "label",
        "label-file",
        "link",
        "link-local-ip",
        "log-driver",
        "log-opt",
        "mac-address",
        "memory",
        "memory-reservation",
        "memory-swap",
        "memory-swappiness",
        "mount",
        "name",
        "net",
        "net-alias",
        "network",
        "network-alias",
        "oom-score-adj",
        "pid",
        "pids-limit",
        "platform",
        "publish",
        "pull",
        "restart",
        "runtime",
        "security-opt",
        "shm-size",
        "stop-signal",
        "stop-timeout",
        "storage-opt",
        "sysctl",
        "tmpfs",
        "ulimit",
        "user",
        "userns",
        "uts",
        "volume",
        "volume-driver",
        "volumes-from",
        "workdir",
    ],
    plain: &[
        "detach",
        "disable-content-trust",
        "init",
        "interactive",
        "no-healthcheck",
        "oom-kill-disable",
        "privileged",
        "publish-all",
        "quiet",
        "read-only",
        "rm",
        "sig-proxy",
        "tty",
        "use-api-socket",
    ],
    letters: &[
        ('a', "attach"),
        ('c', "cpu-shares"),
        ('d', "detach"),
        ('e', "env"),
        ('h', "hostname"),
        ('i', "interactive"),
        ('l', "label"),
        ('m', "memory"),
        ('p', "publish"),
        ('P', "publish-all"),
        ('q', "quiet"),
        ('t', "tty"),
        ('u', "user"),
        ('v', "volume"),
        ('w', "workdir"),
    ],
    interspersed: false,
};

/// `docker build`, classic and with `BuildKit`
pub(super) const BUILD: Flags = Flags {
    valued: &[
        "add-host",
        "allow",
        "annotation",
        "attest",
        "build-arg",
        "build-context",
        "builder",
        "cache-from",
        "cache-to",
        "call",
        "cgroup-parent",
        "cpu-period",
        "cpu-quota",
        "cpu-shares",
        "cpuset-cpus",
        "cpuset-mems",
        "file",
        "iidfile",
        "isolation",
        "label",
        "memory",
        "memory-swap",
        "metadata-file",
        "network",
        "no-cache-filter",
        "output",
        "platform",
        "progress",
        "provenance",
        "sbom",
        "secret",
        "security-opt",
        "shm-size",
        "ssh",
        "tag",
        "target",
        "ulimit",
    ],
    plain: &[
        "check",
        "compress",
        "debug",
        "disable-content-trust",
        "force-rm",
        "load",
        "no-cache",
        "pull",
        "push",
        "quiet",
        "rm",
        "squash",
    ],
    letters: &[
        ('c', "cpu-shares"),
        ('D', "debug"),
        ('f', "file"),
        ('m', "memory"),
        ('o', "output"),
        ('q', "quiet"),
        ('t', "tag"),
    ],
    interspersed: true,
};
