//! What can go wrong with the server's store.

use std::error::Error;
use std::io;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A name that no row can have.
    #[error("the name {name:?} {why}")]
    BadName {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An address that names no database.
    #[error("{why}; a store is `sqlite:PATH` or `postgres://USER@HOST/DATABASE`")]
    BadUrl {
        /// What is wrong with it.
        why: String,
    },
    /// Somebody else changed the repository, or the version is not above the stored ones.
    #[error("{what} changed in the meantime")]
    Conflict {
        /// What was changed.
        what: String,
    },
    /// What is stored is not what was stored.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// No room on the disk. What was stored before can still be read.
    #[error("the disk of the store is full")]
    Full {
        /// The database's answer.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system refused.
    #[error("could not {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The schema is that of a newer program, or was changed by hand.
    #[error("the schema of the store is not one of this program: {source}")]
    Schema {
        /// What differs.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Only an empty store can be restored into.
    #[error("the store is not empty")]
    NotEmpty,
    /// The database did something nobody expects of it.
    #[error("the database refused: {source}")]
    Refused {
        /// The database's answer.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A file larger than any client would download.
    #[error("{role} has {size} bytes, more than {limit}")]
    TooLarge {
        /// Its role.
        role: String,
        /// Its size, in bytes.
        size: usize,
        /// Largest size accepted, in bytes.
        limit: usize,
    },
    /// The database cannot be reached, or did not answer in time; worth trying again.
    #[error("the database is not available: {source}")]
    Unavailable {
        /// What was seen of it.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    pub(super) fn conflict(what: &str) -> Self {
        Self::Conflict {
            what: what.to_owned(),
        }
    }

    pub(super) fn damaged(what: &str) -> Self {
        Self::Damaged {
            what: what.to_owned(),
        }
    }

    /// The same, saying where, if it is about damage.
    pub(super) fn found_in(self, place: &str) -> Self {
        match self {
            Self::Damaged { what } => Self::Damaged {
                what: format!("{place}: {what}"),
            },
            other => other,
        }
    }

    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                source: error.into(),
            },
            _ => Self::Io {
                action,
                source: error.into(),
            },
        }
    }

    pub(super) fn unavailable(why: &'static str) -> Self {
        Self::Unavailable { source: why.into() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            sqlx::Error::Database(answer) => answer.code().map_or(Kind::Refused, |c| kind(&c)),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Kind::Damaged,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Kind::Unavailable,
            _ => Kind::Refused,
        };
        let source = Box::new(error);
        match kind {
            Kind::Conflict => Self::conflict("what is stored"),
            Kind::Damaged => Self::damaged(&source.to_string()),
            Kind::Full => Self::Full { source },
            Kind::Io => Self::Io {
                action: "use the disk of the store",
                source,
            },
            Kind::Refused => Self::Refused { source },
            Kind::Unavailable => Self::Unavailable { source },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Conflict,
    Damaged,
    Full,
    Io,
    Refused,
    Unavailable,
}

/// What a code means: `SQLite`'s extended result codes are numbers, `PostgreSQL`'s have five places.
fn kind(code: &str) -> Kind {
    match (code.len(), code.parse::<u32>()) {
        (5, _) => postgres_kind(code),
        (_, Ok(number)) => sqlite_kind(number),
        _ => Kind::Refused,
    }
}

/// The lowest byte is the primary result code (sqlite.org/rescode.html).
fn sqlite_kind(code: u32) -> Kind {
    match code & 0xff {
        5 | 6 => Kind::Unavailable,   // BUSY, LOCKED: another process holds it
        8 | 10 | 14 | 23 => Kind::Io, // READONLY, IOERR, CANTOPEN, AUTH
        11 | 26 => Kind::Damaged,     // CORRUPT, NOTADB
        13 => Kind::Full,             // FULL
        19 => Kind::Conflict,         // CONSTRAINT
        _ => Kind::Refused,
    }
}

/// `SQLSTATE` (Appendix A of the manual): the class, and single codes where a class is mixed.
fn postgres_kind(code: &str) -> Kind {
    match (code, code.get(..2).unwrap_or_default()) {
        ("53100", _) => Kind::Full,
        ("58030", _) => Kind::Io,
        // No connection; out of memory or connections; an operator stopped it or the time is up;
        // a standby; a deadlock or a lock not granted in time.
        (_, "08" | "53" | "57") | ("25006" | "40001" | "40P01" | "55P03" | "25P03", _) => {
            Kind::Unavailable
        }
        ("23505", _) => Kind::Conflict,
        (_, "XX") => Kind::Damaged,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_manuals_say() {
        for (code, expected) in [
            ("5", Kind::Unavailable),
            ("517", Kind::Unavailable), // BUSY_SNAPSHOT
            ("778", Kind::Io),          // IOERR_WRITE
            ("1032", Kind::Io),         // READONLY_DBMOVED
            ("11", Kind::Damaged),
            ("26", Kind::Damaged),
            ("13", Kind::Full),
            ("1555", Kind::Conflict), // CONSTRAINT_PRIMARYKEY
            ("1", Kind::Refused),
            ("53100", Kind::Full),
            ("53300", Kind::Unavailable), // too many connections
            ("57P01", Kind::Unavailable), // an operator stops it
            ("57P03", Kind::Unavailable), // starting up
            ("08006", Kind::Unavailable),
            ("40P01", Kind::Unavailable),
            ("23505", Kind::Conflict),
            ("XX001", Kind::Damaged),
            ("42P01", Kind::Refused),
            ("", Kind::Refused),
        ] {
            assert_eq!(kind(code), expected, "{code}");
        }
    }
}
