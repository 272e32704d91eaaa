//! What happens on the way, in words.

use super::output::Output;
use trust::repository::Event;

/// Tells people what a verb found worth telling.
pub(crate) fn tell(out: &Output, event: Event) {
    match event {
        Event::Conflict => out.note("someone else published first, trying again"),
        Event::ClockBehind { seen, gun } => out.warn(&format!(
            "this machine's clock has shown {seen} before, and that counts for {gun}; if it was wrong \
             then, remove .floor.json from the repository's folder below the trust directory's `tuf`"
        )),
        Event::KeptTimestamp { cause, valid_until } => out.warn_always(&format!(
            "Error while downloading remote metadata, using cached timestamp - this might not be \
             the latest version available remotely (valid until {valid_until}): {cause}"
        )),
        Event::NearExpiry { gun, role, expires } => out.warn(&format!(
            "the {role} metadata of {gun} expire soon, on {expires}: `{} repo renew {gun}` signs them again",
            out.program()
        )),
        Event::LapsedTimestamp { expired } => out.warn_always(&format!(
            "the timestamp expired at {expired}: nothing says that what is signed again now is newer than that"
        )),
        Event::RoleRestarted { role } => out.warn_always(&format!(
            "{role} had lost its valid signatures; it begins anew with what is signed now"
        )),
        Event::KeySkipped { id, cause } => {
            out.warn_always(&format!("not signed with key {id}: {cause}"));
        }
        Event::NotSeenYet { cause } => {
            out.warn_always(&format!("published, but not read back yet: {cause}"));
        }
        _ => {}
    }
}
