//! Staging in object stores: the showcase with its staging on S3 and on Azure Blob storage arrives
//! as from a folder, and what was altered or removed behind the migrator's back is found.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod servers;
#[path = "../support/mod.rs"]
mod support;

use servers::{KEY, Store};
use support::{NO_LIMITS, Simulation, replace_all};

const SHOWCASE: &str = include_str!("../../scenarios/showcase.toml");
const SMALL: &str = "about = \"A test.\"\nseed = 4\n[world]\ninteractions = 12\nagents = \
    4\nqueues = 2\n[expect]\nverdict = \"match\"\n";

/// The simulators with a plan whose staging is in the store.
fn staged_in(store: &Store, prefix: &str, scenario: &str) -> Simulation {
    let simulation = Simulation::start(scenario);
    let text = std::fs::read_to_string(simulation.file("plan.toml")).unwrap();
    let mut plan: toml::Table = toml::from_str(&text).unwrap();
    let staging = toml::from_str(&store.section(prefix)).unwrap();
    plan["staging"] = toml::Value::Table(staging);
    std::fs::write(simulation.file("plan.toml"), plan.to_string()).unwrap();
    std::fs::write(simulation.file("secrets/store"), KEY).unwrap();
    simulation
}

/// The showcase by way of a store, and the counts of what lies in it.
fn showcase_arrives(store: &Store) {
    let simulation = staged_in(store, "acme/2026", SHOWCASE);
    let preflight = simulation.seatrial(&["preflight", "plan.toml"]).ends(0);
    assert!(
        store.names("acme/2026/").is_empty(),
        "preflight takes away what it wrote: {preflight}"
    );
    simulation.migrate(&[]).ends(10);
    let verification = simulation.verify(&[]);
    assert_eq!(verification.run.code, 0, "{}", verification.run);
    assert_eq!(verification.count("matched"), 252, "{}", verification.run);
    let names = store.names("acme/2026/");
    let count = |folder: &str| {
        let prefix = format!("acme/2026/{folder}/");
        names
            .iter()
            .filter(|name| name.starts_with(&prefix))
            .count()
    };
    assert_eq!(count("raw"), 240);
    assert!(count("blob") >= 250, "{}", count("blob"));
    assert_eq!((count("out"), count("incoming")), (0, 0), "{names:?}");
    for folder in ["staging", "scratch"] {
        let left = std::fs::read_dir(simulation.file(folder)).unwrap().count();
        assert_eq!(left, 0, "nothing lies in {folder}");
    }
    let staged = simulation.verify(&["--source", "staged"]);
    // Nobody counts what staging holds.
    assert_eq!(staged.run.code, 21, "{}", staged.run);
    assert_eq!(staged.count("matched"), 252, "{}", staged.run);

    let blobs: Vec<&String> = names
        .iter()
        .filter(|name| name.contains("/blob/"))
        .collect();
    let path = |name: &str| format!("/{name}");
    let altered = store.ask_with("PUT", &path(blobs[3]), "other bytes").0;
    assert!([200, 201].contains(&altered), "{altered}");
    let removed = store.ask("DELETE", &path(blobs[7])).0;
    assert!([202, 204].contains(&removed), "{removed}");
    let found = simulation.verify(&["--source", "staged"]);
    assert_eq!(found.run.code, 21, "{}", found.run);
    assert_eq!(found.count("matched") + found.count("not_verifiable"), 252);
    assert!(found.count("not_verifiable") >= 1, "{}", found.run);
    for words in [
        "was altered after it was hashed",
        "is no longer in the staging",
    ] {
        assert!(found.run.stdout.contains(words), "{words}: {}", found.run);
    }
}

#[test]
#[ignore = "needs moto; ./check installs it"]
fn the_showcase_arrives_by_way_of_s3() {
    let store = Store::s3();
    showcase_arrives(&store);
    let name = &store.names("acme/2026/raw/")[0];
    let (status, headers) = store.ask("HEAD", &format!("/{name}"));
    assert_eq!(status, 200);
    assert!(
        headers.contains("x-amz-server-side-encryption: AES256"),
        "{headers}"
    );
}

#[test]
#[ignore = "needs Azurite; ./check installs it"]
fn the_showcase_arrives_by_way_of_azure() {
    showcase_arrives(&Store::azure());
}

/// What a dry run staged, and somebody took away or changed since, is read again from the source.
#[test]
#[ignore = "needs moto; ./check installs it"]
fn what_was_removed_between_two_runs_is_staged_again() {
    let store = Store::s3();
    let simulation = staged_in(&store, "", &format!("{SMALL}{NO_LIMITS}"));
    simulation.migrate(&["--dry-run"]).ends(0);
    let blobs = store.names("blob/");
    assert!(blobs.len() >= 12, "{blobs:?}");
    for blob in &blobs {
        assert_eq!(store.ask("DELETE", &format!("/{blob}")).0, 204);
    }
    for out in store.names("out/") {
        assert_eq!(store.ask("DELETE", &format!("/{out}")).0, 204);
    }
    simulation.migrate(&[]).ends(0);
    let verification = simulation.verify(&[]);
    assert_eq!(verification.run.code, 0, "{}", verification.run);
    assert_eq!(store.names("blob/").len(), blobs.len());
}

#[test]
#[ignore = "needs Azurite; ./check installs it"]
fn preflight_names_what_a_store_refuses() {
    let store = Store::azure();
    let simulation = staged_in(&store, "x", SMALL);
    let wrong_key = "bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50";
    std::fs::write(simulation.file("secrets/store"), wrong_key).unwrap();
    let run = simulation.seatrial(&["preflight", "plan.toml"]);
    assert_ne!(run.code, 0, "{run}");
    let said = format!("{run}");
    assert!(
        said.contains("az://staging/x") && said.contains("403"),
        "{run}"
    );
    assert!(!said.contains(wrong_key), "{run}");
    std::fs::write(simulation.file("secrets/store"), KEY).unwrap();
    replace_all(
        simulation.dir(),
        "plan.toml",
        "az://staging",
        "az://nowhere",
    );
    let run = simulation.seatrial(&["preflight", "plan.toml"]);
    assert_ne!(run.code, 0, "{run}");
    assert!(format!("{run}").contains("az://nowhere/x"), "{run}");
}
