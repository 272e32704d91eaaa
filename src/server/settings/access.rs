//! `[access]`: who may do what.

use crate::quantity::{DAY, Period, period};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Who may do what with the repositories.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessSettings {
    /// What everybody may do. Left out: everything while nothing else is configured and there is
    /// no user, else read.
    pub anonymous: Option<Everybody>,
    /// The name of this server in questions for a password.
    pub realm: String,
    /// Whether the common name of a client certificate is the user whose rights count.
    pub certificates: bool,
    /// Docker registry token authentication.
    pub token: Option<TokenSettings>,
    /// How many wrong passwords are accepted before somebody has to wait.
    pub failures: FailureSettings,
}

/// What may be done by those who say nothing about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Everybody {
    /// Everything
    All,
    /// Read
    Pull,
    /// Nothing
    None,
}

/// Tokens of a Docker token server, and how to know them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenSettings {
    /// Where clients get a token: an address.
    pub realm: String,
    /// The name of this server in tokens (`aud`).
    pub service: String,
    /// Who makes the tokens (`iss`).
    pub issuer: String,
    /// PEM files: tokens are signed with these certificates, or with some that these vouch for.
    pub certificates: Vec<PathBuf>,
    /// PEM files: tokens are signed with these public keys.
    pub keys: Vec<PathBuf>,
}

/// Wrong passwords of one address, and for one name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailureSettings {
    /// So many at once.
    pub burst: u32,
    /// And then one more each time this has passed.
    #[serde(deserialize_with = "period::<1, DAY, _>")]
    pub every: Period,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            anonymous: None,
            realm: "trust".to_owned(),
            certificates: false,
            token: None,
            failures: FailureSettings::default(),
        }
    }
}

impl Default for FailureSettings {
    fn default() -> Self {
        Self {
            burst: 10,
            every: Period::seconds(30),
        }
    }
}

impl AccessSettings {
    /// Files named relatively are those in this folder.
    pub fn relative_to(&mut self, folder: &Path) {
        let token = self.token.iter_mut();
        let paths = token.flat_map(|token| token.certificates.iter_mut().chain(&mut token.keys));
        for path in paths {
            *path = folder.join(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_place_and_others_are_refused() {
        let text = r#"
            anonymous = "none"
            realm = "ours"
            certificates = true
            [token]
            realm = "https://auth.example/token"
            service = "trust.example"
            issuer = "auth.example"
            certificates = ["bundle.pem"]
            keys = ["/etc/key.pem"]
            [failures]
            burst = 3
            every = "5m"
        "#;
        let mut read: AccessSettings = toml::from_str(text).unwrap();
        read.relative_to(Path::new("/srv"));
        let token = read.token.as_ref().unwrap();
        assert_eq!(token.certificates, [Path::new("/srv/bundle.pem")]);
        assert_eq!(token.keys, [Path::new("/etc/key.pem")]);
        assert_eq!(read.anonymous, Some(Everybody::None));
        assert_eq!(read.failures.every, Period::seconds(300));
        assert_eq!(
            toml::from_str::<AccessSettings>("").unwrap(),
            AccessSettings::default()
        );
        for wrong in [
            "anonymous = \"some\"",
            "relam = \"x\"",
            "[token]\nsecret = 1",
            "[failures]\nevery = \"5\"",
            "[failures]\nevery = \"-5s\"",
            "[failures]\nevery = 5",
        ] {
            assert!(toml::from_str::<AccessSettings>(wrong).is_err(), "{wrong}");
        }
    }
}
