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
        Event::FewerKeys { role, threshold } => out.warn_always(&format!(
            "role {role} has fewer keys than its threshold of {threshold}; it will not be usable \
             until keys are added to it"
        )),
        Event::KeysNotPurged { role } => out.warn_always(&format!(
            "role {role} contains keys being purged but you do not have the necessary keys present \
             to sign it; keys will not be purged from {role} or its immediate children"
        )),
        Event::SignaturesLost { role } => out.warn_always(&format!(
            "{role} loses its valid signatures; a holder of one of its keys signs it again with \
             `trust witness` and {role}"
        )),
        Event::Vouched { role, tags } => out.warn_always(&format!(
            "nobody who may had signed what {role} says; you vouch for it: {}",
            named(&tags)
        )),
        Event::NotSeenYet { cause } => {
            out.warn_always(&format!("published, but not read back yet: {cause}"));
        }
        _ => {}
    }
}

/// Tags in one line; of many the first ones.
pub(crate) fn named(tags: &[String]) -> String {
    let (shown, more) = tags.split_at(tags.len().min(SHOWN));
    match (shown, more.len()) {
        ([], _) => "none".to_owned(),
        (shown, 0) => shown.join(", "),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Tags named in one line.
const SHOWN: usize = 20;
