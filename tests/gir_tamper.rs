//! Every damage that can be planted in Interaction Recording is named at its place, live and from
//! what was exported, and nothing else is.

#[path = "support/damage.rs"]
mod damage;
mod support;

use std::collections::BTreeSet;

use damage::{differences, place, planted};
use support::{FULL_WORLD, Simulation, Verification, http};

/// Pairs first, they need most victims. Exports do not tell a region: D54 has a test of its own.
const CLASSES: [(&str, usize); 45] = [
    ("D04", 2),
    ("D18", 2),
    ("D13", 1),
    ("D59", 1),
    ("D60", 1),
    ("D57", 1),
    ("D36", 1),
    ("D48", 1),
    ("D49", 1),
    ("D22", 1),
    ("D23", 1),
    ("D01", 1),
    ("D02", 1),
    ("D03", 1),
    ("D10", 1),
    ("D11", 1),
    ("D14", 1),
    ("D15", 1),
    ("D16", 1),
    ("D17", 1),
    ("D19", 1),
    ("D20", 1),
    ("D21", 1),
    ("D24", 1),
    ("D25", 1),
    ("D26", 1),
    ("D28", 1),
    ("D29", 1),
    ("D30", 1),
    ("D31", 1),
    ("D32", 1),
    ("D34", 1),
    ("D35", 1),
    ("D38", 1),
    ("D39", 1),
    ("D40", 1),
    ("D42", 1),
    ("D45", 1),
    ("D46", 1),
    ("D50", 1),
    ("D51", 1),
    ("D52", 1),
    ("D53", 1),
    ("D55", 1),
    ("D56", 1),
];
const TEXTS: [(&str, usize); 3] = [("D61", 1), ("D62", 1), ("D64", 1)];

/// A world of this many calls, migrated.
fn migrated(seed: u64, calls: u32) -> Simulation {
    let world = FULL_WORLD.replace("interactions = 60", &format!("interactions = {calls}"));
    let simulation = Simulation::start(&format!(
        "about = \"A test.\"\nseed = {seed}\ntarget = \"gir\"\n{world}[expect]\nmigrator = \
         \"quarantined\"\nverdict = \"match\"\n"
    ));
    simulation.migrated();
    simulation
}

/// Has the simulator write what a site exports; into a folder that is not there yet.
fn export(simulation: &Simulation, folder: &str) {
    let dir = simulation.file(folder);
    let (status, said) = http(
        simulation.addresses["control"].as_str().expect("control"),
        "GET",
        &format!("/_sim/exports/gir?dir={}&media=true", dir.display()),
        "",
    );
    assert_eq!(status, 200, "{said}");
}

fn from_exports(simulation: &Simulation, folder: &str) -> Verification {
    let [archive, files, posts] =
        ["archive", "files", "speechminer.csv"].map(|name| format!("{folder}/{name}"));
    simulation.verify(&[
        "--gir-archive",
        &archive,
        "--gir-files",
        &files,
        "--gir-speechminer",
        &posts,
        "--gir-origin",
        "the site",
    ])
}

/// Where something was found.
fn places(verification: &Verification) -> Vec<String> {
    let mut places: Vec<String> = verification
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{:?}",
                place(finding["defect"].as_str().unwrap_or_default(), finding)
            )
        })
        .collect();
    places.sort();
    places
}

#[test]
fn every_damage_is_named_live_and_from_exports() {
    let simulation = migrated(5, 200);
    let mut all = Vec::new();
    for (defect, count) in CLASSES.into_iter().chain(TEXTS) {
        let entries = simulation
            .tamper(defect, count, 3)
            .unwrap_or_else(|error| panic!("{defect}: {error}"));
        all.extend(planted(defect, &entries));
    }
    let live = simulation.verify(&[]);
    let wrong = differences(&all, &live);
    assert!(
        wrong.is_empty(),
        "live, tamper seed 3\n{}\n{}",
        simulation.story(),
        wrong.join("\n")
    );
    assert!(live.run.code == 20 && live.adds_up(), "{}", live.run);
    export(&simulation, "exported");
    let handed = from_exports(&simulation, "exported");
    assert_eq!(places(&handed), places(&live), "{}", handed.run);
    assert!(handed.run.stdout.contains("handed over"), "{}", handed.run);
    let stores = &handed.summary["scope"]["stores"];
    let sent: BTreeSet<&str> = handed
        .requests
        .iter()
        .filter(|line| line["side"] == "target")
        .filter_map(|line| line["operation"].as_str())
        .collect();
    assert!(
        sent.is_empty(),
        "nothing was asked of the target: {sent:?}, {stores}"
    );
}

#[test]
fn a_call_of_another_region_is_elsewhere_where_somebody_says_so_and_hidden_where_nobody_does() {
    let simulation = migrated(7, 60);
    let entries = simulation.tamper("D54", 2, 3).expect("planted");
    let live = simulation.verify(&[]);
    let wrong = differences(&planted("D54", &entries), &live);
    assert!(
        wrong.is_empty() && live.run.code == 20,
        "{}\n{}",
        live.run,
        wrong.join("\n")
    );
    // SpeechMiner's rows have no region.
    export(&simulation, "exported");
    from_exports(&simulation, "exported")
        .cannot_tell("a region", "an archive that holds the recording");
}

#[test]
fn what_was_not_handed_over_is_named() {
    let simulation = migrated(7, 60);
    export(&simulation, "exported");
    assert_eq!(
        from_exports(&simulation, "exported").run.code,
        0,
        "all of it is a match"
    );
    // A real receiver tells nothing, and a store that is gone tells nothing either.
    let plan = support::read(&simulation.file("plan.toml"));
    let elsewhere = plan.replace("/interactionreceiver", "/elsewhere");
    std::fs::write(simulation.file("plan.toml"), elsewhere).expect("a plan");
    let silent = simulation.verify(&[
        "--gir-archive",
        "exported/archive",
        "--gir-files",
        "exported/files",
    ]);
    silent.cannot_tell("no list of SpeechMiner's", "--gir-speechminer");
    // A listing has no bytes; the archive without media neither.
    std::fs::write(simulation.file("plan.toml"), plan).expect("a plan");
    let (status, said) = http(
        simulation.addresses["control"].as_str().expect("control"),
        "GET",
        &format!(
            "/_sim/exports/gir?dir={}",
            simulation.file("without").display()
        ),
        "",
    );
    assert_eq!(status, 200, "{said}");
    let [archive, files, posts] = [
        "without/archive",
        "without/files.csv",
        "without/speechminer.csv",
    ];
    let deaf = simulation.verify(&[
        "--gir-archive",
        archive,
        "--gir-files",
        files,
        "--gir-speechminer",
        posts,
    ]);
    deaf.cannot_tell("no bytes", "--gir-files");
}
