//! Tokens that this server gives out itself.
//!
//! Docker's and Notary's clients that are asked for a password and have none give up, even where
//! everybody may read. Asked for a token they get one without a password. So where everybody may
//! read and others may do more, this server asks for tokens and gives them out: a name, until
//! when, and a code over both that only servers of this store can make. What may be done is looked
//! up with each request, and a token ends with the password it was given for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use trust_store::server::User;

/// Makes tokens and knows them again.
pub(super) struct OwnTokens {
    key: hmac::Key,
}

/// A token that could be ours.
pub(super) struct OwnToken {
    /// The user it was given to; empty for nobody in particular
    pub(super) name: String,
    until: i64,
    code: Vec<u8>,
}

impl OwnTokens {
    /// Tokens that only this process knows.
    pub(super) fn new() -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        Ok(Self { key })
    }

    /// Tokens that everybody knows who has this secret.
    pub(super) fn by(secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { key }
    }

    /// A token, in the form in which clients get it (distribution, token protocol).
    pub(super) fn give(&self, user: Option<&User>, now: Timestamp) -> Value {
        let name = user.map_or("", |user| user.name.as_str());
        let until = now.as_second().saturating_add(LIFETIME);
        let code = hmac::sign(&self.key, &signed(name, until, user));
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let token = format!(
            "{}.{until}.{}",
            encode(name.as_bytes()),
            encode(code.as_ref())
        );
        let seconds = Timestamp::from_second(now.as_second()).unwrap_or(now);
        json!({
            "token": token,
            "access_token": token,
            "expires_in": LIFETIME,
            "issued_at": seconds.to_string(),
        })
    }

    /// Whether the token was given to this user, or to nobody, and still counts.
    pub(super) fn is_ours(&self, token: &OwnToken, user: Option<&User>, now: Timestamp) -> bool {
        let signed = signed(&token.name, token.until, user);
        now.as_second() <= token.until && hmac::verify(&self.key, &signed, &token.code).is_ok()
    }
}

impl OwnToken {
    /// Reads a token, of which nothing is believed yet.
    pub(super) fn read(token: &str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let mut parts = token.split('.');
        let (name, until, code) = (parts.next()?, parts.next()?, parts.next()?);
        let token = Self {
            name: String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?,
            until: until.parse().ok()?,
            code: URL_SAFE_NO_PAD.decode(code).ok()?,
        };
        parts.next().is_none().then_some(token)
    }
}

/// What the code is over: no two tokens have the same bytes here.
fn signed(name: &str, until: i64, user: Option<&User>) -> Vec<u8> {
    let hash = user.map_or("", |user| user.hash.as_str());
    let mut signed = b"token".to_vec();
    signed.extend_from_slice(&until.to_be_bytes());
    signed.extend_from_slice(&(name.len() as u64).to_be_bytes());
    signed.extend_from_slice(name.as_bytes());
    signed.extend_from_slice(hash.as_bytes());
    signed
}

/// Seconds; clients ask for a token with each command, and keep it for a minute at least.
const LIFETIME: i64 = 300;
/// Bytes of a token for the longest name.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn user(name: &str, hash: &str) -> User {
        User {
            name: name.into(),
            hash: hash.into(),
            created: at(0),
            rights: vec![],
        }
    }

    fn give(tokens: &OwnTokens, user: Option<&User>) -> String {
        let given = tokens.give(user, at(0));
        assert_eq!(given["expires_in"], 300);
        given["token"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_token_is_its_users_for_a_while() {
        let tokens = OwnTokens::by(b"secret");
        let nigel = user("nigel", "hash");
        let text = give(&tokens, Some(&nigel));
        let token = OwnToken::read(&text).unwrap();
        assert_eq!(token.name, "nigel");
        let is_ours = |user: &User, second| tokens.is_ours(&token, Some(user), at(second));
        assert!(is_ours(&nigel, 0) && is_ours(&nigel, 300));
        assert!(!is_ours(&nigel, 301));
        assert!(!is_ours(&user("nigel", "another"), 0));
        assert!(!tokens.is_ours(&token, None, at(0)));
        let others = OwnTokens::by(b"other");
        assert!(!others.is_ours(&token, Some(&nigel), at(0)));
        assert!(OwnTokens::by(b"secret").is_ours(&token, Some(&nigel), at(0)));
        let nobodys = OwnToken::read(&give(&tokens, None)).unwrap();
        assert!(tokens.is_ours(&nobodys, None, at(0)) && nobodys.name.is_empty());
        assert!(!tokens.is_ours(&nobodys, Some(&nigel), at(0)));
    }

    #[test]
    fn no_byte_can_be_changed() {
        let tokens = OwnTokens::by(b"secret");
        let nigel = user("nigel", "hash");
        let good = give(&tokens, Some(&nigel));
        for place in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[place] = if changed[place] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            let ours = OwnToken::read(&changed)
                .is_some_and(|token| tokens.is_ours(&token, Some(&nigel), at(0)));
            assert!(!ours, "{changed}");
        }
        for bad in ["", "..", "a.b.c", &format!("{good}."), &"x".repeat(600)] {
            assert!(OwnToken::read(bad).is_none(), "{bad}");
        }
    }
}
