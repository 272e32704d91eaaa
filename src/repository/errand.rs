//! What a refresh is for: reading or publishing, when, and from which first root.

use crate::policy::RootTrust;
use crate::tuf::edit::SealedFile;
use crate::tuf::role::RoleName;
use jiff::Timestamp;

/// Whether a kept timestamp may stand in for one that cannot be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading: an unexpired kept one will do, loudly
    Read,
    /// Publishing: only the server's will do
    Write,
    /// Signing again what has expired: roots are followed whatever their dates
    Mend,
}

/// What a refresh is for, and when.
#[derive(Clone, Copy)]
pub(super) struct Errand<'f> {
    pub(super) purpose: Purpose,
    pub(super) now: Timestamp,
    /// Which root may be the first; any, if that is nothing
    pub(super) first_root: Option<&'f RootTrust>,
    /// Files just published: the server may name them, so they need not be fetched
    at_hand: &'f [SealedFile],
}

impl<'f> Errand<'f> {
    /// To look.
    pub(super) fn read(now: Timestamp) -> Self {
        Self::new(Purpose::Read, now)
    }

    /// To look, where not every first root is trusted.
    pub(super) fn read_pinned(now: Timestamp, first_root: &'f RootTrust) -> Self {
        Self {
            first_root: Some(first_root),
            ..Self::read(now)
        }
    }

    /// To publish on top of what is there.
    pub(super) fn write(now: Timestamp) -> Self {
        Self::new(Purpose::Write, now)
    }

    /// To sign again what has expired.
    pub(super) fn mend(now: Timestamp) -> Self {
        Self::new(Purpose::Mend, now)
    }

    /// To see what was just published.
    pub(super) fn look_back(now: Timestamp, published: &'f [SealedFile]) -> Self {
        Self {
            at_hand: published,
            ..Self::new(Purpose::Write, now)
        }
    }

    /// When dates of roots are judged, if they are.
    pub(super) fn judges_at(&self) -> Option<Timestamp> {
        (self.purpose != Purpose::Mend).then_some(self.now)
    }

    fn new(purpose: Purpose, now: Timestamp) -> Self {
        Self {
            purpose,
            now,
            first_root: None,
            at_hand: &[],
        }
    }

    /// The file just published, if it is of this role.
    pub(super) fn file(&self, role: &RoleName) -> Option<&'f SealedFile> {
        self.at_hand.iter().find(|file| file.role() == role)
    }

    /// The same at another time.
    pub(super) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }
}
