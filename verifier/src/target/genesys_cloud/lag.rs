//! Whether what is not shown may be there all the same, because analytics lags behind.

use crate::utc_millis::UtcMillis;

/// Analytics may still hide a conversation if its data ends before the newest recording we know of;
/// without any, if it ends well before now; and if it does not say where its data ends.
pub(super) fn lag(
    newest: Option<UtcMillis>,
    available: Option<UtcMillis>,
    now: UtcMillis,
) -> Option<String> {
    // Time between a job's submission and its snapshot, and clocks that differ: neither is lag.
    const SLACK_MS: i64 = 60_000;
    let Some(available) = available else {
        return Some(
            "analytics to say up to when its data is complete (dataAvailabilityDate)".to_owned(),
        );
    };
    let newest = newest.unwrap_or(now);
    (newest.since(available) > SLACK_MS).then(|| {
        format!(
            "analytics is complete only up to {available}; verify again when it has passed {newest}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_suspected_only_where_it_could_hide_something() {
        let at = |text: &str| UtcMillis::parse(text).expect("an instant");
        let now = at("2026-11-20T12:00:00Z");
        let made = Some(at("2026-11-18T00:00:00Z"));
        assert!(lag(made, Some(at("2026-11-17T00:00:00Z")), now).is_some());
        assert!(
            lag(made, Some(at("2026-11-19T00:00:00Z")), now).is_none(),
            "complete past the newest recording"
        );
        assert!(lag(None, Some(now), now).is_none());
        assert!(lag(None, Some(at("2026-11-19T00:00:00Z")), now).is_some());
        assert!(
            lag(None, None, now).is_some(),
            "an unknown watermark proves no absence"
        );
    }
}
