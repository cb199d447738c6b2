//! What may be asked and what may be read: nothing hidden is called missing, nothing is created
//! where that is not wanted, and answers outside what is documented are told without a value.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "a module of two tests, each with its part of it"
)]
mod world;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plan::LoadedPlan;
use platforms::transport::{Body, Transport, TransportError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use verifier::{
    AudioScope, Jobs, Listed, Options, Report, RunError, Side, Silent, Verdict, requests_of, verify,
};
use world::{OTHER_USER, Serving, World, plan, today, world};

/// A verification, what was asked for it, and its folder.
struct Verified {
    report: Report,
    asked: Vec<String>,
    folder: tempfile::TempDir,
}

async fn verified(world: World, options: Options) -> Verified {
    let folder = tempfile::tempdir().expect("a folder");
    let serving: Arc<Serving> = Serving::new(world);
    let options = Options {
        report_dir: Some(folder.path().join("report")),
        ..options
    };
    let report = verify(
        &plan(folder.path()),
        options,
        serving.clone(),
        today(),
        &Silent,
    )
    .await
    .expect("a report");
    let asked = serving.asked.lock().clone();
    Verified {
        report,
        asked,
        folder,
    }
}

fn without_jobs() -> Options {
    Options {
        jobs: Jobs::LeaveOut,
        ..Options::default()
    }
}

/// Every request to the target that has a path of its own.
fn listed(options: &Options) -> Vec<Listed> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut listed = requests_of(&plan(folder.path()), options);
    listed.retain(|listed| listed.side == Side::Target && listed.address.contains("/api/v2/"));
    listed
}

fn forbid(world: &mut World, listed: &Listed) -> String {
    let word = listed
        .permission
        .clone()
        .or(listed.scope.clone())
        .expect("a permission or a scope");
    let template = listed
        .address
        .trim_start_matches("http://target.test")
        .to_owned();
    world.forbidden = Some((listed.method.clone(), template, word.clone()));
    word
}

fn told(report: &Report) -> String {
    format!(
        "{} {}",
        report.summary.sentence,
        report.summary.notices.join(" ")
    )
}

#[tokio::test]
async fn each_permission_removed_in_turn_is_named_and_leads_to_no_finding() {
    let all = listed(&Options::default());
    assert!(all.len() >= 10, "{all:?}");
    for listed in &all {
        let mut world = world();
        let word = forbid(&mut world, listed);
        let Verified { report, .. } = verified(world, Options::default()).await;
        assert!(
            report.findings.is_empty(),
            "{}: {}",
            listed.operation,
            report.text()
        );
        // The way to a call that analytics does not show is not taken here, limits judge nothing,
        // and no call is absent.
        let hangs_on_it = !matches!(
            listed.operation.as_str(),
            "get_conversation"
                | "get_limits"
                | "get_data_retention"
                | "query_retention"
                | "list_divisions"
                | "list_orphans"
                | "list_policies"
                | "list_crossplatform_policies"
        );
        let verdict = if hangs_on_it {
            Verdict::CannotTell
        } else {
            Verdict::Match
        };
        assert_eq!(
            report.summary.verdict,
            verdict,
            "{}: {}",
            listed.operation,
            report.text()
        );
        assert!(
            listed.operation == "get_conversation" || told(&report).contains(&word),
            "{}: {}",
            listed.operation,
            told(&report)
        );
        assert!(
            report.drift.is_empty(),
            "{}: {:?}",
            listed.operation,
            report.drift
        );
    }
}

#[tokio::test]
async fn each_permission_removed_while_analytics_lags_leads_to_no_finding() {
    for listed in &listed(&Options::default()) {
        let mut world = world();
        let word = forbid(&mut world, listed);
        // The first call is there and analytics does not show it yet.
        let hidden = world.conversations.remove(0);
        world.unshown.push(hidden);
        world.available = Some("2026-11-01T00:00:00.000Z");
        let Verified { report, .. } = verified(world, Options::default()).await;
        assert!(
            report.findings.is_empty(),
            "{}: {}",
            listed.operation,
            report.text()
        );
        assert_eq!(
            report.summary.verdict,
            Verdict::CannotTell,
            "{}: {}",
            listed.operation,
            report.text()
        );
        assert!(
            told(&report).contains(&word),
            "{}: {}",
            listed.operation,
            told(&report)
        );
    }
}

#[tokio::test]
async fn without_jobs_nothing_is_created_and_nothing_wrong_is_said() {
    let Verified { report, asked, .. } = verified(world(), without_jobs()).await;
    assert_eq!(
        report.summary.verdict,
        Verdict::CannotTell,
        "{}",
        report.text()
    );
    assert!(report.findings.is_empty(), "{}", report.text());
    assert!(
        report.summary.sentence.contains("--no-jobs"),
        "{}",
        report.summary.sentence
    );
    assert!(
        !asked
            .iter()
            .any(|asked| asked.contains("/jobs") || asked.contains("/batchrequests")),
        "{asked:?}"
    );
    assert!(asked.iter().all(|asked| !asked.starts_with("POST")
        || asked.contains("oauth/token")
        || asked.contains("deletionprotection")));
    assert_eq!(
        report.summary.counts.target_interactions, 2,
        "calls with recordings are found by these"
    );
    // Where a call is gone, so that it may or may not be there, nobody says that it is missing.
    let mut lost = world();
    lost.conversations.remove(0);
    lost.recordings.remove("c-100001");
    let Verified { report, .. } = verified(lost, without_jobs()).await;
    assert!(
        report.findings.is_empty() && report.summary.counts.missing == 0,
        "{}",
        report.text()
    );
    // What is read is judged all the same.
    let mut wrong = world();
    wrong.conversations[1]["participants"][1]["userId"] = json!(OTHER_USER);
    let Verified { report, .. } = verified(wrong, without_jobs()).await;
    assert_eq!(
        report
            .findings
            .iter()
            .map(|finding| finding.defect.code())
            .collect::<Vec<_>>(),
        ["D45"],
        "{}",
        report.text()
    );
}

#[tokio::test]
async fn recordings_that_are_never_ready_are_not_missing() {
    let mut world = world();
    world.preparing.insert("c-100001".into());
    let options = Options {
        patience: Duration::ZERO,
        ..Options::default()
    };
    let Verified { report, .. } = verified(world, options).await;
    assert!(report.findings.is_empty(), "{}", report.text());
    assert_eq!(
        (report.summary.verdict, report.summary.counts.not_verifiable),
        (Verdict::CannotTell, 2)
    );
    assert!(
        report.summary.sentence.contains("202"),
        "{}",
        report.summary.sentence
    );
}

#[tokio::test]
async fn an_archived_stub_is_neither_missing_nor_wrong() {
    let mut world = world();
    world.recordings.get_mut("c-100001").expect("recordings")[0] = json!({"id":"r-100001-1","conversationId":"c-100001","archiveDate":"2025-01-01T00:00:00.000Z","archiveMedium":"CLOUDARCHIVE","creationTime":"2026-11-18T00:00:00.000Z"});
    let Verified { report, .. } = verified(world, Options::default()).await;
    assert!(report.findings.is_empty(), "{}", report.text());
    assert_eq!(
        (report.summary.verdict, report.summary.counts.not_verifiable),
        (Verdict::CannotTell, 1),
        "{}",
        report.text()
    );
    assert!(
        report
            .summary
            .sentence
            .contains("restored from the archive"),
        "{}",
        report.summary.sentence
    );
    assert!(
        report.drift.is_empty(),
        "a stub is documented by those who met one: {:?}",
        report.drift
    );
}

#[tokio::test]
async fn without_a_watermark_no_absence_is_proved() {
    let mut world = world();
    world.conversations.remove(2);
    world.available = Some("");
    let Verified { report, .. } = verified(world, Options::default()).await;
    assert!(report.findings.is_empty(), "{}", report.text());
    assert!(
        told(&report).contains("dataAvailabilityDate"),
        "{}",
        told(&report)
    );
}

#[tokio::test]
async fn what_analytics_does_not_show_yet_is_read_singly() {
    let mut world = world();
    let hidden = world.conversations.remove(0);
    world.unshown.push(hidden);
    world.available = Some("2026-11-01T00:00:00.000Z");
    let Verified { report, asked, .. } = verified(world, Options::default()).await;
    assert!(
        asked.contains(&"GET /api/v2/conversations/c-100001".to_owned()),
        "{asked:?}"
    );
    assert!(report.findings.is_empty(), "{}", report.text());
    // Its skill is told by analytics alone.
    assert_eq!(
        (report.summary.verdict, report.summary.counts.not_verifiable),
        (Verdict::CannotTell, 2),
        "{}",
        report.text()
    );
}

fn drift_file(verified: &Verified) -> Vec<Value> {
    let text = std::fs::read_to_string(verified.folder.path().join("report/drift.jsonl"))
        .expect("drift.jsonl");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect()
}

#[tokio::test]
async fn drift_is_told_by_place_and_shape_and_never_by_value() {
    let right = verified(world(), Options::default()).await;
    let notices = right
        .report
        .summary
        .notices
        .iter()
        .filter(|notice| !notice.contains("stand-in"))
        .count();
    assert_eq!((drift_file(&right), notices), (Vec::new(), 0));

    let mut world = world();
    world.conversations[0]["sentiment"] = json!("furious +15550142424");
    world.conversations[1]["sentiment"] = json!("furious +15550142424");
    world.conversations[1]["participants"][0]["purpose"] = json!("hologram");
    world.recordings.get_mut("c-100002").expect("recordings")[0]["fileState"] = json!("FROZEN");
    let drifted = verified(world, Options::default()).await;
    let lines = drift_file(&drifted);
    let places: Vec<(&str, u64)> = lines
        .iter()
        .map(|line| {
            (
                line["path"].as_str().expect("a path"),
                line["count"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("$.conversations[].participants[].purpose", 1),
            ("$.conversations[].sentiment", 2),
            ("$[].fileState", 1)
        ]
    );
    assert_eq!(
        (lines[1]["operation"].as_str(), lines[1]["actual"].as_str()),
        (Some("get_details_results"), Some("a text of 20 characters"))
    );
    let notices = drifted.report.summary.notices.join("\n");
    assert!(
        notices.contains("at 3 places (4 times)") && drifted.report.text().contains("drift.jsonl"),
        "{notices}"
    );
    for file in ["drift.jsonl", "summary.json"] {
        let text =
            std::fs::read_to_string(drifted.folder.path().join("report").join(file)).expect(file);
        assert!(
            !["furious", "42424", "hologram", "FROZEN"]
                .iter()
                .any(|value| text.contains(value)),
            "{file}: {text}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_drift_and_no_finding() {
    let mut world = world();
    world.conversations[0]["divisionIds"] = json!("none today");
    let unreadable = verified(world, Options::default()).await;
    assert!(
        unreadable.report.findings.is_empty(),
        "{}",
        unreadable.report.text()
    );
    assert_eq!(unreadable.report.summary.verdict, Verdict::CannotTell);
    assert!(
        told(&unreadable.report).contains("that this version can read"),
        "{}",
        told(&unreadable.report)
    );
    assert_eq!(
        drift_file(&unreadable)[0]["path"],
        "$.conversations[].divisionIds"
    );
}

#[tokio::test]
async fn the_budget_said_beforehand_is_what_was_spent() {
    for (options, downloads) in [
        (Options::default(), 3),
        (
            Options {
                audio: AudioScope::None,
                ..Options::default()
            },
            0,
        ),
    ] {
        let Verified { report, asked, .. } = verified(world(), options).await;
        let budget = &report.summary.budget;
        let target = |asked: &&String| {
            asked.contains("/api/v2/")
                && !asked.contains("/analytics/interactions/")
                && !asked.contains("/users")
        };
        let source = |asked: &&String| {
            asked.starts_with("GET /api/v2/recordings/") && !asked.contains("/retention/")
        };
        let sent = asked
            .iter()
            .filter(|asked| target(asked) && !source(asked))
            .count() as u64;
        assert_eq!(budget.made, sent, "{budget:?}\n{asked:?}");
        // The call whose source is an error page was announced, and rightly is not there.
        assert!(
            budget.made <= budget.announced && budget.made + 1 >= budget.announced,
            "{budget:?}"
        );
        assert_eq!(
            (budget.requests_per_minute, budget.limit_of.as_str()),
            (300, "organisation")
        );
        let made = budget
            .operations
            .iter()
            .find(|line| line.operation == "get_batch_media")
            .map_or(0, |line| line.made);
        assert_eq!(made, downloads, "{budget:?}");
    }
}

/// Interrupts the verification at the third call's recordings.
struct Interrupting {
    serving: Arc<Serving>,
    interrupt: CancellationToken,
}

#[async_trait]
impl Transport for Interrupting {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        if request.uri().path() == "/api/v2/conversations/c-100003/recordings" {
            self.interrupt.cancel();
            std::future::pending::<()>().await;
        }
        self.serving.send(request).await
    }
}

fn calls_read(serving: &Serving) -> Vec<String> {
    let asked = serving.asked.lock();
    asked
        .iter()
        .filter(|asked| {
            asked.starts_with("GET /api/v2/conversations/") && asked.ends_with("/recordings")
        })
        .cloned()
        .collect()
}

#[tokio::test]
async fn an_interrupted_audit_goes_on_where_it_was_and_a_changed_plan_starts_over() {
    for changed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let report_dir = folder.path().join("report");
        let options = || Options {
            report_dir: Some(report_dir.clone()),
            concurrency: 1,
            ..Options::default()
        };
        let mut loaded = plan(folder.path());

        let first = options();
        let interrupting = Interrupting {
            serving: Serving::new(world()),
            interrupt: first.interrupt.clone(),
        };
        let stop = verify(&loaded, first, Arc::new(interrupting), today(), &Silent)
            .await
            .expect_err("interrupted");
        assert!(matches!(stop, RunError::Interrupted), "{stop}");
        assert!(
            !report_dir.join("summary.json").exists() && report_dir.join(".kept.jsonl").exists()
        );

        if changed {
            let path = folder.path().join("plan.toml");
            let text = std::fs::read_to_string(&path)
                .expect("a plan")
                .replace("60000", "50000");
            std::fs::write(&path, text).expect("another plan");
            loaded = LoadedPlan::read(&path).expect("a plan");
        }
        let serving = Serving::new(world());
        let report = verify(&loaded, options(), serving.clone(), today(), &Silent)
            .await
            .expect("a report");
        assert_eq!(report.summary.verdict, Verdict::Match, "{}", report.text());
        let (read, notices) = (calls_read(&serving), report.summary.notices.join(" "));
        if changed {
            assert_eq!(read.len(), 3, "{read:?}");
            assert!(
                notices.contains("another plan") && notices.contains("started over"),
                "{notices}"
            );
        } else {
            assert_eq!(
                read,
                ["GET /api/v2/conversations/c-100003/recordings"],
                "the others were read before"
            );
            assert!(notices.contains("went on with 2 calls"), "{notices}");
            assert!(
                report.summary.budget.made <= report.summary.budget.announced,
                "{:?}",
                report.summary.budget
            );
        }
        assert!(
            !report_dir.join(".kept.jsonl").exists(),
            "a finished verification leaves nothing to go on with"
        );
    }
}
