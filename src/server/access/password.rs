//! Passwords and their hashes: argon2id, in the text form that names its cost.

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::sync::OnceLock;

/// Why there can be no such user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// A name that no header could carry
    #[error(
        "the name {name:?} of a user is empty, longer than 255 bytes, or holds a colon or a \
         control character"
    )]
    BadName {
        /// The name as given
        name: String,
    },
    /// A password that no header could carry, or none
    #[error("a password has 1 to {LONGEST_PASSWORD} bytes and no control characters")]
    BadPassword,
    /// The system gave no memory or randomness
    #[error("the password could not be hashed: {reason}")]
    NotHashed {
        /// What was missing
        reason: String,
    },
}

/// The name can stand in front of a password (RFC 7617).
pub fn check_user_name(name: &str) -> Result<(), UserError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len());
    if fits && !name.contains(|c: char| c == ':' || c.is_control()) {
        return Ok(());
    }
    Err(UserError::BadName {
        name: name.chars().take(LONGEST_NAME).collect(),
    })
}

/// What is kept of a password: enough to know it again, at the cost that OWASP recommends.
pub fn hash_password(password: &str) -> Result<String, UserError> {
    let fits = (1..=LONGEST_PASSWORD).contains(&password.len());
    if !fits || password.contains(char::is_control) {
        return Err(UserError::BadPassword);
    }
    let mut salt = [0; SALT];
    SystemRandom::new()
        .fill(&mut salt)
        .map_err(|_| not_hashed("no random numbers"))?;
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(not_hashed)
}

/// Whether it is the password of this hash; without a hash, the same work for nothing.
pub(super) fn is_password(password: &str, hash: Option<&str>) -> bool {
    let kept = hash.unwrap_or_else(|| nobodys_hash());
    let Ok(parsed) = PasswordHash::new(kept) else {
        tracing::error!("a password hash in the store is damaged");
        return false;
    };
    let verified = Argon2::default().verify_password(password.as_bytes(), &parsed);
    hash.is_some() && verified.is_ok()
}

/// A hash that costs as much as those of users.
fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash_password("nobody").unwrap_or_default())
}

#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn not_hashed(reason: impl ToString) -> UserError {
    UserError::NotHashed {
        reason: reason.to_string(),
    }
}

/// Bytes of a name, as the store can keep it.
const LONGEST_NAME: usize = 255;
/// Bytes; more would only cost time.
const LONGEST_PASSWORD: usize = 1024;
/// Bytes (RFC 9106).
const SALT: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = hash_password("open sesame").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(is_password("open sesame", Some(&hash)));
        assert!(!is_password("Open sesame", Some(&hash)));
        assert!(!is_password("", Some(&hash)));
        assert_ne!(hash_password("open sesame").unwrap(), hash);
    }

    #[test]
    fn nobody_has_a_password() {
        assert!(!is_password("nobody", None));
        assert!(!is_password("nobody", Some("")));
        assert!(!is_password("nobody", Some("nobody")));
    }

    #[test]
    fn names_and_passwords_fit_into_a_header() {
        for (name, good) in [
            ("bob", true),
            ("bob@example.com", true),
            ("Jürgen K", true),
            ("", false),
            ("a:b", false),
            ("a\nb", false),
            (&"x".repeat(256), false),
        ] {
            assert_eq!(check_user_name(name).is_ok(), good, "{name:?}");
        }
        for bad in ["", "a\nb", &"x".repeat(1025)] {
            assert!(matches!(hash_password(bad), Err(UserError::BadPassword)));
        }
    }
}
