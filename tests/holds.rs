//! The organisation's maximum of protected conversations: counted before the first write, and
//! nothing under legal hold stands unprotected.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{NO_LIMITS, Run, Simulation};

const MOST: usize = 5;
const SURFACES: [&str; 2] = ["guide", "public"];

/// Thirty calls, half of them under hold. `page`: most calls on a page of the source.
fn simulation(surface: &str, page: u32, retention: &str) -> Simulation {
    simulation_with(surface, page, retention, "")
}

fn simulation_with(surface: &str, page: u32, retention: &str, faults: &str) -> Simulation {
    let limits = NO_LIMITS.replace(
        "[genesys_cloud.limits]",
        &format!("[genesys_cloud.limits]\nmax_protected = {MOST}"),
    );
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = 190\ntarget = \"genesys_cloud\"\ningest = \
         \"{surface}\"\n[world]\ninteractions = 30\ntransfer_share = 0.4\nhold_share = 0.5\nmean_seconds = \
         0.5\nno_recording_share = 0.0\ncodecs = [\"pcm\"]\n[legacy.limits]\npage_max = \
         {page}\n[plan.retention]\n{retention}\n{limits}{faults}[expect]\nverdict = \"match\"\n"
    ))
}

fn ids(simulation: &Simulation, is: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    simulation
        .truth("genesys_cloud")
        .iter()
        .filter(|call| is(call))
        .map(|call| {
            call["legacy_interaction_id"]
                .as_str()
                .expect("an id")
                .to_owned()
        })
        .collect()
}

/// Calls under hold in the source, by start.
fn held(simulation: &Simulation) -> Vec<String> {
    let mut held: Vec<(i64, String)> = simulation
        .truth("legacy")
        .iter()
        .filter(|call| call["retention"]["hold"] == true)
        .map(|call| {
            let start: jiff::Timestamp = call["start"]
                .as_str()
                .and_then(|start| start.parse().ok())
                .unwrap_or_else(|| panic!("no start in {call}"));
            let id = call["legacy_interaction_id"].as_str().expect("an id");
            (start.as_millisecond(), id.to_owned())
        })
        .collect();
    held.sort_unstable();
    held.into_iter().map(|(_, id)| id).collect()
}

fn count(run: &Run) -> usize {
    let line = run
        .stdout
        .lines()
        .chain(run.stderr.lines())
        .find(|line| line.contains("calls under legal hold"))
        .unwrap_or_else(|| panic!("no word of holds: {run}"));
    let before = line.split(" calls under legal hold").next();
    before
        .and_then(|text| text.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("no number in {line}"))
}

#[test]
fn a_plan_is_refused_before_the_first_write() {
    for surface in SURFACES {
        let simulation = simulation(surface, 1000, &format!("max_holds = {MOST}"));
        let wrote = |simulation: &Simulation| simulation.truth("genesys_cloud").len();
        let looked = simulation.seatrial(&["preflight", "plan.toml"]).ends(0);
        assert!(
            looked
                .stdout
                .contains("legal holds: the organisation protects at most 5"),
            "{looked}"
        );
        let dry = simulation.migrate(&["--dry-run"]);
        let seen = count(&dry);
        assert!(seen > MOST && dry.stdout.contains("too many"), "{dry}");
        let refused = simulation.migrate(&[]).ends(2);
        assert_eq!(
            (wrote(&simulation), count(&refused)),
            (0, seen),
            "{refused}"
        );
        assert!(
            refused
                .stderr
                .contains("set retention.holds_beyond_maximum"),
            "{refused}"
        );
        let plan = simulation.file("plan.toml");
        let text = std::fs::read_to_string(&plan).expect("a plan");
        let taken = text.replace("max_holds = 5", "max_holds = 40\nholds_taken = 36");
        std::fs::write(&plan, taken).expect("written");
        let refused = simulation.migrate(&["--accept-plan-change"]).ends(2);
        assert!(refused.stderr.contains("at most 40"), "{refused}");
        assert_eq!(wrote(&simulation), 0);
    }
}

#[test]
fn the_earliest_are_protected_and_the_others_stay_behind() {
    // On pages of 4 the earliest calls are known only when all pages were read.
    for (surface, page) in [("guide", 1000), ("guide", 4), ("public", 1000)] {
        let retention = format!("max_holds = {MOST}\nholds_beyond_maximum = \"quarantine\"");
        let simulation = simulation(surface, page, &retention);
        let run = simulation.migrated();
        let all = count(&run);
        let protected = ids(&simulation, |call| call["retention"]["hold"] == true);
        assert_eq!(protected.len(), MOST, "{surface} {page}: {run}");
        let verified = simulation.verify(&[]);
        assert_eq!(
            (verified.run.code, verified.findings.len()),
            (0, 0),
            "{surface} {page}: {}",
            verified.run
        );
        assert_eq!(
            verified.summary["holds"],
            json!({"calls": MOST, "protected": MOST, "unprotected": 0, "unknown": 0, "beyond": all - MOST, "most": MOST})
        );
        assert!(
            verified.summary["by_reason"]["hold_over_max"].as_u64() >= Some((all - MOST) as u64)
        );
        let order = held(&simulation);
        let first: BTreeSet<String> = order[..MOST].iter().cloned().collect();
        assert_eq!((order.len(), protected), (all, first), "{surface} {page}");
        let gone = ids(&simulation, |_| true);
        assert!(
            order[MOST..].iter().all(|id| !gone.contains(id)),
            "nothing under hold stands unprotected"
        );

        simulation.tamper("D57", 1, 3).expect("a hold is lost");
        let lost = simulation.verify(&[]);
        assert_eq!(lost.findings.len(), 1, "{}", lost.run);
        assert_eq!(lost.findings[0]["defect"], "D57");
        assert!(
            lost.run
                .stdout
                .contains("4 of 5 calls under legal hold are protected"),
            "{}",
            lost.run
        );
        let chosen = simulation.file("chosen.txt");
        std::fs::write(&chosen, format!("{}\n", order[MOST])).expect("written");
        let only = simulation.verify(&["--only", "chosen.txt"]);
        assert_eq!(
            only.run.code, 21,
            "of one call the order is not known: {}",
            only.run
        );
    }
}

#[test]
fn small_pages_and_a_canary_refuse_a_plan_before_the_first_write_too() {
    let retention = format!("max_holds = {MOST}");
    for (page, arguments) in [
        (4, &[][..]),
        (MOST as u32, &[]),
        (1000, &["--canary", "8"]),
        (4, &["--canary", "8"]),
    ] {
        let simulation = simulation("guide", page, &retention);
        let refused = simulation.migrate(arguments).ends(2);
        let gone = ids(&simulation, |_| true);
        assert!(gone.is_empty(), "{page} {arguments:?} {gone:?}: {refused}");
    }
}

/// A recording whose record cannot be read says nothing of the others of its call.
#[test]
fn a_call_under_hold_with_one_unreadable_recording_is_counted() {
    let retention = format!("max_holds = {MOST}");
    let whole = simulation("guide", 1000, &retention);
    let all = held(&whole).len();
    let held_with_two = whole.truth("legacy").into_iter().find_map(|call| {
        let recordings = call["recordings"].as_array()?;
        let is_wanted = call["retention"]["hold"] == true && recordings.len() > 1;
        is_wanted.then(|| {
            recordings[0]["legacy_recording_id"]
                .as_str()
                .map(str::to_owned)
        })?
    });
    let unreadable = held_with_two.expect("a call of two recordings under hold");
    let damaged = simulation_with(
        "guide",
        1000,
        &retention,
        &format!(
            "[[fault]]\non = \"legacy.get_recording\"\nkind = \"refused\"\nstatus = 404\nkeys = [\"{unreadable}\"]\n"
        ),
    );
    let dry = damaged.migrate(&["--dry-run"]);
    assert_eq!(count(&dry), all, "{dry}");
}

#[test]
fn a_maximum_that_the_plan_does_not_know_leaves_nothing_unprotected() {
    let simulation = simulation("guide", 1000, "");
    let run = simulation.migrate(&[]);
    assert_eq!(run.code, 10, "{run}");
    let order = held(&simulation);
    let protected = ids(&simulation, |call| call["retention"]["hold"] == true);
    assert_eq!(protected.len(), MOST, "{run}");
    let gone = ids(&simulation, |_| true);
    let unprotected = order
        .iter()
        .filter(|id| gone.contains(*id) && !protected.contains(*id));
    assert_eq!(unprotected.count(), 0, "{run}");
}
