//! What is known of a repository, in the table's notation.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;
use trust::policy::{Evidence, Reason, RootKey, Statement, Unusable};
use trust::reference::Digest;

/// What is known of one repository.
pub struct State {
    pub repository: String,
    pub evidence: Evidence,
}

impl State {
    pub fn read(text: &str) -> Self {
        let mut repository = "reg.test/team/app".to_owned();
        let (mut statements, mut unusable) = (Vec::new(), Vec::new());
        let (mut roots, mut age, mut unknown) = (Vec::new(), Some(Duration::ZERO), None);
        for line in text.lines().map(str::trim) {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["repository", name] => name.clone_into(&mut repository),
                ["root", ref keys @ ..] => roots = keys.iter().map(|&k| k.to_owned()).collect(),
                ["age", "never"] => age = None,
                ["age", seconds] => age = Some(Duration::from_secs(seconds.parse().unwrap())),
                ["unusable", role, code] => unusable.push(Unusable {
                    role: role.to_owned(),
                    reason: reason(code),
                    message: format!("{role} is {code}"),
                }),
                ["unknown", code] => unknown = Some(reason(code)),
                [role, meaning, ..] => statements.push(statement(role, meaning, line)),
                _ => panic!("what is {line}?"),
            }
        }
        let root_keys = roots.iter().map(|key| root_key(key, &repository)).collect();
        let evidence = match unknown {
            Some(reason) => super::nothing(reason),
            None => Evidence::Known {
                gun: repository.clone(),
                statements,
                unusable,
                root_keys,
                age,
            },
        };
        Self {
            repository,
            evidence,
        }
    }
}

fn statement(role: &str, meaning: &str, line: &str) -> Statement {
    let (before, custom) = match line.split_once('{') {
        Some((before, rest)) => (before, Some(format!("{{{rest}"))),
        None => (line, None),
    };
    let keys = before.split_whitespace().skip(2);
    let (tag, said) = meaning.split_once('=').unwrap();
    let (letter, size) = said.split_once('/').unwrap_or((said, "100"));
    let digest = match letter {
        "none" => String::new(),
        letter => digest(letter),
    };
    Statement {
        role: role.to_owned(),
        tag: tag.to_owned(),
        digest,
        size: size.parse().unwrap(),
        key_ids: keys.map(key_id).collect(),
        custom: custom.map(|text| serde_json::from_str(&text).unwrap()),
    }
}

/// A root key as the table writes it: `K1`, or `K1~ISSUER[~NAME[~late]]`; `-K1`, if it did not sign.
fn root_key(text: &str, repository: &str) -> RootKey {
    let signed = !text.starts_with('-');
    let parts: Vec<_> = text.trim_start_matches('-').split('~').collect();
    let canonical_id = key_id(parts[0]);
    let Some(issuer) = parts.get(1) else {
        let id = canonical_id.clone();
        return RootKey {
            id,
            canonical_id,
            certificates: None,
            signed,
        };
    };
    let name = parts.get(2).copied().unwrap_or(repository);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    if parts.get(3) == Some(&"late") {
        params.not_after = date_time_ymd(2025, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = match *issuer {
        "self" => params.self_signed(&key).unwrap(),
        issuer => params.signed_by(&key, &authorities()[issuer]).unwrap(),
    };
    RootKey {
        id: key_id(&format!("{}.listed", parts[0])),
        canonical_id,
        certificates: Some(certificate.pem().into_bytes()),
        signed,
    }
}

/// A policy with its digests and key ids written out.
pub fn expand(text: &str) -> String {
    let digests =
        ["A", "B", "C", "D", "E", "F"].map(|it| (it.to_owned(), format!("sha256:{}", digest(it))));
    let keys = (1..10).flat_map(|n| [format!("K{n}"), format!("K{n}.listed")]);
    let keys = keys.map(|name| (name.clone(), key_id(&name)));
    digests
        .into_iter()
        .chain(keys)
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &value)
        })
}

/// 64 hex digits for a letter.
pub fn digest(letter: &str) -> String {
    assert!(
        ["A", "B", "C", "D", "E", "F"].contains(&letter),
        "no digest {letter}"
    );
    letter.to_lowercase().repeat(64)
}

/// 64 hex digits for the name of a key.
pub fn key_id(name: &str) -> String {
    Digest::of(name.as_bytes()).sha256_hex().unwrap().to_owned()
}

/// The file of an authority.
pub fn authority(file: &str) -> Result<Vec<u8>, String> {
    let name = file.strip_suffix(".pem").ok_or("no such file")?;
    let issuer = authorities().get(name).ok_or("no such file")?;
    Ok(issuer.pem().into_bytes())
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authorities() -> &'static BTreeMap<&'static str, Issuer> {
    static MADE: OnceLock<BTreeMap<&'static str, Issuer>> = OnceLock::new();
    MADE.get_or_init(|| {
        ["ca1", "ca2", "old"]
            .into_iter()
            .map(|name| (name, issuer(name)))
            .collect()
    })
}

fn issuer(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    if name == "old" {
        params.not_after = date_time_ymd(2025, 1, 1);
    }
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn reason(code: &str) -> Reason {
    let all = [
        Reason::BadSignature,
        Reason::Expired,
        Reason::Malformed,
        Reason::Rollback,
        Reason::RootMismatch,
        Reason::ThresholdUnmet,
        Reason::Unreachable,
        Reason::Unsigned,
    ];
    let mut found = all.into_iter().filter(|reason| reason.code() == code);
    found.next().unwrap_or_else(|| panic!("no reason {code}"))
}
