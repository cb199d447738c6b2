//! Searching for recordings of ours that no call of the source accounts for. A search tells at most
//! 100 recordings, so it is asked by narrow windows and never taken for a proof of completeness.
//! Source: Recording Access; call recording API 8.5.0.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};
use platforms::gir::RwsClient;

use super::reach::Reach;
use crate::run_error::RunError;
use crate::utc_millis::UtcMillis;

/// Calls of the source a window is made for: half of what a search tells, so that as many others
/// may lie between them.
pub(crate) const CALLS_A_WINDOW: usize = 50;
/// What a search tells at most. Source: call recording API 8.5.0.
const MOST_TOLD: usize = 100;
/// The shortest window: two recordings of one millisecond cannot be told apart by time.
const SHORTEST_MS: i64 = 1;
/// A surplus recording may begin a little outside the days of the source's calls. Milliseconds.
const MARGIN_MS: i64 = 24 * 3_600_000;

/// From the first instant, up to the second exclusively.
pub(super) type Window = (UtcMillis, UtcMillis);

/// Finds ids of recordings that begin in these windows. Returns what would be needed to see all of
/// them.
pub(super) async fn near(
    client: &RwsClient,
    reach: &Reach,
    windows: Vec<Window>,
    concurrency: usize,
    found: &mut dyn FnMut(&str) -> Result<(), RunError>,
) -> Result<BTreeSet<String>, RunError> {
    let searches = stream::iter(windows).map(|window| inside(client, reach, window));
    let mut searches = searches.buffered(concurrency.max(1));
    let mut needs = BTreeSet::new();
    while let Some(searched) = searches.next().await {
        let (ids, need) = searched?;
        needs.extend(need);
        for id in &ids {
            found(id)?;
        }
    }
    Ok(needs)
}

/// Windows that touch one another, from before the first call to behind the last. `starts`: in
/// their order.
pub(super) fn windows(
    starts: impl Iterator<Item = Result<UtcMillis, RunError>>,
) -> Result<Vec<Window>, RunError> {
    let (mut ends, mut all) = (Vec::new(), None::<Window>);
    for (at, start) in starts.enumerate() {
        let start = start?;
        all = Some((all.map_or(start, |(first, _)| first), start));
        if at > 0 && at % CALLS_A_WINDOW == 0 && ends.last() != Some(&start) {
            ends.push(start);
        }
    }
    let Some((first, last)) = all else {
        return Ok(Vec::new());
    };
    ends.push(last.plus_ms(MARGIN_MS));
    let mut from = first.plus_ms(-MARGIN_MS);
    Ok(ends
        .into_iter()
        .map(|end| {
            let window = (from, end);
            from = end;
            window
        })
        .collect())
}

/// Everything in a window, halved while it tells as much as a search tells at most.
async fn inside(
    client: &RwsClient,
    reach: &Reach,
    window: Window,
) -> Result<(Vec<String>, Option<String>), RunError> {
    let (mut ids, mut open) = (Vec::new(), vec![window]);
    while let Some((from, until)) = open.pop() {
        let page = match client.search(&text(from), &text(until), 0).await {
            Ok(page) => page,
            Err(error) => {
                return Ok((
                    ids,
                    Some(reach.need_of("gir.query_recordings", "search recordings", &error)?),
                ));
            }
        };
        let is_full = page.ids.len() >= MOST_TOLD;
        if is_full && until.since(from) > SHORTEST_MS {
            let middle = from.plus_ms(until.since(from) / 2);
            open.extend([(from, middle), (middle, until)]);
            continue;
        }
        ids.extend(page.ids);
        if is_full {
            return Ok((
                ids,
                Some(format!(
                    "a search that tells more than {MOST_TOLD} recordings that begin at {from}"
                )),
            ));
        }
    }
    Ok((ids, None))
}

/// As the service writes times: its own shape is the one that is surely read.
fn text(at: UtcMillis) -> String {
    at.to_string().replace('Z', "+0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_all_days_and_hold_few_calls() {
        let windows = |starts: &[UtcMillis]| {
            super::windows(starts.iter().map(|start| Ok(*start))).expect("windows")
        };
        assert!(windows(&[]).is_empty());
        let starts: Vec<UtcMillis> = (0..120)
            .map(|at| UtcMillis::from_ms(1_698_400_800_000 + at * 60_000))
            .collect();
        let found = windows(&starts);
        assert_eq!(found.len(), 3);
        assert!(
            found.windows(2).all(|pair| pair[0].1 == pair[1].0),
            "no gap between them"
        );
        assert!(
            starts
                .iter()
                .all(|start| found[0].0 < *start && *start < found[2].1)
        );
        assert_eq!(
            found[0].1,
            UtcMillis::from_ms(1_698_400_800_000 + 50 * 60_000)
        );
        let at_once = windows(&[starts[0]; 300]);
        assert_eq!(
            at_once.len(),
            2,
            "calls of one instant do not make empty windows"
        );
    }

    #[test]
    fn times_are_written_as_the_service_does() {
        assert_eq!(
            text(UtcMillis::from_ms(1_698_400_800_123)),
            "2023-10-27T10:00:00.123+0000"
        );
    }
}
