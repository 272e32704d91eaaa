//! How long the API server waits for an answer.

use std::time::Duration;

/// How long deciding may take: what the API server says in the query, less what the way back takes.
///
/// It says whole seconds, rounded up (Kubernetes, `mutating/dispatcher.go`), so that up to one of
/// them is not really there.
pub(super) fn allowed(query: Option<&str>) -> Duration {
    let parameters = query.unwrap_or_default().split('&');
    let timeout = parameters
        .filter_map(|parameter| parameter.strip_prefix("timeout="))
        .find_map(seconds)
        .unwrap_or(DEFAULT)
        .min(LONGEST);
    timeout.saturating_sub(MARGIN.min(timeout / 2))
}

/// `10s`, as the API server writes it; milliseconds for those who try it by hand.
fn seconds(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => text
            .strip_suffix('s')?
            .parse()
            .ok()
            .map(Duration::from_secs),
    }
}

/// What a webhook without `timeoutSeconds` gets.
const DEFAULT: Duration = Duration::from_secs(10);
/// The largest `timeoutSeconds` there is.
const LONGEST: Duration = Duration::from_secs(30);
const MARGIN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_ready_before_nobody_waits_any_more() {
        for (query, milliseconds) in [
            (None, 9_000),
            (Some(""), 9_000),
            (Some("timeout=10s"), 9_000),
            (Some("a=b&timeout=30s&c"), 29_000),
            (Some("timeout=3600s"), 29_000),
            (Some("timeout=18446744073709551615s"), 29_000),
            (Some("timeout=2s"), 1_000),
            (Some("timeout=1s"), 500),
            (Some("timeout=100ms"), 50),
            (Some("timeout=0s"), 0),
            (Some("timeout=-1s"), 9_000),
            (Some("timeout=soon"), 9_000),
            (Some("timeout=99999999999999999999s"), 9_000),
        ] {
            assert_eq!(
                allowed(query),
                Duration::from_millis(milliseconds),
                "{query:?}"
            );
        }
    }
}
