//! Swarm settings: from a base scenario and a seed, one world, one set of faults, one number of
//! workers and a few kills. Sizes and rates vary widely on purpose: what most seeds leave out is
//! what lets the others meet what they have.

use simulator::{FaultKind, Layer, Outcome, Row, TargetKind};
use toml::{Table, Value};

use super::dice::Dice;
use crate::scenario::Scenario;

/// Codecs of a world, cheap to make.
const CODECS: [&str; 7] = ["pcm", "mulaw", "alaw", "adpcm", "mp3", "amr", "gsm"];
/// Shares of interactions or recordings with something special.
const SHARES: [&str; 7] = [
    "transfer_share",
    "no_recording_share",
    "stereo_share",
    "masked_share",
    "pause_share",
    "hold_share",
    "reversed_share",
];
/// Tries until a fault fits its operation; what fits none of them is left out.
const TRIES: usize = 8;

/// A scenario of its own for this seed.
pub(crate) fn vary(base: &Table, scenario: &Scenario, seed: u64) -> Table {
    let dice = Dice::new(seed);
    let mut document = base.clone();
    document.insert(
        "about".to_owned(),
        format!("Seed {seed} of an exploration of {}.", scenario.setup.name).into(),
    );
    document.insert("seed".to_owned(), Value::Integer(dice.of("seed").seed()));
    for gone in ["after_migration", "clock", "migrator"] {
        document.remove(gone);
    }
    let mut expect = table([("verdict", "match".into())]);
    let allowed = base
        .get("expect")
        .and_then(|expect| expect.get("max_conduct"));
    expect.extend(allowed.map(|allowed| ("max_conduct".to_owned(), allowed.clone())));
    document.insert("expect".to_owned(), expect.into());
    if scenario.setup.world.file.is_none() {
        vary_world(section(&mut document, "world"), dice.of("world"));
    }
    let pace = section(section(&mut document, "plan"), "pace");
    pace.insert(
        "workers".to_owned(),
        Value::Integer(dice.of("workers").one_of(&[1, 2, 4, 8, 16, 64])),
    );
    if scenario.setup.target == TargetKind::GenesysCloud {
        let limits = section(section(&mut document, "genesys_cloud"), "limits");
        limits.insert(
            "requests_per_minute".to_owned(),
            Value::Integer(dice.of("limit").one_of(&[300, 1200, 6000])),
        );
    }
    let faults = faults(base, scenario, dice.of("faults"));
    document.insert("fault".to_owned(), Value::Array(faults));
    plant(&mut document, dice.of("wrong data"));
    let kills = kills(dice.of("kills"));
    if !kills.is_empty() {
        document.insert(
            "migrator".to_owned(),
            table([("kill_after_requests", Value::Array(kills))]).into(),
        );
    }
    document
}

fn vary_world(world: &mut Table, dice: Dice) {
    let size = match dice.of("size").between(0, 9) {
        0..=4 => dice.of("few").between(1, 6),
        5..=7 => dice.of("some").between(7, 15),
        _ => dice.of("many").between(16, 40),
    };
    let mut set = |name: &str, value: Value| _ = world.insert(name.to_owned(), value);
    set("interactions", int(size));
    let seconds = dice.of("seconds").one_of(&[0.5, 1.0, 2.0, 4.0]);
    set("mean_seconds", Value::Float(seconds));
    for share in SHARES {
        set(
            share,
            Value::Float(dice.of(share).one_of(&[0.0, 0.0, 0.1, 0.5])),
        );
    }
    for (name, most) in [
        ("unmapped_agents", 2),
        ("re_used_agents", 2),
        ("unmapped_queues", 1),
    ] {
        set(
            name,
            int(if dice.of(name).percent(50) {
                0
            } else {
                dice.of(name).nth(1).between(0, most)
            }),
        );
    }
    set("agents", int(8));
    set("queues", int(4));
    set("invalid_agent_ids", int(0));
    set("invalid_queue_ids", int(0));
    let codecs: Vec<Value> = CODECS
        .iter()
        .filter(|codec| dice.of(codec).percent(40))
        .map(|codec| Value::from(*codec))
        .collect();
    set(
        "codecs",
        Value::Array(if codecs.is_empty() {
            vec!["pcm".into()]
        } else {
            codecs
        }),
    );
    // Victims are interactions with one recording, a mapped agent and a mapped queue: a small world
    // may not have as many.
    let mut bad = Table::new();
    // What is cut must be cut by more than the usual tolerance.
    let long = seconds >= 2.5;
    for kind in [
        "empty",
        "html",
        "noise",
        "undecodable",
        "truncated",
        "short",
        "unsupported",
        "incomplete",
    ] {
        if !long && matches!(kind, "truncated" | "short" | "incomplete") {
            continue;
        }
        if size >= 16 && dice.of(kind).percent(25) {
            bad.insert(kind.to_owned(), int(1));
        }
    }
    set("bad_media", bad.into());
    set(
        "expired",
        int(if size >= 16 && dice.of("expired").percent(30) {
            1
        } else {
            0
        }),
    );
}

/// The base's own, half of them and with other shares, and a few of any kind on any operation of
/// source and target.
fn faults(base: &Table, scenario: &Scenario, dice: Dice) -> Vec<Value> {
    let own = base
        .get("fault")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate();
    let mut all: Vec<Value> = own
        .filter(|(n, _)| dice.of("own").nth(*n).percent(50))
        .map(|(_, fault)| fault.clone())
        .collect();
    let operations = operations(scenario);
    for n in 0..dice.of("how many").between(0, 5) as usize {
        let fitting = (0..TRIES)
            .map(|t| any_fault(&operations, dice.of("any").nth(n).nth(t)))
            .find(|fault| fits(base, fault));
        all.extend(fitting.map(Value::Table));
    }
    all
}

/// Wrong data of the source: up to six kinds, one call of each, where the world has room for it and
/// can show it. A call meets one kind at most, so each of them asks for a call of its own.
fn plant(document: &mut Table, dice: Dice) {
    let kinds = wrong_data();
    for n in 0..dice.of("how many").between(0, 6) as usize {
        let row = dice.of("kind").nth(n).one_of(&kinds);
        let fault = table([
            ("on", row.on[0].into()),
            ("kind", row.name.into()),
            ("count", int(1)),
        ]);
        let mut planted = document.clone();
        if let Some(faults) = planted.get_mut("fault").and_then(Value::as_array_mut) {
            faults.push(Value::Table(fault));
        }
        if Scenario::parse(&planted.to_string(), "planted.toml").is_ok() {
            *document = planted;
        }
    }
}

/// Wrong data that a migrator comes to terms with alone and under any plan.
fn wrong_data() -> Vec<&'static Row> {
    simulator::fault_rows()
        .filter(|row| {
            row.layer == Layer::Domain && row.plan.is_empty() && row.outcome != Outcome::Left
        })
        .collect()
}

/// Faults of requests that a sound migrator survives while they heal.
fn survivable() -> Vec<&'static Row> {
    let strikes_requests = |row: &&Row| {
        matches!(
            row.layer,
            Layer::Transport | Layer::Http | Layer::CommitThenFail
        )
    };
    simulator::fault_rows()
        .filter(strikes_requests)
        .filter(|row| matches!(row.outcome, Outcome::Survivable(_)))
        .collect()
}

/// Whether the simulator takes a fault: it knows what strikes what.
fn fits(base: &Table, fault: &Table) -> bool {
    let mut document = base.clone();
    document.insert(
        "fault".to_owned(),
        Value::Array(vec![Value::Table(fault.clone())]),
    );
    Scenario::parse(&document.to_string(), "fault.toml").is_ok()
}

/// Names of the operations a fault may strike in this rehearsal.
fn operations(scenario: &Scenario) -> Vec<String> {
    scenario
        .setup
        .target
        .operations()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn any_fault(operations: &[String], dice: Dice) -> Table {
    let row = dice.of("kind").one_of(&survivable());
    let on = &operations[(dice.of("on").between(0, operations.len() as u64 - 1)) as usize];
    let mut fault = table([("on", on.as_str().into()), ("kind", row.name.into())]);
    let attempts = dice
        .of("attempts")
        .one_of(&[&[1_i64][..], &[1, 2], &[2], &[1, 3], &[1, 2, 3]]);
    fault.insert(
        "attempts".to_owned(),
        Value::Array(
            attempts
                .iter()
                .map(|attempt| Value::Integer(*attempt))
                .collect(),
        ),
    );
    fault.insert(
        "share".to_owned(),
        Value::Float(dice.of("share").one_of(&[0.02, 0.1, 0.3, 0.6, 1.0])),
    );
    for knob in row.knobs {
        let value = match knob.name {
            // Of each piece of the body.
            "ms" if row.kind == FaultKind::SlowBody => dice.of("ms").one_of(&[5, 50, 500]),
            "ms" => dice.of("ms").one_of(&[50, 900, 5000, 45_000]),
            "retry_after_s" if dice.of("told").percent(70) => {
                dice.of("after").one_of(&[0, 1, 3, 30])
            }
            "status" => dice.of("status").one_of(&[500, 502, 503, 504]),
            _ => continue,
        };
        fault.insert(knob.name.to_owned(), Value::Integer(value));
    }
    fault
}

fn kills(dice: Dice) -> Vec<Value> {
    if !dice.of("any").percent(40) {
        return Vec::new();
    }
    (0..dice.of("how many").between(1, 3) as usize)
        .map(|n| int(dice.nth(n).one_of(&[1, 3, 7, 15, 40, 100, 250])))
        .collect()
}

fn int(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn table<const N: usize>(pairs: [(&str, Value); N]) -> Table {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A table within a table, made where it is missing.
pub(crate) fn section<'a>(document: &'a mut Table, name: &str) -> &'a mut Table {
    let slot = document
        .entry(name)
        .or_insert_with(|| Value::Table(Table::new()));
    if !slot.is_table() {
        *slot = Value::Table(Table::new());
    }
    match slot {
        Value::Table(table) => table,
        // Made a table just above.
        _ => unreachable!("a section is a table"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASES: [&str; 3] = [
        include_str!("../../../scenarios/showcase.toml"),
        include_str!("../../../scenarios/public_showcase.toml"),
        include_str!("../../../scenarios/gir_showcase.toml"),
    ];

    #[test]
    fn every_seed_makes_a_scenario_the_simulator_takes_and_the_same_one_each_time() {
        for base in BASES {
            let scenario = Scenario::parse(base, "base.toml").expect("a scenario");
            let base: Table = base.parse().expect("TOML");
            for seed in 0..40 {
                let text = vary(&base, &scenario, seed).to_string();
                assert_eq!(text, vary(&base, &scenario, seed).to_string());
                Scenario::parse(&text, "seed.toml")
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
            }
        }
    }

    #[test]
    fn what_a_scenario_lets_pass_of_conduct_every_seed_lets_pass() {
        let text = BASES[0].replace("[expect]", "[expect]\nmax_conduct = 3");
        let scenario = Scenario::parse(&text, "base.toml").expect("a scenario");
        let base: Table = text.parse().expect("TOML");
        let varied = Scenario::parse(&vary(&base, &scenario, 1).to_string(), "seed.toml")
            .expect("a scenario");
        assert_eq!(
            (scenario.expect.max_conduct, varied.expect.max_conduct),
            (3, 3)
        );
    }

    #[test]
    fn seeds_differ_widely() {
        let scenario = Scenario::parse(BASES[0], "base.toml").expect("a scenario");
        let base: Table = BASES[0].parse().expect("TOML");
        let varied: Vec<Scenario> = (0..200)
            .map(|seed| {
                Scenario::parse(&vary(&base, &scenario, seed).to_string(), "s.toml")
                    .expect("a scenario")
            })
            .collect();
        let sizes: std::collections::BTreeSet<u64> = varied
            .iter()
            .map(|one| one.setup.world.interactions)
            .collect();
        assert!(sizes.len() > 20 && sizes.contains(&1), "{sizes:?}");
        let faults: std::collections::BTreeSet<usize> =
            varied.iter().map(|one| one.setup.faults.len()).collect();
        assert!(faults.len() > 5 && faults.first() <= Some(&1), "{faults:?}");
        assert!(
            varied
                .iter()
                .any(|one| one.migrator.kill_after_requests.is_empty())
        );
        assert!(
            varied
                .iter()
                .any(|one| one.migrator.kill_after_requests.len() == 3)
        );
        let kinds: std::collections::BTreeSet<String> = varied
            .iter()
            .flat_map(|one| &one.setup.faults)
            .map(|fault| format!("{:?}", fault.kind))
            .collect();
        assert!(kinds.len() >= survivable().len(), "{kinds:?}");
        let wrong = wrong_data().len();
        assert!(wrong > 90, "{wrong}");
        let planted = kinds
            .iter()
            .filter(|kind| kind.starts_with("Domain"))
            .count();
        assert!(
            planted > 30,
            "{planted} of {wrong} kinds of wrong data in 200 seeds"
        );
    }
}
