//! What an `Authorization` header says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use std::fmt;
use zeroize::Zeroizing;

/// What somebody shows to be let in.
pub(super) enum Shown<'a> {
    /// A token
    Bearer(&'a str),
    /// A name and a password
    Basic(Password),
    /// Nothing that is known here
    Unknown,
}

/// A name and a password as they were sent.
pub(super) struct Password {
    text: Zeroizing<String>,
    colon: usize,
}

impl<'a> Shown<'a> {
    /// Reads a header; schemes are written in any case.
    pub(super) fn read(header: &'a HeaderValue) -> Self {
        let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((scheme, rest)) = parts else {
            return Self::Unknown;
        };
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            return Self::Bearer(rest);
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return Password::read(rest).map_or(Self::Unknown, Self::Basic);
        }
        Self::Unknown
    }
}

impl Password {
    fn read(encoded: &str) -> Option<Self> {
        if encoded.len() > LONGEST_BASIC {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => Zeroizing::new(text),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                return None;
            }
        };
        let colon = text.find(':')?;
        Some(Self { text, colon })
    }

    pub(super) fn name(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    pub(super) fn password(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// Both, in a form that no other pair has.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Bytes of an encoded name and password: 255 for a name, 1024 for a password.
const LONGEST_BASIC: usize = 4 * 1280_usize.div_ceil(3);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(header: &str) -> String {
        match Shown::read(&header.parse().unwrap()) {
            Shown::Bearer(token) => format!("bearer {token}"),
            Shown::Basic(it) => format!("{}|{}", it.name(), it.password()),
            Shown::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn headers_are_read_as_docker_does() {
        let long = format!(
            "Basic {}",
            STANDARD.encode(format!("u:{}", "x".repeat(2000)))
        );
        for (header, expected) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin|open sesame"),
            ("basic dTo=", "u|"),
            ("BASIC dTphOmI=", "u|a:b"),
            ("Basic  OnA= ", "|p"),
            ("Basic dQ==", "unknown"),
            ("Basic /w==", "unknown"),
            ("Basic !", "unknown"),
            ("Basic", "unknown"),
            (&long, "unknown"),
            ("Bearer abc", "bearer abc"),
            ("bEARER  a.b.c", "bearer a.b.c"),
            ("Bearer ", "unknown"),
            ("Digest x", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let header = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".parse().unwrap();
        let Shown::Basic(password) = Shown::read(&header) else {
            panic!()
        };
        assert_eq!(
            format!("{password:?}"),
            "Password { name: \"Aladdin\", .. }"
        );
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(header in "[ -~]{0,200}") {
            read(&header);
        }
    }
}
