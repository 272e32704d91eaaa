//! Policy, gates, hooks, keys, metadata.

use super::{abstains, host, outcome, passes, warns, with};
use trust::gate::doctor::{Expiry, GateFact, Host, KeyFact, Level};
use trust::gate::install::{Standing, State};
use trust::policy::Policy;

const POLICY: &str = "Policy and gates";
const KEYS: &str = "Keys and trusted metadata";

fn ruled(text: &str) -> Host {
    let parsed = Policy::parse(text, &mut |_| Err("no such file".into()));
    let policy = Some(("/etc/trust/policy.toml".into(), parsed));
    Host {
        policy,
        ..with(host(), "/etc/trust/policy.toml", text)
    }
}

const STRICT: &str = "[default]\nrequire = \"reject\"\n";

#[test]
fn a_policy_has_to_be_there_and_readable() {
    let title = "can be read";
    warns(&host(), POLICY, title, "/etc/trust/policy.toml");
    warns(&ruled("[default]\nrequire = 1\n"), POLICY, title, "line 2");
    abstains(&ruled("nonsense"), POLICY, "pinned");
    passes(&ruled(STRICT), POLICY, title);
}

#[test]
fn what_a_policy_lets_by_is_reported() {
    for (title, rule, words) in [
        (
            "not accepted",
            "[default]\nrequire = \"accept\"\n",
            "passes unsigned",
        ),
        (
            "pinned",
            "[[rule]]\nmatch = \"a.test/**\"\nrequire = \"signed\"\nfirst_use = true\n",
            "trusts the first root",
        ),
        (
            "audit mode",
            "[[rule]]\nmatch = \"a.test/**\"\nrequire = \"reject\"\nmode = \"audit\"\n",
            "only writes down",
        ),
    ] {
        warns(&ruled(rule), POLICY, title, words);
        passes(&ruled(STRICT), POLICY, title);
        abstains(&host(), POLICY, title);
    }
}

#[test]
fn exemptions_that_ran_out_are_reported() {
    let rule = |until: &str| {
        let digest = "0".repeat(64);
        format!(
            "[[rule]]\nmatch = \"a.test/**\"\nrequire = \"reject\"\n\
             exempt = [{{ digest = \"sha256:{digest}\", until = \"{until}\" }}]\n"
        )
    };
    warns(
        &ruled(&rule("2026-08-01")),
        POLICY,
        "exemption",
        "000000000000 ended on",
    );
    passes(&ruled(&rule("2026-12-31")), POLICY, "exemption");
}

#[test]
fn a_policy_others_can_change_is_reported() {
    let title = "changed by its owner only";
    let mut host = ruled(STRICT);
    passes(&host, POLICY, title);
    let bytes = STRICT.as_bytes().to_vec();
    host.files
        .put("/etc/trust/policy.toml", State::File { bytes, mode: 0o666 });
    warns(&host, POLICY, title, "others can write");
}

#[test]
fn gates_that_are_not_ready_are_reported() {
    let title = "running and ready";
    abstains(&host(), POLICY, title);
    let gate = |wrong: Option<&str>| {
        let wrong = wrong.map(str::to_owned);
        let gates = vec![GateFact {
            address: "https://127.0.0.1:8443".into(),
            wrong,
        }];
        Host { gates, ..host() }
    };
    passes(&gate(None), POLICY, title);
    warns(
        &gate(Some("Connection refused")),
        POLICY,
        title,
        "8443 is not ready: Connection refused",
    );
}

#[test]
fn hooks_that_were_changed_are_reported() {
    let title = "as they were installed";
    abstains(&host(), POLICY, title);
    for (standing, words) in [
        (Standing::Intact, None),
        (Standing::Missing, Some("is gone")),
        (Standing::Changed, Some("was changed")),
        (Standing::Undone, Some("is as it was before")),
    ] {
        let hooks = vec![("docker".into(), "/etc/docker/daemon.json".into(), standing)];
        let host = Host { hooks, ..host() };
        match words {
            None => passes(&host, POLICY, title),
            Some(words) => warns(&host, POLICY, title, words),
        }
    }
}

#[test]
fn keys_that_are_not_kept_well_are_reported() {
    abstains(&host(), KEYS, "readable by");
    abstains(&host(), KEYS, "passphrase");
    let key = |mode, encrypted| KeyFact {
        id: "05e87edcaecb".into(),
        role: Some("root".into()),
        path: "/root/.docker/trust/private/05.key".into(),
        mode,
        encrypted,
    };
    let good = Host {
        keys: vec![key(0o600, true)],
        ..host()
    };
    passes(&good, KEYS, "readable by");
    passes(&good, KEYS, "passphrase");
    let bad = Host {
        keys: vec![key(0o640, false), key(0o600, true)],
        ..host()
    };
    warns(&bad, KEYS, "readable by", "05.key has mode 0640");
    warns(
        &bad,
        KEYS,
        "passphrase",
        "root 05e87edcaecb opens without a passphrase",
    );
}

#[test]
fn roles_that_end_soon_are_reported() {
    let title = "expires soon";
    let role = |expires: &str| {
        let expiries = vec![Expiry {
            gun: "docker.io/library/alpine".into(),
            role: "targets/releases".into(),
            expires: expires.parse().unwrap(),
        }];
        Host { expiries, ..host() }
    };
    passes(&host(), KEYS, title);
    passes(&role("2027-09-01T00:00:00Z"), KEYS, title);
    abstains(&role("2027-02-01T00:00:00Z"), KEYS, title);
    warns(
        &role("2026-09-30T00:00:00Z"),
        KEYS,
        title,
        "targets/releases expires on",
    );
    warns(
        &role("2026-08-31T00:00:00Z"),
        KEYS,
        title,
        "targets/releases has expired",
    );
    warns(&role(super::NOW), KEYS, title, "has expired");
}

#[test]
fn a_folder_nobody_watches_is_reported() {
    let title = "audited";
    abstains(&host(), KEYS, title);
    let mut host = host();
    host.files.put("/etc/audit", State::Folder { mode: 0o750 });
    warns(&host, KEYS, title, "/root/.docker/trust");
    let rule = "-w /root/.docker/trust -p wa -k trust\n";
    passes(
        &with(host.clone(), "/etc/audit/rules.d/trust.rules", rule),
        KEYS,
        title,
    );
    passes(
        &with(host.clone(), "/etc/audit/audit.rules", rule),
        KEYS,
        title,
    );
    let outcome = outcome(&host, KEYS, title);
    assert_eq!(outcome.level, Level::Warn);
    assert!(
        outcome
            .mend
            .unwrap()
            .contains("-w /root/.docker/trust -p wa")
    );
}
