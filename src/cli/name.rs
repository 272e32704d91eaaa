//! Names of keys and signers.

use super::failure::Failure;

/// Accepts what can be the name of a key or a signer (Docker's rule and words).
pub(crate) fn check(what: &str, name: &str) -> Result<(), Failure> {
    let first = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let other = |b: &u8| first(b) || matches!(b, b'-' | b'_');
    if name.as_bytes().first().is_some_and(first) && name.as_bytes().iter().all(other) {
        return Ok(());
    }
    Err(Failure::wrong(format!(
        "{what} name {name:?} must start with lowercase alphanumeric characters and can include \
         \"-\" or \"_\" after the first character"
    )))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn names_are_what_docker_accepts() {
        for name in ["a", "0", "nigel", "a-b_c", "1a-"] {
            assert!(check("key", name).is_ok(), "{name}");
        }
        for name in ["", "-a", "_a", "A", "aB", "a.b", "a/b", "a b", "ä", "a\n"] {
            assert!(check("key", name).is_err(), "{name}");
        }
    }
}
