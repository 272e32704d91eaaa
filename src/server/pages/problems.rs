//! What is wrong with a repository, in words; and its state, in one.

use super::figures;
use super::model::{Problem, State};
use crate::tuf::role::RoleName;
use jiff::Timestamp;
use maud::{Markup, html};

/// A state as a word, with a sign and a colour to find it by.
pub(super) fn badge(state: State) -> Markup {
    let (class, word) = match state {
        State::Fine => ("fine", "fine"),
        State::Soon => ("soon", "expires soon"),
        State::SignerExpired => ("soon", "signer expired"),
        State::Unsigned => ("bad", "signatures missing"),
        State::Expired => ("bad", "expired"),
        State::Unreadable => ("bad", "not readable"),
    };
    html! { span class={ "state " (class) } { (sign(state)) (word) } }
}

fn sign(state: State) -> Markup {
    let shape = match state {
        State::Fine => "m3.5 8.5 3 3 6-7",
        State::Soon | State::SignerExpired => "M8 1.8a6.2 6.2 0 1 0 .01 0zM8 4.8v3.6l2.2 1.4",
        State::Unsigned | State::Expired | State::Unreadable => "M8 3.5v6M8 12v.5",
    };
    html! {
        svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false" {
            path d=(shape) {}
        }
    }
}

/// Everything that is wrong, or that nothing is.
pub(super) fn section(problems: &[Problem], now: Timestamp) -> Markup {
    if problems.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="problems" {
            h2 #problems { "What is wrong" }
            ul.problems {
                @for problem in problems.iter().take(MOST) { (item(problem, now)) }
                (figures::more(problems.len(), MOST))
            }
        }
    }
}

fn item(problem: &Problem, now: Timestamp) -> Markup {
    let class = match problem.state() {
        State::Fine => "note",
        State::Soon | State::SignerExpired => "soon",
        _ => "bad",
    };
    html! { li class=(class) { strong { (title(problem)) } " " (words(problem, now)) } }
}

fn title(problem: &Problem) -> &'static str {
    match problem {
        Problem::Refused(_) => "Not believed by clients.",
        Problem::Expired { .. } => "Expired.",
        Problem::Unsigned { .. } => "Not enough valid signatures.",
        Problem::TooFewKeys { .. } => "Too few keys.",
        Problem::Soon { .. } => "Expires soon.",
        Problem::NeverSigned { .. } => "Never signed.",
        Problem::NoPaths { .. } => "May sign nothing.",
    }
}

fn words(problem: &Problem, now: Timestamp) -> Markup {
    match problem {
        Problem::Refused(fault) => html! { "They say: " q { (fault) } "." },
        Problem::Expired { role, at } => html! {
            (name(role)) " expired on " (figures::moment(*at)) ", "
            (figures::distance(*at, now)) ". " (consequence(role))
        },
        Problem::Unsigned { role, why } => html! {
            (name(role)) " is not believed: " q { (why) } ". " (consequence(role))
        },
        Problem::TooFewKeys {
            role,
            keys,
            threshold,
        } => html! {
            (name(role)) " needs signatures of " (threshold) " keys"
            " and has " (keys) ". Nothing it signs can be valid."
        },
        Problem::Soon { role, at } => html! {
            (name(role)) " expires on " (figures::moment(*at)) ", "
            (figures::distance(*at, now)) ". " (remedy(role))
        },
        Problem::NeverSigned { role } => html! {
            (name(role)) " may sign, and has not signed anything yet."
        },
        Problem::NoPaths { role } => html! {
            (name(role)) " has no paths: clients ignore whatever it signs."
        },
    }
}

fn consequence(role: &RoleName) -> &'static str {
    if role.is_delegation() {
        "Clients ignore what it signed."
    } else {
        "Clients refuse every image of this repository."
    }
}

fn remedy(role: &RoleName) -> &'static str {
    match role.as_str() {
        "timestamp" => "The server should have renewed it by now.",
        "snapshot" => "The server renews it if it holds the key; otherwise a publish does.",
        "root" => "The owner of the root key has to sign it again.",
        _ => "Signing any tag in it renews it.",
    }
}

fn name(role: &RoleName) -> Markup {
    html! { code { (role) } }
}

/// Problems listed.
const MOST: usize = 50;
