//! Whether the source was read whole, what a running migration is still at, and what has changed
//! since an earlier verification.

#[path = "support/small_world.rs"]
mod small_world;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use platforms::transport::{Body, Network, Transport, TransportError};
use small_world::{FirstRowLost, GUIDE, World, network};
use support::{read, seatrial};
use tokio::sync::Notify;
use verifier::{ChangeKind, Options, SourceFrom, Verdict};

const GIR: &str = "target = \"gir\"\n";
const PUBLIC: &str = "target = \"genesys_cloud\"\ningest = \"public\"\n";

/// An hour, after which a call is at rest.
const REST: Duration = Duration::from_secs(3600);

/// A migrator that stands still at some of its requests, with all of its workers, until it is let
/// go on.
struct Halting {
    inner: Network,
    sent: AtomicU64,
    /// The request it stands still at.
    at: AtomicU64,
    stands: Notify,
    goes_on: Notify,
    has_ended: AtomicBool,
}

impl Halting {
    fn new(first: u64) -> Arc<Halting> {
        Arc::new(Halting {
            inner: Network::new().expect("a network"),
            sent: AtomicU64::new(0),
            at: AtomicU64::new(first),
            stands: Notify::new(),
            goes_on: Notify::new(),
            has_ended: AtomicBool::new(false),
        })
    }

    /// Lets it go on to another request.
    fn go_on(&self, to: u64) {
        self.at.store(to, Ordering::SeqCst);
        self.goes_on.notify_waiters();
    }
}

#[async_trait]
impl Transport for Halting {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, TransportError> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        loop {
            let goes_on = self.goes_on.notified();
            if number < self.at.load(Ordering::SeqCst) {
                break;
            }
            self.stands.notify_one();
            goes_on.await;
        }
        self.inner.send(request).await
    }
}

/// A file of control totals in the world's folder.
fn totals(world: &World, text: &str) -> PathBuf {
    let path = world.file("totals.csv");
    std::fs::write(&path, text).expect("totals");
    path
}

fn staged(totals: Option<PathBuf>) -> Options {
    Options {
        source: SourceFrom::Staged,
        totals,
        ..Options::default()
    }
}

/// Recordings by day in London and queue, as an operator of the source counts them.
fn counted(report: &Path) -> BTreeMap<String, u64> {
    let mut days: BTreeMap<String, u64> = BTreeMap::new();
    let mut rows = csv::Reader::from_path(report.join("recordings.csv")).expect("recordings");
    for row in rows.deserialize::<verifier::RecordingLine>() {
        let start: jiff::Timestamp = row.expect("a row").start.parse().expect("a time");
        let day = start.in_tz("Europe/London").expect("a zone").date();
        *days.entry(day.to_string()).or_default() += 1;
    }
    days
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skipped_first_row_of_each_page_is_told_by_whatever_tells_the_population() {
    let world = World::start(170, GUIDE).await;
    let careless = Arc::new(FirstRowLost(Network::new().expect("a network")));
    world.migrate(careless, None).await;

    let live = world
        .verify(
            Options {
                report_dir: Some(world.file("live")),
                ..Options::default()
            },
            Duration::ZERO,
        )
        .await;
    // 40 calls on pages of 8.
    let lost: Vec<&str> = live
        .findings
        .iter()
        .filter_map(|finding| finding.legacy_interaction_id.as_deref())
        .collect();
    let calls: std::collections::BTreeSet<&str> = lost.iter().copied().collect();
    assert_eq!(
        (live.summary.verdict, calls.len()),
        (Verdict::Mismatch, 5),
        "{}",
        live.text()
    );

    let alone = world.verify(staged(None), Duration::ZERO).await;
    assert_eq!(
        (alone.summary.verdict, alone.findings.len()),
        (Verdict::CannotTell, 0),
        "{}",
        alone.text()
    );
    let told = &alone.summary.sentence;
    assert!(
        told.contains("as far as they were staged; needed: control totals (--totals)"),
        "{told}"
    );

    let days = counted(&world.file("live"));
    let lines = |days: &BTreeMap<String, u64>| {
        days.iter()
            .map(|(day, count)| format!("{day},{count}\n"))
            .collect::<String>()
    };
    let totals = totals(&world, &format!("day,count\n{}", lines(&days)));
    let by_day = world.verify(staged(Some(totals)), Duration::ZERO).await;
    let compared = by_day.summary.totals.as_ref().expect("compared");
    assert_eq!(
        by_day.summary.verdict,
        Verdict::Mismatch,
        "{}",
        by_day.text()
    );
    assert_eq!(compared.zone, "Europe/London");
    let missing: u64 = compared
        .differences
        .iter()
        .map(|off| off.expected - off.source)
        .sum();
    assert_eq!(missing as usize, lost.len(), "{}", by_day.text());
    for off in &compared.differences {
        let day = off.day.as_ref().expect("a day");
        assert_eq!(days[day], off.expected);
        assert_eq!(off.in_target + off.stay_behind, off.source, "{off:?}");
        assert!(
            by_day.text().contains(&format!(
                "control total of {day}: {} recordings by the control totals, {} staged, {} in \
                 the target",
                off.expected, off.source, off.in_target
            )),
            "{}",
            by_day.text()
        );
    }
    assert!(
        by_day.summary.sentence.contains("control total"),
        "{}",
        by_day.summary.sentence
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn staging_is_a_match_only_beside_totals_that_count_every_call() {
    let world = World::start(171, GUIDE).await;
    world.migrate(network(), None).await;
    let live = Options {
        report_dir: Some(world.file("live")),
        ..Options::default()
    };
    let live = world.verify(live, Duration::ZERO).await;
    let counts = live.summary.counts;
    assert_eq!(live.summary.verdict, Verdict::Match, "{}", live.text());
    let days = counted(&world.file("live"));
    let (first, rest) = days
        .iter()
        .next()
        .map(|(day, count)| (day, *count))
        .expect("a day");
    let (recordings, calls) = (counts.source_recordings, counts.source_interactions);
    for (text, wanted, words) in [
        (
            format!("count,calls\n{recordings},{calls}\n"),
            Verdict::Match,
            "judged against staged data",
        ),
        (
            format!("calls\n{}\n", calls + 1),
            Verdict::Mismatch,
            "1 control total is not met: all: 41 calls by the control totals, 40 staged",
        ),
        // A recording of a call that was staged may be missing all the same.
        (
            format!("calls\n{calls}\n"),
            Verdict::CannotTell,
            "needed: control totals (--totals)",
        ),
        (
            format!("day,count\n{first},{rest}\n"),
            Verdict::CannotTell,
            "needed: control totals (--totals)",
        ),
        (
            format!("site,count\nN1,{recordings}\nN2,0\n"),
            Verdict::Mismatch,
            "2 control totals are not met",
        ),
    ] {
        let report = world
            .verify(staged(Some(totals(&world, &text))), Duration::ZERO)
            .await;
        assert_eq!(report.summary.verdict, wanted, "{text}{}", report.text());
        assert!(report.summary.sentence.contains(words), "{}", report.text());
    }
    // The live source is read whole, so totals of a part add nothing and take nothing away.
    let part = Options {
        totals: Some(totals(
            &world,
            &format!("day,count\n{first},{rest}\n1999-01-01,0\n"),
        )),
        ..Options::default()
    };
    let report = world.verify(part, Duration::ZERO).await;
    assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
    let notices = report.summary.notices.join("\n");
    assert!(notices.contains("belong to no control total"), "{notices}");

    let bad = totals(&world, "day,count\n2023-10-27,many\n");
    let run = seatrial(
        world.dir.path(),
        &[
            "verify",
            "plan.toml",
            "--totals",
            bad.to_str().expect("a path"),
        ],
    );
    assert_eq!(run.code, 2, "{run}");
    assert!(
        run.stderr
            .contains("totals.csv line 2, column 2: `many` is not a whole number"),
        "{run}"
    );
}

/// Verifies at 20 moments of a running migration, in every second of them while it goes on.
async fn no_alarm_while_migrating(seed: u64, target: &str) {
    const MOMENTS: u64 = 20;
    let rehearsal = World::start(seed, target).await;
    let counting = Halting::new(u64::MAX);
    rehearsal.migrate(counting.clone(), None).await;
    let requests = counting.sent.load(Ordering::SeqCst);
    drop(rehearsal);

    let world = World::start(seed, target).await;
    let moment = |n: u64| {
        if n > MOMENTS {
            u64::MAX
        } else {
            1 + n * requests / (MOMENTS + 1)
        }
    };
    let halting = Halting::new(moment(1));
    let migration = async {
        world.migrate(halting.clone(), None).await;
        halting.has_ended.store(true, Ordering::SeqCst);
    };
    let verification = async {
        let mut matched: Vec<u64> = Vec::new();
        for n in 1..=MOMENTS {
            halting.stands.notified().await;
            assert!(!halting.has_ended.load(Ordering::SeqCst), "moment {n}");
            let options = Options {
                while_migrating: Some(REST),
                ..Options::default()
            };
            // It goes on while it is being looked at, or stands until the verdict is there.
            if n % 2 == 0 {
                halting.go_on(moment(n + 1));
            }
            let report = world.verify(options, Duration::ZERO).await;
            if n % 2 == 1 {
                halting.go_on(moment(n + 1));
            }
            let told = report.text();
            assert!(report.findings.is_empty(), "moment {n}: {told}");
            assert_ne!(
                report.summary.verdict,
                Verdict::Mismatch,
                "moment {n}: {told}"
            );
            let in_flight = report.summary.scope.while_migrating.expect("told");
            let counts = report.summary.counts;
            assert!(
                counts.not_verifiable >= in_flight.recordings,
                "moment {n}: {told}"
            );
            matched.push(counts.matched);
        }
        matched
    };
    let (matched, ()) = tokio::join!(verification, migration);
    assert_eq!(
        matched.first(),
        Some(&0),
        "nothing is there at the beginning"
    );
    let last = *matched.last().expect("a moment");
    assert!(last > 10, "what is through is judged: {matched:?}");
    let after = world.verify(Options::default(), Duration::ZERO).await;
    assert_eq!(after.summary.verdict, Verdict::Match, "{}", after.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_migration_raises_no_alarm_by_the_guide() {
    no_alarm_while_migrating(172, GUIDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_migration_raises_no_alarm_by_the_public_api() {
    no_alarm_while_migrating(173, PUBLIC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_migration_raises_no_alarm_in_interaction_recording() {
    no_alarm_while_migrating(174, GIR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_rest_is_judged_while_the_rest_is_in_flight() {
    for target in [GUIDE, PUBLIC] {
        let world = World::start(175, target).await;
        world.migrate(network(), Some(20)).await;
        let running = || Options {
            while_migrating: Some(REST),
            ..Options::default()
        };
        let half = world.verify(running(), REST * 2).await;
        let in_flight = half.summary.scope.while_migrating.expect("told");
        assert_eq!(
            (half.summary.verdict, half.findings.len(), in_flight.calls),
            (Verdict::CannotTell, 0, 20),
            "{}",
            half.text()
        );
        assert!(
            half.summary.sentence.contains("in flight"),
            "{}",
            half.text()
        );
        assert!(
            !world
                .verify(Options::default(), REST * 2)
                .await
                .findings
                .is_empty(),
            "without it they are missing"
        );

        world.simulator.tamper("D19", 1, 3).expect("silence");
        let fresh = world.verify(running(), Duration::ZERO).await;
        assert_eq!(fresh.findings.len(), 0, "{}", fresh.text());
        let silent = world.verify(running(), REST * 2).await;
        let found: Vec<&str> = silent
            .findings
            .iter()
            .map(|finding| finding.defect.code())
            .collect();
        assert_eq!(
            (silent.summary.verdict, found),
            (Verdict::Mismatch, vec!["D19"]),
            "{}",
            silent.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_after_the_first_verification_is_told_at_its_record() {
    for target in [GUIDE, PUBLIC, GIR] {
        let world = World::start(176, target).await;
        world.migrate(network(), None).await;
        let report = |name: &str, against: Option<&str>| Options {
            report_dir: Some(world.file(name)),
            against: against.map(|name| world.file(name)),
            ..Options::default()
        };
        let first = world.verify(report("first", None), Duration::ZERO).await;
        assert_eq!(first.summary.verdict, Verdict::Match, "{}", first.text());

        let same = world
            .verify(report("same", Some("first")), Duration::ZERO)
            .await;
        assert_eq!(same.changes, Vec::new(), "{target}{}", same.text());
        assert!(
            same.summary.sentence.contains("nothing has changed"),
            "{}",
            same.summary.sentence
        );
        assert!(!same.summary.against.expect("compared").scope_changed);
        let unheard = Options {
            audio: verifier::AudioScope::None,
            ..report("same", Some("first"))
        };
        let unheard = world.verify(unheard, Duration::ZERO).await;
        assert!(
            unheard
                .summary
                .against
                .as_ref()
                .expect("compared")
                .scope_changed
        );
        assert!(
            unheard.text().contains("did not look at the same"),
            "{}",
            unheard.text()
        );
        // Without an earlier report what another verification compared does not stay beside it.
        world.verify(report("same", None), Duration::ZERO).await;
        assert!(!world.file("same/changes.jsonl").exists());

        let planted = world.simulator.tamper("D19", 1, 3).expect("silence");
        let planted = serde_json::to_value(&planted.planted).expect("json");
        let edited = world
            .verify(report("edited", Some("first")), Duration::ZERO)
            .await;
        let against = edited.summary.against.as_ref().expect("compared");
        assert_eq!(
            (
                against.findings_new,
                against.findings_gone,
                against.target_changed
            ),
            (1, 0, 1),
            "{target}{}",
            edited.text()
        );
        let changed: Vec<_> = edited
            .changes
            .iter()
            .filter(|change| change.kind == ChangeKind::TargetChanged)
            .collect();
        let id = changed[0].legacy_interaction_id.as_deref().expect("a call");
        assert!(planted.to_string().contains(id), "{planted} {changed:?}");
        assert!(changed[0].what.contains("target_sha256"), "{changed:?}");
        assert!(read(&world.file("edited/changes.jsonl")).contains("\"finding_new\""));

        let still = world
            .verify(report("still", Some("edited")), Duration::ZERO)
            .await;
        let against = still.summary.against.as_ref().expect("compared");
        assert_eq!(
            (against.findings_same, still.changes.len()),
            (1, 0),
            "{}",
            still.text()
        );
        let back = world
            .verify(report("back", Some("still")), Duration::ZERO)
            .await;
        assert_eq!(back.summary.against.expect("compared").findings_same, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_report_that_was_altered_or_is_of_chosen_calls_is_refused() {
    let world = World::start(177, GUIDE).await;
    world.migrate(network(), None).await;
    let report = |name: &str, against: Option<&str>| Options {
        report_dir: Some(world.file(name)),
        against: against.map(|name| world.file(name)),
        ..Options::default()
    };
    world.verify(report("first", None), Duration::ZERO).await;
    let chosen = Options {
        only: Some(std::collections::BTreeSet::from(["100001".to_owned()])),
        ..report("chosen", None)
    };
    world.verify(chosen.clone(), Duration::ZERO).await;
    let both = Options {
        against: Some(world.file("first")),
        report_dir: Some(world.file("both")),
        ..chosen
    };
    for (options, words) in [
        (both, "--only leaves calls out"),
        (report("whole", Some("chosen")), "is of chosen calls"),
    ] {
        let refused = verifier::verify(
            &world.plan(),
            options,
            network(),
            world.clock(Duration::ZERO),
            &verifier::Silent,
        )
        .await
        .expect_err("it is refused");
        assert!(refused.to_string().contains(words), "{refused}");
    }
    let line = read(&world.file("first/recordings.csv"));
    let altered = line.replacen("matched", "missing", 1);
    std::fs::write(world.file("first/recordings.csv"), altered).expect("altered");
    let refused = verifier::verify(
        &world.plan(),
        report("second", Some("first")),
        network(),
        world.clock(Duration::ZERO),
        &verifier::Silent,
    )
    .await
    .expect_err("an altered report");
    assert!(
        refused
            .to_string()
            .contains("was altered after it was written"),
        "{refused}"
    );
    std::fs::write(world.file("first/recordings.csv"), line).expect("as it was");
    let over = verifier::verify(
        &world.plan(),
        report("first", Some("first")),
        network(),
        world.clock(Duration::ZERO),
        &verifier::Silent,
    )
    .await
    .expect_err("its own report");
    assert!(over.to_string().contains("would be written over"), "{over}");
}
