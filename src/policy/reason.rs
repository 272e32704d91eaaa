//! The stable reason code that every refusal carries.

use std::fmt;

/// Why an image is not trusted. The codes are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Signatures that no key of the role made
    BadSignature,
    /// A rule rejects it
    DeniedByRule,
    /// The tag or the digest is signed, but not this digest
    DigestNotSigned,
    /// Metadata past their date
    Expired,
    /// Metadata that are not what their role needs
    Malformed,
    /// No rule says anything of it
    NoRule,
    /// Metadata older than some already believed
    Rollback,
    /// A root the keys trusted so far did not sign
    RootMismatch,
    /// A named signer did not sign
    SignerMissing,
    /// Something newer has taken its place
    Superseded,
    /// Too few signers, or too few keys of a role
    ThresholdUnmet,
    /// The server, or a file that is needed, cannot be reached
    Unreachable,
    /// Nobody signed it
    Unsigned,
    /// Signed, but not for what the rule is about
    WrongContext,
}

impl Reason {
    /// The code as programs see it.
    pub fn code(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::DeniedByRule => "denied-by-rule",
            Self::DigestNotSigned => "digest-not-signed",
            Self::Expired => "expired",
            Self::Malformed => "malformed",
            Self::NoRule => "no-rule",
            Self::Rollback => "rollback",
            Self::RootMismatch => "root-mismatch",
            Self::SignerMissing => "signer-missing",
            Self::Superseded => "superseded",
            Self::ThresholdUnmet => "threshold-unmet",
            Self::Unreachable => "unreachable",
            Self::Unsigned => "unsigned",
            Self::WrongContext => "wrong-context",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
