//! What every store of the migration's state holds. Written for several workers on several
//! machines: `connect` is another one's connection to the same store, which was empty at first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Change, Claim, Disposition, InteractionRow, Ledger, NewInteraction, NewRecording, Pass, Redo,
};
use crate::custody;
use crate::step::Phase;

/// A connection to one store.
type Connection = Arc<dyn Ledger>;

/// Runs each check on a store of its own, which `store` makes; what it answers connects to that
/// store. `at` sets the store's own clock, where it has one, Unix ms.
pub(super) async fn holds<C: AsyncFn() -> Connection>(
    store: impl AsyncFn() -> C,
    at: impl AsyncFn(&Connection, i64),
) {
    a_page_waits_until_the_next_one_shows_no_namesake(&store().await).await;
    a_value_is_there_for_everybody(&store().await).await;
    nobody_is_given_what_another_holds(&store().await).await;
    a_lease_ends_unless_it_is_renewed(&store().await, &at).await;
    what_is_released_goes_to_somebody_else(&store().await).await;
    workers_on_several_machines_take_each_call_once(&store().await).await;
    the_last_state_of_a_row_is_what_stays(&store().await).await;
    an_error_is_tried_again_and_told_once(&store().await).await;
    custody_is_one_chain_whoever_writes(&store().await).await;
    a_call_is_sent_again_from_where_it_is_wrong(&store().await).await;
    a_changed_plan_decides_anew_what_is_not_confirmed(&store().await).await;
}

fn listed(id: &str, entity: &str) -> NewInteraction {
    NewInteraction {
        legacy_id: id.to_owned(),
        entity: entity.to_owned(),
        headers: "{}".to_owned(),
        unreadable: None,
        recordings: vec![NewRecording {
            legacy_id: format!("{id}-1"),
        }],
    }
}

/// Lists so many calls, named from 1, in one page that is the last.
async fn list(ledger: &Connection, count: u64) {
    let rows = (1..=count)
        .map(|id| listed(&id.to_string(), "{}"))
        .collect();
    ledger.add_page(0, rows, None).await.expect("a page");
}

fn claim_of(holder: &str, now_ms: i64) -> Claim {
    Claim {
        holder: holder.to_owned(),
        pass: Pass::First,
        after: 0,
        most: 2,
        now_ms,
        until_ms: now_ms + 100,
    }
}

async fn claimed(ledger: &Connection, claim: Claim) -> Vec<String> {
    ids(&ledger.claim(claim).await.expect("rows"))
}

fn ids(rows: &[InteractionRow]) -> Vec<String> {
    rows.iter().map(|row| row.legacy_id.clone()).collect()
}

pub(super) fn hop(id: &str, name: &'static str) -> custody::Entry {
    custody::Entry {
        legacy_interaction_id: id.to_owned(),
        legacy_recording_id: format!("{id}-1"),
        hop: name,
        at: "2026-01-01T00:00:00.000Z".to_owned(),
        sha256_before: None,
        sha256_after: None,
        bytes: None,
        tool: custody::TOOL,
        encoder: None,
        plan_hash: String::new(),
        plan_hash_before: None,
        target_id: None,
        confirm_sha256: None,
        reason: None,
        detail: None,
    }
}

async fn save(ledger: &Connection, row: &InteractionRow, hops: Vec<custody::Entry>) {
    ledger
        .save(
            row,
            Change {
                custody: hops,
                ..Change::default()
            },
        )
        .await
        .expect("saved");
}

/// The one call of a store.
async fn only(ledger: &Connection) -> InteractionRow {
    let mut rows = ledger.these(vec![1]).await.expect("rows");
    rows.remove(0)
}

async fn a_page_waits_until_the_next_one_shows_no_namesake(connect: &impl AsyncFn() -> Connection) {
    let ledger = connect().await;
    let open = || async {
        // Nobody's claim, so that the same calls are shown each time.
        let rows = claimed(
            &ledger,
            Claim {
                most: 10,
                ..claim_of("reader", 0)
            },
        )
        .await;
        ledger.release("reader", true).await.expect("released");
        rows
    };
    let page =
        |number, rows, next: Option<&str>| ledger.add_page(number, rows, next.map(str::to_owned));
    page(
        0,
        vec![listed("1", "{\"a\":1}"), listed("2", "{}")],
        Some("b"),
    )
    .await
    .expect("a page");
    assert!(
        open().await.is_empty(),
        "the next page may show that an id is not one call's alone"
    );
    page(
        1,
        vec![listed("1", "{\"a\":2}"), listed("3", "{}")],
        Some("c"),
    )
    .await
    .expect("a page");
    assert_eq!(
        open().await,
        ["2"],
        "1 is two calls, and 3 has no page behind it yet"
    );
    page(2, vec![listed("4", "{}")], None)
        .await
        .expect("a page");
    assert_eq!(open().await, ["2", "3", "4"]);
    let tally = ledger.tally().await.expect("counts");
    assert_eq!(
        (
            tally.interactions,
            tally.interactions_set_aside,
            tally.extraction_finished
        ),
        (4, 1, true)
    );
    assert_eq!(tally.quarantined["id_collision"], 1);
}

async fn a_value_is_there_for_everybody(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    assert_eq!(one.meta("key").await.expect("read"), None);
    one.set_meta(vec![("key", "a".to_owned()), ("other", "b".to_owned())])
        .await
        .expect("set");
    one.set_meta(vec![("key", "c".to_owned())])
        .await
        .expect("set");
    assert_eq!(other.meta("key").await.expect("read").as_deref(), Some("c"));
    assert_eq!(
        other.meta("other").await.expect("read").as_deref(),
        Some("b")
    );
}

async fn nobody_is_given_what_another_holds(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 5).await;
    assert_eq!(
        claimed(&one, claim_of("one", 0)).await,
        ["1", "2"],
        "in the order of extraction, and no more than asked for"
    );
    assert_eq!(claimed(&other, claim_of("other", 0)).await, ["3", "4"]);
    assert_eq!(
        claimed(
            &one,
            Claim {
                after: 2,
                ..claim_of("one", 1)
            }
        )
        .await,
        ["5"]
    );
    assert!(
        claimed(
            &other,
            Claim {
                after: 4,
                ..claim_of("other", 2)
            }
        )
        .await
        .is_empty()
    );
}

async fn a_lease_ends_unless_it_is_renewed(
    connect: &impl AsyncFn() -> Connection,
    at: &impl AsyncFn(&Connection, i64),
) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 4).await;
    assert_eq!(claimed(&one, claim_of("one", 0)).await, ["1", "2"]);
    // Whoever claims again renews what it has.
    at(&one, 90).await;
    assert_eq!(
        claimed(
            &one,
            Claim {
                after: 2,
                most: 1,
                ..claim_of("one", 90)
            }
        )
        .await,
        ["3"]
    );
    at(&one, 150).await;
    assert_eq!(
        claimed(
            &other,
            Claim {
                most: 9,
                ..claim_of("other", 150)
            }
        )
        .await,
        ["4"]
    );
    at(&one, 190).await;
    assert_eq!(
        claimed(
            &other,
            Claim {
                most: 9,
                ..claim_of("other", 190)
            }
        )
        .await,
        ["1", "2", "3"],
        "a machine was lost, and nobody is given what it has already"
    );
}

async fn what_is_released_goes_to_somebody_else(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 3).await;
    assert_eq!(claimed(&one, claim_of("one", 0)).await, ["1", "2"]);
    other.release("other", true).await.expect("released");
    assert_eq!(
        claimed(&other, claim_of("other", 0)).await,
        ["3"],
        "only what is one's own is released"
    );
    one.release("one", true).await.expect("released");
    assert_eq!(claimed(&other, claim_of("other", 1)).await, ["1", "2"]);
}

async fn workers_on_several_machines_take_each_call_once(connect: &impl AsyncFn() -> Connection) {
    const CALLS: usize = 40;
    list(&connect().await, CALLS as u64).await;
    let worker = |name: String| async move {
        let ledger = connect().await;
        let (mut taken, mut after) = (Vec::new(), 0);
        loop {
            let rows = ledger
                .claim(Claim {
                    after,
                    most: 3,
                    ..claim_of(&name, 0)
                })
                .await
                .expect("rows");
            let Some(last) = rows.last() else {
                return taken;
            };
            after = last.seq;
            for mut row in rows {
                row.phase = Phase::Done;
                save(&ledger, &row, vec![hop(&row.legacy_id, "confirm")]).await;
                taken.push(row.legacy_id);
            }
            ledger.flush().await.expect("durable");
        }
    };
    let taken: Vec<String> =
        futures_util::future::join_all((0..8).map(|n| worker(format!("worker {n}"))))
            .await
            .concat();
    assert_eq!(
        (taken.len(), taken.iter().collect::<BTreeSet<_>>().len()),
        (CALLS, CALLS)
    );
    let ledger = connect().await;
    assert_eq!(
        ledger.tally().await.expect("counts").interactions_done,
        CALLS as u64
    );
    assert_eq!(ledger.custody_lines().await.expect("lines"), CALLS as u64);
}

async fn the_last_state_of_a_row_is_what_stays(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 1).await;
    let mut row = only(&one).await;
    (row.phase, row.target_state) = (Phase::Staged, Some("{\"a\":1}".to_owned()));
    row.recordings[0].staged_sha256 = Some("ab".to_owned());
    save(&one, &row, Vec::new()).await;
    row.phase = Phase::Converted;
    (row.recordings[0].outcome, row.recordings[0].reason) =
        (Some(Disposition::Skipped), Some("expired".to_owned()));
    save(&one, &row, Vec::new()).await;
    one.flush().await.expect("durable");
    let there = only(&other).await;
    assert_eq!(
        (there.phase, there.target_state.as_deref()),
        (Phase::Converted, Some("{\"a\":1}"))
    );
    let recording = &there.recordings[0];
    assert_eq!(
        (recording.staged_sha256.as_deref(), recording.outcome),
        (Some("ab"), Some(Disposition::Skipped))
    );
    assert_eq!(
        (there.entity.as_str(), there.headers.as_str()),
        ("{}", "{}"),
        "what was extracted is not written again"
    );
    assert_eq!(other.tally().await.expect("counts").skipped["expired"], 1);
    // What another page has set aside as a collision stays so, whatever a worker saves that had it
    // in hand.
    other
        .add_page(1, vec![listed("1", "{\"a\":2}")], None)
        .await
        .expect("a page");
    save(&one, &row, Vec::new()).await;
    one.flush().await.expect("durable");
    assert_eq!(only(&other).await.phase, Phase::SetAside);
}

async fn an_error_is_tried_again_and_told_once(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 1).await;
    assert_eq!(claimed(&one, claim_of("one", 0)).await, ["1"]);
    let held = only(&one).await.claim;
    let left = |at: &str| {
        one.set_error(
            1,
            held,
            "no answer".to_owned(),
            at.to_owned(),
            vec![hop("1", "left")],
        )
    };
    left("then").await.expect("noted");
    left("later").await.expect("noted");
    assert_eq!(
        (
            only(&other).await.error_since.as_deref(),
            other.custody_lines().await.expect("lines")
        ),
        (Some("then"), 1)
    );
    assert!(
        claimed(&other, claim_of("other", 1)).await.is_empty(),
        "what met no error goes first"
    );
    assert_eq!(
        claimed(
            &other,
            Claim {
                pass: Pass::Retry,
                ..claim_of("other", 1)
            }
        )
        .await,
        ["1"],
        "an error gives a call back"
    );
    let mut row = only(&other).await;
    row.phase = Phase::Staged;
    save(&other, &row, Vec::new()).await;
    other.flush().await.expect("durable");
    assert_eq!(
        only(&one).await.error,
        None,
        "whatever is saved has gone on since"
    );
}

async fn custody_is_one_chain_whoever_writes(connect: &impl AsyncFn() -> Connection) {
    let (one, other) = (connect().await, connect().await);
    list(&one, 2).await;
    let rows = one.these(vec![1, 2]).await.expect("rows");
    save(&one, &rows[0], vec![hop("1", "stage"), hop("1", "convert")]).await;
    one.flush().await.expect("durable");
    save(&other, &rows[1], vec![hop("2", "stage")]).await;
    other.flush().await.expect("durable");
    one.set_meta_with(vec![("canary", "{}".to_owned())], vec![hop("1", "canary")])
        .await
        .expect("set");
    let mut previous = "0".repeat(64);
    for (n, (_, line)) in other
        .custody_after(0, 10)
        .await
        .expect("lines")
        .iter()
        .enumerate()
    {
        let document: serde_json::Value = serde_json::from_str(line).expect("a line");
        assert_eq!(
            (document["n"].as_u64(), document["previous"].as_str()),
            (Some(n as u64 + 1), Some(previous.as_str()))
        );
        previous = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(line));
    }
    assert_eq!(other.custody_lines().await.expect("lines"), 4);
}

async fn a_call_is_sent_again_from_where_it_is_wrong(connect: &impl AsyncFn() -> Connection) {
    let ledger = connect().await;
    list(&ledger, 1).await;
    let mut row = only(&ledger).await;
    (row.phase, row.target_id) = (Phase::Done, Some("there".to_owned()));
    save(&ledger, &row, Vec::new()).await;
    assert!(
        claimed(&ledger, claim_of("one", 0)).await.is_empty(),
        "it is finished"
    );
    ledger
        .redo_under_plan(vec![(1, Redo::Document)])
        .await
        .expect("noted");
    let rows = ledger
        .claim(Claim {
            pass: Pass::Redo,
            ..claim_of("one", 0)
        })
        .await
        .expect("rows");
    assert_eq!(
        (ids(&rows), rows[0].redo, rows[0].target_id.as_deref()),
        (vec!["1".to_owned()], Some(Redo::Document), Some("there"))
    );
    ledger
        .unrepairable(vec![(1, "why".to_owned())])
        .await
        .expect("noted");
    let there = only(&ledger).await;
    assert_eq!(
        (there.redo, there.unrepaired.as_deref()),
        (None, Some("why"))
    );
    assert_eq!(ledger.behind().await.expect("rows"), [1]);
    ledger
        .take_up(Vec::new(), vec![1], false)
        .await
        .expect("taken up");
    assert_eq!(only(&ledger).await.redo, Some(Redo::Source));
}

async fn a_changed_plan_decides_anew_what_is_not_confirmed(connect: &impl AsyncFn() -> Connection) {
    let ledger = connect().await;
    list(&ledger, 2).await;
    let mut rows = ledger.these(vec![1, 2]).await.expect("rows");
    rows[0].phase = Phase::Done;
    (rows[1].phase, rows[1].reason) = (Phase::SetAside, Some("audio_short".to_owned()));
    for row in &mut rows {
        row.recordings[0].staged_sha256 = Some("ab".to_owned());
        row.recordings[0].target_state = Some("{}".to_owned());
        save(&ledger, row, Vec::new()).await;
    }
    ledger.decide_anew(false).await.expect("decided");
    let rows = ledger.these(vec![1, 2]).await.expect("rows");
    assert_eq!(
        (rows[0].phase, rows[0].recordings[0].target_state.as_deref()),
        (Phase::Done, Some("{}"))
    );
    assert_eq!(
        (
            rows[1].phase,
            &rows[1].reason,
            &rows[1].recordings[0].target_state
        ),
        (Phase::Staged, &None, &None)
    );
    assert_eq!(
        rows[1].recordings[0].staged_sha256.as_deref(),
        Some("ab"),
        "what was staged need not be fetched again"
    );
}
