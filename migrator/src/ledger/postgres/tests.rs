//! Against a server that is started for it.

use std::path::PathBuf;
use std::sync::Arc;

use platforms::clock::Clock;

use super::address::Address;
use super::*;
use crate::ledger::runs::{NewRun, Runs};
use crate::ledger::tables::{TABLES, Values};
use crate::ledger::{
    Change, Claim, InteractionRow, Ledger, NewInteraction, NewRecording, Pass, conformance,
    registry,
};
use crate::step::Phase;
use server::Server;

#[path = "../../../../tests/support/postgres.rs"]
mod server;

fn place(url: &str, lease_ms: i64) -> Place {
    let address = Address::parse(url).expect("an address");
    Place {
        config: address.config(None),
        connector: Connector::new(address.tls, None).expect("TLS"),
        address,
        lease_ms,
    }
}

async fn opened(url: &str, lease_ms: i64) -> Arc<PostgresLedger> {
    let ledger = PostgresLedger::at(place(url, lease_ms), Open::Exclusive, &Clock::real()).await;
    Arc::new(ledger.expect("a ledger"))
}

/// A clock of the schema that stands still, so that a test says when a lease ends.
fn stop_clock(server: &Server, schema: &str, at_ms: i64) {
    server.sql(&format!(
        "CREATE OR REPLACE FUNCTION {schema}.clock_ms() RETURNS bigint LANGUAGE sql VOLATILE \
             AS 'SELECT {at_ms}::bigint'"
    ));
}

async fn enter(ledger: &PostgresLedger, alone: Option<&'static str>) -> Result<(), LedgerError> {
    enter_with(ledger, "plan", alone).await
}

async fn enter_with(
    ledger: &PostgresLedger,
    plan: &str,
    alone: Option<&'static str>,
) -> Result<(), LedgerError> {
    let new_run = NewRun {
        plan_hash: plan.to_owned(),
        alone,
    };
    while ledger.try_enter(&new_run).await?.is_some() {
        ledger.clock.sleep(Duration::from_millis(20)).await;
    }
    ledger.entered().await
}

async fn list(ledger: &PostgresLedger, count: u64) {
    let rows = (1..=count)
        .map(|id| NewInteraction {
            legacy_id: id.to_string(),
            entity: "{}".to_owned(),
            headers: "{}".to_owned(),
            unreadable: None,
            recordings: Vec::new(),
        })
        .collect();
    ledger.add_page(0, rows, None).await.expect("a page");
}

async fn claimed(ledger: &PostgresLedger) -> Vec<InteractionRow> {
    let claim = Claim {
        holder: ledger.name().expect("it has entered"),
        pass: Pass::First,
        after: 0,
        most: 10,
        now_ms: 0,
        until_ms: 60_000,
    };
    ledger.claim(claim).await.expect("rows")
}

fn is_taken_over<T: std::fmt::Debug>(result: Result<T, LedgerError>) {
    assert!(
        matches!(
            result,
            Err(LedgerError::RunTakenOver(_) | LedgerError::CallTakenOver)
        ),
        "{result:?}"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn a_database_holds_what_every_store_has_to() {
    let server = Server::start();
    conformance::holds(
        async || {
            let schema = server.schema();
            let url = server.url_of(&schema);
            // The tables first: connections that make them at once are another test.
            opened(&url, 60_000).await;
            stop_clock(&server, &schema, 0);
            async move || opened(&url, 60_000).await as Arc<dyn Ledger>
        },
        async |_, at_ms| {
            let schema = format!("s{}", server.last_schema());
            stop_clock(&server, &schema, at_ms);
        },
    )
    .await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn tables_are_made_once_and_newer_ones_are_left_alone() {
    let server = Server::start();
    let url = server.socket_url_of("many");
    let opening = (0..8).map(|_| opened(&url, 60_000));
    futures_util::future::join_all(opening).await;
    assert_eq!(
        server.sql("SELECT count(*) FROM many.version"),
        schema::NEWEST.to_string()
    );
    let clock = Clock::real();
    let shared = PostgresLedger::at(place(&server.url_of("none"), 1), Open::Shared, &clock);
    let why = shared.await.err().expect("a refusal").to_string();
    assert!(why.contains("there is no ledger in"), "{why}");
    server.sql("INSERT INTO many.version (number) VALUES (99)");
    for open in [Open::Exclusive, Open::Shared] {
        let refused = PostgresLedger::at(place(&url, 1), open, &Clock::real()).await;
        let why = refused.err().expect("a refusal");
        assert!(
            matches!(&why, LedgerError::Refused(why) if why.contains("version 99")),
            "{why}"
        );
    }
    assert_eq!(server.sql("SELECT max(number) FROM many.version"), "99");
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn whoever_was_away_for_longer_than_its_lease_writes_nothing() {
    let server = Server::start();
    let url = server.url_of("away");
    let (one, other) = (opened(&url, 60_000).await, opened(&url, 60_000).await);
    stop_clock(&server, "away", 0);
    enter(&one, None).await.expect("in");
    enter(&other, None).await.expect("in");
    list(&one, 2).await;
    let mut held = claimed(&one).await;
    assert_eq!((held.len(), claimed(&other).await.len()), (2, 0));
    stop_clock(&server, "away", 61_000);
    let taken = claimed(&other).await;
    assert_eq!(taken.len(), 2);
    assert!(
        taken
            .iter()
            .all(|row| row.in_doubt && row.claim > held[0].claim),
        "{taken:?}"
    );
    held[0].phase = Phase::Done;
    is_taken_over(one.save(&held[0], Change::default()).await);
    is_taken_over(
        one.set_error(
            1,
            held[0].claim,
            "late".to_owned(),
            "then".to_owned(),
            Vec::new(),
        )
        .await,
    );
    is_taken_over(one.set_meta(vec![("key", "late".to_owned())]).await);
    is_taken_over(one.note("late", "late").await);
    is_taken_over(one.may_list().await);
    let rows = other.these(vec![1, 2]).await.expect("rows");
    assert!(
        rows.iter()
            .all(|row| row.phase == Phase::Extracted && row.error.is_none())
    );
    assert_eq!(other.meta("key").await.expect("read"), None);
    assert!(other.warnings().await.expect("counts").is_empty());
    // Begun anew, it is another run.
    one.gone().await;
    enter(&one, None).await.expect("in");
    one.set_meta(vec![("key", "now".to_owned())])
        .await
        .expect("set");
    // A row that somebody else has meanwhile is not written by a number that is older.
    let mut row = taken[0].clone();
    row.claim -= 1;
    is_taken_over(other.save(&row, Change::default()).await);
    other
        .save(&taken[0], Change::default())
        .await
        .expect("saved");
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn a_run_with_another_plan_or_alone_waits_for_a_person() {
    let server = Server::start();
    let url = server.url_of("entry");
    let (one, other) = (opened(&url, 60_000).await, opened(&url, 60_000).await);
    enter(&one, None).await.expect("in");
    for (plan, alone, word) in [
        ("another", None, "another plan"),
        ("plan", Some("--retry"), "--retry"),
    ] {
        let why = enter_with(&other, plan, alone)
            .await
            .expect_err("a refusal")
            .to_string();
        let name = one.name().expect("a name");
        assert!(why.contains(word) && why.contains(&name), "{why}");
        other.gone().await;
    }
    enter(&other, None).await.expect("in");
    assert_eq!(one.try_leave().await.expect("asked"), Some(false));
    one.gone().await;
    assert_eq!(other.try_leave().await.expect("asked"), Some(true));
    other.gone().await;
    enter(&one, Some("--canary")).await.expect("in");
    let why = enter(&other, None)
        .await
        .expect_err("a refusal")
        .to_string();
    assert!(why.contains("--canary"), "{why}");
    // One lists the source at a time.
    one.gone().await;
    other.gone().await;
    enter(&one, None).await.expect("in");
    enter(&other, None).await.expect("in");
    assert!(one.may_list().await.expect("asked"));
    assert!(!other.may_list().await.expect("asked"));
    one.listed().await.expect("given");
    assert!(other.may_list().await.expect("asked"));
    // A page that somebody else has added is not added again.
    list(&other, 1).await;
    is_taken_over(one.add_page(0, Vec::new(), None).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn a_connection_that_is_cut_again_and_again_loses_and_doubles_nothing() {
    const LINES: u64 = 400;
    let server = Server::start();
    let ledger = opened(&server.url_of("cut"), 60_000).await;
    enter(&ledger, None).await.expect("in");
    let writer = ledger.clone();
    let writing = tokio::spawn(async move {
        for n in 0..LINES {
            let entry = conformance::hop(&n.to_string(), "cut");
            writer
                .set_meta_with(vec![("n", n.to_string())], vec![entry])
                .await
                .expect("written");
        }
    });
    let mut cuts = 0_u32;
    let mut cut_at = 0_u64;
    while !writing.is_finished() {
        let lines: u64 = server
            .sql("SELECT count(*) FROM cut.custody")
            .parse()
            .expect("a count");
        // Each time a little further: one that is cut all the time comes nowhere.
        if lines > cut_at + 5 {
            cut_at = lines;
            let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE \
                application_name LIKE 'seatrial/%'";
            cuts += u32::from(server.sql(cut) != "0");
        }
    }
    writing.await.expect("all of them");
    assert!(cuts > 3, "{cuts} cuts");
    assert_eq!(ledger.custody_lines().await.expect("lines"), LINES);
    assert_eq!(
        ledger.meta("n").await.expect("read"),
        Some((LINES - 1).to_string())
    );
    ledger.gone().await;
    assert_eq!(server.sql("SELECT count(*) FROM cut.run"), "0");
    // A server that crashed has what was committed.
    let reading = opened(&server.url_of("cut"), 60_000).await;
    server.crash();
    assert_eq!(reading.custody_lines().await.expect("lines"), LINES);
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn a_connection_is_protected_as_the_url_says() {
    const PASSWORD: &str = "hunter2-hunter2";
    let server = Server::start();
    let certificate = server.is_protected(PASSWORD);
    let url = |host: &str, more: &str| {
        let url = server.url_of("tls").replace("127.0.0.1", host);
        format!("{}{more}", url.replace("seatrial@", "somebody@"))
    };
    let clock = Clock::real();
    let open = async |url: String, password: &str| {
        let access = Access {
            password: Some(Secret::new(password.to_owned())),
            ..Access::without_plan(PathBuf::from("/"))
        };
        PostgresLedger::open(&url, &access, Open::Exclusive, &clock).await
    };
    let encrypted = "SELECT ssl::int FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE \
        application_name LIKE 'seatrial/%' ORDER BY backend_start DESC LIMIT 1";
    let trusted = format!("&sslmode=verify-full&sslrootcert={}", certificate.display());
    for (url, count) in [
        (url("127.0.0.1", "&sslmode=disable"), "0"),
        (url("127.0.0.1", "&sslmode=require"), "1"),
        (url("localhost", &trusted), "1"),
    ] {
        let ledger = open(url.clone(), PASSWORD).await.expect(&url);
        assert_eq!(server.sql(encrypted), count, "{url}");
        drop(ledger);
    }
    for (url, password, word) in [
        (url("127.0.0.1", &trusted), PASSWORD, "certificate"),
        (
            url("localhost", "&sslmode=verify-full"),
            PASSWORD,
            "certificate",
        ),
        (url("localhost", &trusted), "another", "28P01"),
    ] {
        let why = open(url.clone(), password).await.err().expect("a refusal");
        let why = why.to_string();
        assert!(why.contains(word), "{url}: {why}");
        assert!(!why.contains(password), "{why}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn turns_are_those_of_one_however_many_ask() {
    const RUNS: u64 = 4;
    const TURNS: u64 = 30;
    let server = Server::start();
    let url = server.url_of("budget");
    let clock = Clock::real();
    let began_ms = clock.now_ms();
    let asking = (0..RUNS).map(|_| async {
        let ledger = opened(&url, 60_000).await;
        let budget = ledger.budget().expect("a budget");
        for _ in 0..TURNS {
            let spacing = Duration::from_millis(5);
            let wait = budget
                .take("host requests", 2, spacing)
                .await
                .expect("turns");
            ledger.clock.sleep(wait).await;
        }
    });
    futures_util::future::join_all(asking).await;
    let least_ms = i64::try_from((RUNS * TURNS - 1) * 10).expect("milliseconds");
    let took_ms = clock.now_ms() - began_ms;
    assert!(took_ms >= least_ms, "{took_ms} ms");
    let ledger = opened(&url, 60_000).await;
    let budget = ledger.budget().expect("a budget");
    budget.hold("host requests", Duration::from_secs(20)).await;
    let wait = budget
        .take("host requests", 1, Duration::from_millis(1))
        .await
        .expect("turns");
    assert!(wait > Duration::from_secs(15), "{wait:?}");
    let other = budget
        .take("host uploads", 1, Duration::from_millis(1))
        .await;
    assert_eq!(other, Some(Duration::ZERO));
}

#[tokio::test]
#[ignore = "needs PostgreSQL; ./check runs it"]
async fn a_ledger_copied_into_a_database_and_back_is_the_same() {
    let server = Server::start();
    let dir = tempfile::tempdir().expect("a folder");
    let clock = Clock::real();
    let access = Access::without_plan(dir.path().to_owned());
    let open = async |name: &str| {
        let opened = registry::open_with(name, &access, Open::Exclusive, &clock).await;
        opened.expect("a ledger")
    };
    let first = open("first.db").await;
    let rows = ["1", "2\0\u{10}", "\u{e9}\u{1f3a7}"].map(|id| NewInteraction {
        legacy_id: id.to_owned(),
        entity: format!("{{\"id\":{id:?}}}"),
        headers: "{}".to_owned(),
        unreadable: (id == "1").then(|| "why\0".to_owned()),
        recordings: vec![NewRecording {
            legacy_id: format!("{id}-1"),
        }],
    });
    first
        .add_page(0, rows.into(), Some("cursor".to_owned()))
        .await
        .expect("a page");
    first.add_page(1, Vec::new(), None).await.expect("a page");
    let mut row = first.these(vec![2]).await.expect("rows").remove(0);
    (row.phase, row.target_state) = (Phase::Uploaded, Some("{}".to_owned()));
    row.recordings[0].staged_bytes = Some(7);
    row.recordings[0].doubt = true;
    let change = Change {
        plan_hash: "hash".to_owned(),
        warnings: vec!["listed_twice"],
        custody: vec![
            conformance::hop("2", "stage"),
            conformance::hop("2", "upload"),
        ],
    };
    first.save(&row, change).await.expect("saved");
    let left = first.set_error(3, 0, "no answer".to_owned(), "then".to_owned(), Vec::new());
    left.await.expect("left");
    first.flush().await.expect("durable");
    let before = whole(&*first).await;
    drop(first);
    let url = server.url_of("copied");
    let copy = |from: &str, to: &str| {
        crate::copy_ledger(
            from.to_owned(),
            to.to_owned(),
            dir.path().to_owned(),
            clock.clone(),
        )
    };
    copy("first.db", &url).await.expect("a copy");
    let again = copy("first.db", &url)
        .await
        .expect_err("a refusal")
        .to_string();
    assert!(again.contains("not empty"), "{again}");
    copy(&url, "second.db").await.expect("a copy");
    let copied = whole(&*open("second.db").await).await;
    assert_eq!(copied, before);
    let between = opened(&url, 60_000).await;
    assert_eq!(whole(&*between).await, before);
    assert_eq!(server.sql("SELECT count(*) FROM copied.run"), "0");
    let none = copy("nowhere.db", "third.db").await.expect_err("a refusal");
    assert!(none.to_string().contains("there is no ledger"), "{none}");
}

/// All rows, but for what tells of the store itself.
async fn whole(ledger: &dyn Ledger) -> Vec<(&'static str, Vec<Values>)> {
    let mut all = Vec::new();
    for table in &TABLES {
        let mut rows = Vec::new();
        // Two at once, so that it goes from one part to the next.
        while let Some(more) = Some(
            ledger
                .rows_behind(
                    table,
                    rows.last().map(|row: &Values| row[..table.keys].to_vec()),
                    2,
                )
                .await
                .expect("rows"),
        )
        .filter(|more| !more.is_empty())
        {
            rows.extend(more);
        }
        let is_of_store =
            |row: &Values| table.name == "meta" && (row[0] == "version" || row[0] == "copying");
        rows.retain(|row| !is_of_store(row));
        all.push((table.name, rows));
    }
    all
}
