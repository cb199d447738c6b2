//! Small exports, read whole, live and from a staging.

use std::path::Path;

use plan::LoadedPlan;
use plan::layout::Format;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::row::Content;
use super::*;
use crate::options::Silent;
use crate::source::{SourceFormat, SourceTime, StagedAnswer, StagedMedia};

const PLAN: &str = r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "files"
audio = "audio"
metadata = "metadata"
layout = "layout.toml"
[target]
kind = "genesys_cloud"
base_url = "http://127.0.0.1/target"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[pii]
phones = "keep"
pauses = "silence"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;

/// Columns of one call a row.
const ONE: &str = "layout_version = 1\n[file]\nformat = \"csv\"\n[call]\nid = \"Id\"\nstart = \"Start\"\nend = \"End\"\n";
const HEADER: &str = "Id,Start,End,A,B,C\n";
const START: &str = "2024-01-31T10:00:00Z";
const END: &str = "2024-01-31T10:05:00Z";

/// A line of [`ONE`]'s columns.
fn line(id: &str, rest: &str) -> String {
    format!("{id},{START},{END},{rest}\n")
}

/// A plan with a layout, metadata files and empty audio files.
struct World(TempDir);

impl World {
    fn new(layout: &str, metadata: &[(&str, &str)], audio: &[&str]) -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: String, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        };
        write("plan.toml".into(), PLAN);
        write("layout.toml".into(), layout);
        write(
            "agents.csv".into(),
            "legacy_agent_id,genesys_user_id,genesys_user_name\n",
        );
        write("queues.csv".into(), "legacy_queue_id,genesys_queue_id\n");
        std::fs::create_dir(dir.path().join("audio")).expect("made");
        for (name, text) in metadata {
            write(format!("metadata/{name}"), text);
        }
        for name in audio {
            write(format!("audio/{name}"), "sound");
        }
        World(dir)
    }

    fn with_plan(self, from: &str, to: &str) -> World {
        let plan = PLAN.replace(from, to);
        assert_ne!(plan, PLAN);
        std::fs::write(self.0.path().join("plan.toml"), plan).expect("written");
        self
    }

    fn plan(&self) -> LoadedPlan {
        LoadedPlan::read(&self.0.path().join("plan.toml")).expect("a plan")
    }

    fn export(&self) -> Export {
        let plan = self.plan();
        Export::open(&plan, plan.plan.source.files().expect("files")).expect("opened")
    }

    fn read(&self) -> Result<Vec<SourceInteraction>, RunError> {
        let mut listed = Listed::new(self.0.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(self.export().list(None, 1, &mut listed, &Silent))?;
        listed.interactions()?.iter().collect()
    }

    fn calls(&self) -> Vec<SourceInteraction> {
        self.read().expect("read")
    }

    /// The only call.
    fn call(&self) -> SourceInteraction {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }
}

/// One call of one row with these cells in `A`, `B` and `C`.
fn one(layout: &str, cells: &str, audio: &[&str]) -> SourceInteraction {
    let text = format!("{HEADER}{}", line("7", cells));
    World::new(&format!("{ONE}{layout}"), &[("a.csv", &text)], audio).call()
}

/// One call of one JSON row.
fn of_json(layout: &str, row: &Json, audio: &[&str]) -> SourceInteraction {
    let layout = format!(
        "layout_version = 1\n[file]\nformat = \"ndjson\"\n[call]\nid = \"$.id\"\nstart = \
         \"$.start\"\nend = \"$.end\"\n{layout}"
    );
    World::new(&layout, &[("a.ndjson", &row.to_string())], audio).call()
}

fn ms(time: &SourceTime) -> Option<String> {
    call::at(time).map(|at| at.to_string().replace(".000Z", "Z"))
}

fn ids(calls: &[SourceInteraction]) -> Vec<&str> {
    calls.iter().map(|call| call.listed.id.as_str()).collect()
}

fn recordings(call: &SourceInteraction) -> Vec<&str> {
    call.recordings
        .iter()
        .map(|recording| recording.id.as_str())
        .collect()
}

#[test]
fn a_row_becomes_a_call_with_all_its_fields() {
    let layout = r#"direction = { column = "A", words = "way" }
agent = "B"
queue = { const = "Q-1" }
wait = { column = "C", unit = "s" }
customer = { const = "+15550100" }
business = { const = "+15550200" }
[attributes]
campaign = { text = "{B}/{C}" }
none = "Nowhere"
[words.way]
O = "outbound"
"#;
    let call = one(layout, "O,AGT-1,1.5004", &[]);
    assert_eq!(call.unread, None);
    let listed = &call.listed;
    assert_eq!(ms(&listed.start_time).as_deref(), Some(START));
    assert_eq!(ms(&listed.end_time).as_deref(), Some(END));
    assert_eq!(listed.direction.as_deref(), Some("OUTBOUND"));
    assert_eq!(listed.agent_id.as_deref(), Some("AGT-1"));
    assert_eq!(listed.queue_id.as_deref(), Some("Q-1"));
    assert_eq!(
        (listed.wait_time_ms, listed.rounded.as_slice()),
        (Some(1500), &["wait".to_owned()][..])
    );
    assert_eq!(listed.caller_number.as_deref(), Some("+15550200"));
    assert_eq!(listed.dialled_number.as_deref(), Some("+15550100"));
    assert_eq!(listed.extra.len(), 1);
    assert_eq!(listed.extra["campaign"], "AGT-1/1.5004");
    assert!(call.recordings.is_empty() && listed.segments.is_empty());
    let inbound = one(layout, ",AGT-1,", &[]);
    assert_eq!(inbound.listed.caller_number.as_deref(), Some("+15550100"));
    assert!(inbound.listed.rounded.is_empty() && inbound.listed.wait_time_ms.is_none());
}

#[test]
fn what_cannot_be_read_is_one_calls_trouble() {
    let rows = [
        ("direction = \"A\"\n", "sideways,,", "call.direction (A)"),
        ("wait = \"A\"\n", "soon,,", "call.wait (A)"),
        ("talk = \"A\"\n", "-1,,", "call.talk (A)"),
        (
            "queue = { column = \"A\", pattern = 'x' }\n",
            "secret,,",
            "call.queue (A)",
        ),
        (
            "[attributes]\nx = { column = \"A\", pattern = 'x' }\n",
            "secret,,",
            "attributes.x (A)",
        ),
        (
            "[segment]\neach = \"row\"\nagent = { column = \"A\", pattern = 'x' }\n",
            "secret,,",
            "segment.when (A)",
        ),
        (
            "[segment]\neach = \"row\"\nagent = \"A\"\nduration = \"B\"\n",
            "x,secret,",
            "segment.duration (B)",
        ),
    ];
    for (layout, cells, named) in rows {
        let call = one(layout, cells, &[]);
        let why = call.unread.expect("unreadable");
        assert!(why.starts_with(named) && why.contains("a.csv"), "{why}");
        assert!(!why.contains("secret"), "{why}");
        assert_eq!(call.listed.id, "7");
    }
    // Times are never a call's trouble, whatever is wrong with them.
    let call = one("", ",,", &[]);
    assert!(call.unread.is_none());
    let text = "Id,Start,End\n7,yesterday,2024-01-31T10:00:00Z\n";
    let call = World::new(ONE, &[("a.csv", text)], &[]).call();
    assert_eq!(
        (call.unread, call::at(&call.listed.start_time)),
        (None, None)
    );
    assert!(
        matches!(&call.listed.start_time, SourceTime::Instant { text, .. } if text == "yesterday")
    );
}

#[test]
fn a_line_that_cannot_be_read_and_a_row_without_an_id_are_calls_of_their_own() {
    let text = format!(
        "{HEADER}{}x,y\n{}{}",
        line("1", ",,"),
        line("", "z,,"),
        line("2", ",,")
    );
    let calls = World::new(ONE, &[("d/a.csv", &text)], &[]).calls();
    assert_eq!(ids(&calls), ["1", "2", "d/a.csv:3", "d/a.csv:4"]);
    let unread: Vec<bool> = calls.iter().map(|call| call.unread.is_some()).collect();
    assert_eq!(unread, [false, false, true, true]);
    let json = World::new(
        "layout_version = 1\n[file]\nformat = \"json\"\nrows = \"$.c[*]\"\n[call]\nid = \"$.id\"\nstart = \
         \"$.s\"\nduration = \"$.d\"\n",
        &[
            ("a.json", "{\"c\":[{\"id\":1},\n7,\n{\"id\":2"),
            ("b.JSON", "{\"c\":[{\"id\":3}]}"),
        ],
        &[],
    );
    assert_eq!(ids(&json.calls()), ["1", "3", "a.json:2", "a.json:3"]);
}

#[test]
fn a_file_that_cannot_be_understood_ends_the_verification() {
    let rows = [
        (
            ONE,
            "a.csv",
            "Name,Start,End\n1,2,3\n",
            "no column `Id` (call.id)",
        ),
        (
            ONE,
            "a.csv",
            "Id,Begin\n1,2\n",
            "no column `Start` (call.start)",
        ),
        (ONE, "a.csv", "Id,\"Start\n", "the header"),
        (ONE, "a.txt", "Id,Start,End\n", "no file below"),
    ];
    for (layout, name, text, said) in rows {
        let error = World::new(layout, &[(name, text)], &[])
            .read()
            .expect_err(said);
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.exit_code(), 12);
    }
    let world = World::new(ONE, &[("a.csv", HEADER)], &[]);
    assert!(world.calls().is_empty());
    std::fs::remove_dir(world.0.path().join("audio")).expect("removed");
    let error = world.read().expect_err("no audio folder");
    assert!(error.to_string().contains("source.audio"), "{error}");
    std::os::unix::fs::symlink("nowhere", world.0.path().join("metadata/b.csv")).expect("a link");
    std::fs::create_dir(world.0.path().join("audio")).expect("made");
    let error = world.read().expect_err("a broken link");
    assert!(error.to_string().contains("b.csv"), "{error}");
    let broken = format!("{ONE}[recording]\neach = \"row\"\nfiles = \"[a{{call.id}}\"\n");
    let plan = World::new(&broken, &[("a.csv", HEADER)], &[]).plan();
    let refused = Export::open(&plan, plan.plan.source.files().expect("files"));
    assert_eq!(refused.err().map(|error| error.exit_code()), Some(2));
}

#[test]
fn rows_that_say_the_same_count_once_and_others_collide() {
    let (same, other) = (line("1", "x,,"), line("1", "y,,"));
    let text = format!("{HEADER}{same}{same}");
    let turned = format!("End,Start,Id,C,B,A\n{END},{START},1,,,x\n");
    let world = World::new(ONE, &[("a.csv", &text), ("b.csv", &turned)], &[]);
    assert!(!world.call().collided);
    let text = format!("{text}{other}");
    let layout =
        format!("{ONE}[recording]\neach = \"row\"\nid = \"A\"\nfile = {{ const = \"f\" }}\n");
    let call = World::new(&layout, &[("a.csv", &text)], &["f"]).call();
    assert!(call.collided && call.unread.is_none());
    assert_eq!(recordings(&call), ["x", "y"]);
}

#[test]
fn the_latest_of_several_rows_counts() {
    let latest = format!("{ONE}latest = \"A\"\nqueue = \"B\"\n");
    let rows = [
        (["2,old,", "10,older,", "3,new,"], Some("new"), false),
        (["2,a,", "2,b,", ",c,"], Some("b"), false),
    ];
    for (lines, queue, unread) in rows {
        let lines: String = lines.iter().map(|cells| line("1", cells)).collect();
        let text = format!("{HEADER}{lines}");
        let call = World::new(&latest, &[("a.csv", &text)], &[]).call();
        assert_eq!(call.listed.queue_id.as_deref(), queue);
        assert_eq!((call.collided, call.unread.is_some()), (false, unread));
    }
    let layout = latest.replace("\"A\"", "{ column = \"A\", pattern = '^[0-9]+$' }");
    let text = format!("{HEADER}{}{}", line("1", "1,,"), line("1", "x,,"));
    let call = World::new(&layout, &[("a.csv", &text)], &[]).call();
    assert!(
        call.unread
            .is_some_and(|why| why.starts_with("call.latest"))
    );
}

const MANY: &str = "layout_version = 1\n[file]\nformat = \"csv\"\n[call]\nrows = \"many\"\nid = \"Id\"\nstart = \"Start\"\nend = \"End\"\nqueue = \"A\"\n";

#[test]
fn a_call_of_many_rows_reaches_from_its_earliest_start_to_its_latest_end() {
    let layout = format!(
        "{MANY}[segment]\neach = \"row\"\nagent = \"B\"\n[recording]\neach = \"row\"\nfile = \"C\"\nsegment = \"B\"\n"
    );
    let first = "Id,Start,End,A,B,C\n\
        1,2024-01-31T10:02:00Z,2024-01-31T10:04:00Z,,AGT-2,2.wav\n\
        2,2024-01-31T10:00:00Z,2024-01-31T10:04:00Z,,,\n\
        1,2024-01-31T10:03:00Z,2024-01-31T10:00:00Z,Q-2,AGT-1,1.wav\n";
    let second = "Id,Start,End,A,B,C\n1,2024-01-31T10:01:00Z,2024-01-31T10:05:00Z,Q-3,,\n";
    let world = World::new(
        &layout,
        &[("a.csv", first), ("b.csv", second)],
        &["1.wav", "2.wav"],
    );
    let calls = world.calls();
    assert_eq!(ids(&calls), ["1", "2"]);
    let listed = &calls[0].listed;
    assert_eq!(
        ms(&listed.start_time).as_deref(),
        Some("2024-01-31T10:00:00Z")
    );
    assert_eq!(
        ms(&listed.end_time).as_deref(),
        Some("2024-01-31T10:05:00Z")
    );
    assert!(listed.row_reversed, "the third line");
    assert_eq!(
        listed.queue_id.as_deref(),
        Some("Q-2"),
        "the first row with a value"
    );
    let legs: Vec<_> = listed
        .segments
        .iter()
        .map(|leg| {
            (
                leg.id.as_str(),
                leg.agent_id.as_deref(),
                ms(&leg.start_time),
            )
        })
        .collect();
    assert_eq!(
        legs,
        [
            (
                "1-s1",
                Some("AGT-2"),
                Some("2024-01-31T10:02:00Z".to_owned())
            ),
            (
                "1-s2",
                Some("AGT-1"),
                Some("2024-01-31T10:00:00Z".to_owned())
            ),
        ]
    );
    assert_eq!(recordings(&calls[0]), ["1-1", "1-2"]);
    assert_eq!(listed.recordings[0], ("1-1".into(), Some("AGT-2".into())));
    let details = calls[0].recordings[0].details.as_ref().expect("readable");
    assert_eq!(
        ms(&details.start_time).as_deref(),
        Some("2024-01-31T10:02:00Z")
    );
    assert!(calls[1].recordings.is_empty() && calls[1].listed.segments.is_empty());
    let text = first.replace("10:04:00Z,,AGT-2", "soon,,AGT-2");
    let call = &World::new(&layout, &[("a.csv", &text)], &[]).calls()[0];
    assert!(ms(&call.listed.end_time).is_none() && ms(&call.listed.start_time).is_some());
}

#[test]
fn legs_stand_in_rows_or_in_elements() {
    let layout = "[segment]\neach = \"$.legs[*]\"\nwhen = \"@.agent\"\nid = \"@.id\"\nagent = \"@.agent\"\nstart = \"@.at\"\nduration = \"@.s\"\n[time]\nlengths = \"s\"\n";
    let row = json!({"id": 5, "start": START, "end": END, "legs": [
        {"agent": "A"},
        {"agent": null, "id": "none"},
        {"agent": "B", "id": 17, "at": "2024-01-31T10:01:00Z", "s": 60},
        {"agent": "C", "id": "17"},
        {"agent": "D", "s": 30},
    ]});
    let call = of_json(layout, &row, &[]);
    let legs: Vec<_> = call
        .listed
        .segments
        .iter()
        .map(|leg| {
            (
                leg.id.as_str(),
                leg.agent_id.as_deref().unwrap_or_default(),
                ms(&leg.start_time).unwrap_or_default(),
                ms(&leg.end_time).unwrap_or_default(),
            )
        })
        .collect();
    let at = |minute: &str| format!("2024-01-31T10:{minute}Z");
    assert_eq!(
        legs,
        [
            ("5-s1", "A", at("00:00"), at("05:00")),
            ("17", "B", at("01:00"), at("02:00")),
            ("5-s4", "D", at("00:00"), at("00:30")),
        ]
    );
}

#[test]
fn times_take_the_rows_zone_then_the_values_then_the_layouts_then_the_plans() {
    let text = |zone: &str| format!("Id,Start,End,A\n1,2024-07-01 12:00,2024-07-01 12:05,{zone}\n");
    let start = |layout: &str, zone: &str, plan: Option<&str>| {
        let world = World::new(layout, &[("a.csv", &text(zone))], &[]);
        let world = match plan {
            Some(name) => {
                let time = format!("[time]\nnaive_zone = \"{name}\"\n[mapping]");
                world.with_plan("[mapping]", &time)
            }
            None => world,
        };
        ms(&world.call().listed.start_time)
    };
    let column = format!("{ONE}[time]\nzone = \"Europe/Berlin\"\nzone_column = \"A\"\n");
    let own = column.replace("\"Start\"", "{ column = \"Start\", zone = \"Asia/Tokyo\" }");
    let at = |hour: &str| Some(format!("2024-07-01T{hour}:00:00Z"));
    assert_eq!(start(&own, "+05:00", Some("Europe/London")), at("07"));
    assert_eq!(start(&own, "America/New_York", None), at("16"));
    assert_eq!(start(&own, "", None), at("03"));
    assert_eq!(start(&column, "", Some("Europe/London")), at("10"));
    assert_eq!(start(ONE, "", Some("Europe/London")), at("11"));
    assert_eq!(start(ONE, "", None), None);
    assert_eq!(start(&column, "Nowhere", None), None);
}

#[test]
fn a_recorders_offset_is_added_to_what_it_wrote() {
    let layout = format!(
        "{ONE}recorder_node = \"A\"\n[recording]\neach = \"row\"\nfile = \"B\"\nrecorder_node = \"C\"\nstart = \"Start\"\ndelete_at = \"End\"\n"
    );
    let text = format!("{HEADER}{}", line("1", "N3,f,N4"));
    let call = World::new(&layout, &[("a.csv", &text)], &["f"])
        .with_plan(
            "[mapping]",
            "[time.node.N3]\noffset_ms = -60000\n[time.node.N4]\noffset_ms = 1000\n[mapping]",
        )
        .call();
    let of_call = |time| ms(time).unwrap_or_default();
    assert_eq!(of_call(&call.listed.start_time), "2024-01-31T09:59:00Z");
    let details = call.recordings[0].details.as_ref().expect("readable");
    assert_eq!(of_call(&details.start_time), "2024-01-31T10:00:01Z");
    assert_eq!(
        of_call(&details.end_time),
        "2024-01-31T10:04:00Z",
        "the call's end"
    );
    assert_eq!(of_call(&details.delete_at), END, "no recorder wrote it");
}

#[test]
fn the_window_is_held_against_the_calls_start() {
    let row = |id: &str, start: &str| format!("{id},{start},2024-06-01T00:00:00Z\n");
    let text = [
        "Id,Start,End\n".to_owned(),
        row("1", "2024-01-31T23:59:59Z"),
        row("2", "2024-02-01T00:00:00Z"),
        row("3", "2024-02-29T00:00:00Z"),
        row("4", "never"),
        // Its ends are reversed, and it starts when the window has ended.
        row("5", "2025-01-01T00:00:00Z"),
        row("6", "1985-01-01T00:00:00Z"),
    ]
    .concat();
    let world = World::new(ONE, &[("a.csv", &text)], &[]).with_plan(
        "layout = ",
        "from = \"2024-02-01T00:00:00Z\"\nto = \"2024-02-29T00:00:00Z\"\nlayout = ",
    );
    assert_eq!(ids(&world.calls()), ["2", "4", "6"]);
}

#[test]
fn rows_that_only_leaves_out_are_no_part_of_the_source() {
    let layout = format!("{ONE}[only]\nA = [\"Voice\", \"\"]\n");
    let text = format!(
        "{HEADER}{}{}{}{}",
        line("1", "Voice,,"),
        line("2", "Chat,,"),
        line("3", ",,"),
        line("", "Chat,,")
    );
    let calls = World::new(&layout, &[("a.csv", &text)], &[]).calls();
    assert_eq!(ids(&calls), ["1", "3"]);
    let call = of_json(
        "[only]\n\"$.m\" = [\"Voice\"]\n",
        &json!({"id": 1, "start": START, "end": END, "m": {}}),
        &[],
    );
    assert!(call.unread.is_some_and(|why| why.starts_with("only")));
}

#[test]
fn a_recording_has_the_file_that_its_row_names() {
    let file = "[recording]\neach = \"row\"\nfile = { column = \"A\", pattern = '^D:(.*)$' }\nid = \"B\"\n";
    let found = |layout: &str, cells: &str| {
        let call = one(layout, cells, &["a/1.wav", "a/12.wav", "b/1.wav"]);
        assert_eq!(call.unread, None);
        let mut all = call.recordings.into_iter().map(|recording| {
            let details = recording.details.map(|details| {
                assert_eq!(details.interaction_id, "7");
                (
                    details.media_url.unwrap_or_default(),
                    details.file_name.unwrap_or_default(),
                )
            });
            (recording.id, details)
        });
        (all.next(), all.next().is_none())
    };
    let (first, alone) = found(file, "D:a\\.\\1.wav,r1,");
    assert!(alone);
    assert_eq!(
        first,
        Some(("r1".into(), Ok(("a/1.wav".into(), "1.wav".into()))))
    );
    assert_eq!(found(file, ",r1,").0, None, "no file, no recording");
    for cells in [
        "a/1.wav,r1,",
        "D:a/3.wav,r1,",
        "D:../audio/a/1.wav,r1,",
        "D:/a/1.wav,r1,",
        "D:a,r1,",
    ] {
        let (first, _) = found(file, cells);
        assert!(
            first.is_some_and(|(id, details)| id == "r1" && details.is_err()),
            "{cells}"
        );
    }
    let always = file.replace("file =", "when = \"B\"\nfile =");
    assert!(
        found(&always, ",r1,")
            .0
            .is_some_and(|(_, details)| details.is_err())
    );
    let glob = "[recording]\neach = \"row\"\nfiles = \"**/{A}.*\"\n";
    assert_eq!(
        found(glob, "12,,").0,
        Some(("7-1".into(), Ok(("a/12.wav".into(), "12.wav".into()))))
    );
    for cells in ["1,,", "3,,", "1*,,", ",,"] {
        let (first, _) = found(glob, cells);
        assert!(
            first.is_some_and(|(_, details)| details.is_err()),
            "{cells}: several or none"
        );
    }
}

#[test]
fn each_file_that_is_found_may_be_a_recording() {
    let layout = "[recording]\neach = \"file\"\nfiles = \"**/{call.id}_*.wav\"\nstart = { text = \"{recording.id}\", pattern = '_([0-9T]+)\\.wav$', format = \"%Y%m%dT%H%M%S\", zone = \"UTC\" }\n";
    let audio = [
        "x/7_20240131T100100.wav",
        "7_20240131T100000.wav",
        "70_1.wav",
        "7_1.mp3",
    ];
    let call = one(layout, ",,", &audio);
    assert_eq!(
        recordings(&call),
        ["7-7_20240131T100000.wav", "7-7_20240131T100100.wav"]
    );
    let details = call.recordings[1].details.as_ref().expect("readable");
    assert_eq!(
        details.media_url.as_deref(),
        Some("x/7_20240131T100100.wav")
    );
    assert_eq!(
        ms(&details.start_time).as_deref(),
        Some("2024-01-31T10:01:00Z")
    );
    assert_eq!(ms(&details.end_time).as_deref(), Some(END));
    assert!(one(layout, ",,", &[]).recordings.is_empty());
    let twice = one(
        layout,
        ",,",
        &["a/7_1.wav", "b/7_1.wav", "c/7_1.wav", "7_2.wav"],
    );
    assert!(
        twice
            .unread
            .is_some_and(|why| why.contains("one name each"))
    );
    let of_many = format!("{MANY}{layout}");
    let text = format!("{HEADER}{}{}", line("7", "x,,"), line("7", "y,,"));
    let many = World::new(&of_many, &[("a.csv", &text)], &audio).call();
    assert_eq!(recordings(&many).len(), 2, "each file once");
}

#[test]
fn metadata_is_never_audio() {
    let layout = format!("{ONE}[recording]\neach = \"file\"\nfiles = \"*\"\n");
    let text = format!("{HEADER}{}", line("7", ",,"));
    let world = World::new(&layout, &[], &["7.wav"]).with_plan("metadata = \"metadata\"\n", "");
    std::fs::write(world.0.path().join("audio/a.csv"), text).expect("written");
    assert_eq!(recordings(&world.call()), ["7-7.wav"]);
}

#[test]
fn what_cannot_be_read_of_a_recording_is_its_own_trouble_or_its_calls() {
    let base = "[recording]\neach = \"row\"\nfile = { const = \"f\" }\n";
    let of = |keys: &str, cells: &str| one(&format!("{base}{keys}"), cells, &["f"]);
    for (keys, cells) in [
        ("size = \"A\"\n", "1.5,,"),
        ("size = \"A\"\n", "-1,,"),
        ("legal_hold = \"A\"\n", "maybe,,"),
        ("duration = \"A\"\n", "x,,"),
        ("codec = { column = \"A\", pattern = 'y' }\n", "x,,"),
        (
            "retention_class = { column = \"A\", pattern = 'y' }\n",
            "x,,",
        ),
    ] {
        let call = of(keys, cells);
        assert!(
            call.unread.is_none() && call.recordings[0].details.is_err(),
            "{keys}"
        );
    }
    for (keys, ids) in [
        ("id = { column = \"A\", pattern = 'y' }\n", &[][..]),
        ("when = { column = \"A\", pattern = 'y' }\n", &[]),
        ("segment = { column = \"A\", pattern = 'y' }\n", &["7-1"]),
    ] {
        let call = of(keys, "x,,");
        assert!(call.unread.is_some(), "{keys}");
        assert_eq!(recordings(&call), ids, "{keys}");
    }
    let good = of(
        "size = \"A\"\nlegal_hold = \"B\"\nduration = \"C\"\nretention_class = { const = \"7\" }\n",
        "26568.0,Yes,1000.5",
    );
    let details = good.recordings[0].details.as_ref().expect("readable");
    assert_eq!(
        (details.size_bytes, details.legal_hold, details.duration_ms),
        (Some(26568), true, Some(1001))
    );
    assert_eq!(details.rounded, ["duration"]);
    let unheld = of("legal_hold = \"B\"\n", ",,");
    assert!(
        unheld.recordings[0]
            .details
            .as_ref()
            .is_ok_and(|details| !details.legal_hold)
    );
    let dated = of("delete_at = \"A\"\n", "soon,,");
    let details = dated.recordings[0]
        .details
        .as_ref()
        .expect("a time is no trouble");
    assert!(matches!(
        details.delete_at,
        SourceTime::Instant { at: None, .. }
    ));
}

#[test]
fn a_recordings_id_that_two_calls_have_is_both_calls_trouble() {
    let layout =
        format!("{ONE}[recording]\neach = \"row\"\nid = \"A\"\nfile = {{ const = \"f\" }}\n");
    let text = format!(
        "{HEADER}{}{}{}",
        line("1", "r1,,"),
        line("2", "r1,,"),
        line("3", "r3,,")
    );
    let calls = World::new(&layout, &[("a.csv", &text)], &["f"]).calls();
    let told: Vec<(bool, usize)> = calls
        .iter()
        .map(|call| (call.unread.is_some(), call.recordings.len()))
        .collect();
    assert_eq!(told, [(true, 0), (true, 0), (false, 1)]);
}

/// Starts and ends of the first recording's pauses.
fn pauses(call: &SourceInteraction) -> Vec<(Option<i64>, Option<i64>)> {
    let details = call.recordings[0].details.as_ref().expect("readable");
    details
        .pauses
        .iter()
        .map(|pause| (pause.start_offset_ms, pause.end_offset_ms))
        .collect()
}

#[test]
fn pauses_stand_in_a_text() {
    let layout = "[recording]\neach = \"row\"\nfile = { const = \"f\" }\n[recording.pauses]\nlist = \"A\"\n[time]\nlengths = \"s\"\n";
    let of = |cells: &str| pauses(&one(layout, cells, &["f"]));
    assert_eq!(
        of("12-15;30-41.5;,,"),
        [(Some(12_000), Some(15_000)), (Some(30_000), Some(41_500))]
    );
    assert!(of(",,").is_empty());
    assert_eq!(of("12;x-15,,"), [(None, None), (None, Some(15_000))]);
    let times = layout.replace(
        "list = \"A\"",
        "list = \"A\"\nbetween = \"|\"\nwithin = \" to \"\ncount = \"times\"",
    );
    let call = one(
        &times,
        "2024-01-31T10:00:10Z to 2024-01-31T10:00:20Z|soon to never,,",
        &["f"],
    );
    assert_eq!(pauses(&call), [(Some(10_000), Some(20_000)), (None, None)]);
    let cut = layout.replace("list = \"A\"", "list = { column = \"A\", pattern = 'y' }");
    assert_eq!(pauses(&one(&cut, "x,,", &["f"])), [(None, None)]);
}

#[test]
fn pauses_stand_in_elements() {
    let layout = "[recording]\neach = \"$.rec[*]\"\nid = \"@.id\"\nfile = \"@.file\"\n[recording.pauses]\neach = \"@.holds[*]\"\nstart = \"@.at\"\nduration = \"@.ms\"\n";
    let row = json!({"id": 1, "start": START, "end": END, "rec": [
        {"id": "r", "file": "f", "holds": [{"at": 500, "ms": 1500}, {"at": null, "ms": 1}, {"at": 7}]},
    ]});
    let call = of_json(layout, &row, &["f"]);
    assert_eq!(
        pauses(&call),
        [(Some(500), Some(2000)), (None, None), (Some(7), None)]
    );
    let of_row = layout
        .replace("@.holds[*]", "$.holds[*]")
        .replace("duration = \"@.ms\"", "end = \"@.to\"");
    let row = json!({"id": 1, "start": START, "end": END, "holds": [{"at": 1, "to": 2}], "rec": [{"id": "r", "file": "f"}]});
    assert_eq!(
        pauses(&of_json(&of_row, &row, &["f"])),
        [(Some(1), Some(2))]
    );
}

#[tokio::test]
async fn audio_is_read_up_to_the_plans_bound_and_never_from_elsewhere() {
    let world = World::new(ONE, &[("a.csv", HEADER)], &["f", "long"])
        .with_plan("[mapping]", "[audio]\nmax_bytes = 5\n[mapping]");
    std::fs::write(world.0.path().join("audio/long"), "sounds").expect("written");
    std::os::unix::fs::symlink("../plan.toml", world.0.path().join("audio/link")).expect("a link");
    let export = world.export();
    assert_eq!(export.bytes("f").await.as_deref(), Ok(b"sound".as_slice()));
    for path in ["long", "link", "none", "../plan.toml"] {
        let why = export.bytes(path).await.expect_err(path);
        assert!(!why.contains(path), "{why}");
    }
}

#[test]
fn many_rows_take_the_memory_of_a_few() {
    let rows: String = (0..60_000)
        .map(|n| line(&format!("{}", n % 20_000), "x,,"))
        .collect();
    let text = format!("{HEADER}{rows}");
    let calls = World::new(MANY, &[("a.csv", &text)], &[]).calls();
    assert_eq!(calls.len(), 20_000);
    assert!(calls.iter().all(|call| call.unread.is_none()));
    let wide = "x".repeat(1 << 20);
    let rows: String = (0..70).map(|_| line("1", &format!("{wide},,"))).collect();
    let call = World::new(MANY, &[("a.csv", &format!("{HEADER}{rows}"))], &[]).call();
    assert!(call.unread.is_some_and(|why| why.contains("64 MiB")));
}

/// What a migrator stages of these rows, read back.
fn staged(layout: &str, rows: Json, recordings: &[(&str, Json)]) -> SourceInteraction {
    let world = World::new(layout, &[], &[]);
    let format = FilesFormat::of(&world.plan()).expect("files");
    let answers: Vec<(String, String)> = recordings
        .iter()
        .map(|(id, body)| (format!("file of recording {id}"), body.to_string()))
        .collect();
    let answers = answers.iter().map(|(request, body)| StagedAnswer {
        request,
        body,
        media: Some(StagedMedia {
            sha256: "00".into(),
            bytes: 5,
            announced: None,
        }),
    });
    let entity = json!({ "rows": rows }).to_string();
    format.call(&entity, answers.collect(), "raw/7.json")
}

#[test]
fn a_staged_call_is_read_as_its_rows_were() {
    let layout =
        format!("{ONE}queue = \"#4\"\n[recording]\neach = \"row\"\nfile = \"B\"\nsize = \"C\"\n");
    let row = json!({"Id": "7", "Start": START, "End": END, "#4": "Q", "B": "x\\1.wav", "C": "9"});
    let rows = json!([{"file": "d/a.csv", "line": 2, "row": row}]);
    let body = json!({"path": "x/1.wav", "bytes": 5});
    let call = staged(&layout, rows.clone(), &[("7-1", body)]);
    assert_eq!(
        (call.unread.as_deref(), call.listed.id.as_str()),
        (None, "7")
    );
    assert_eq!(ms(&call.listed.start_time).as_deref(), Some(START));
    let details = call.recordings[0].details.as_ref().expect("readable");
    assert_eq!(details.size_bytes, Some(5), "the file's own");
    assert!(call.recordings[0].staged.is_some());
    for answers in [
        vec![],
        vec![("7-1", json!({"unreadable": "no file"}))],
        vec![("7-1", json!({"path": "x/2.wav", "bytes": 5}))],
        vec![("7-2", json!({"path": "x/1.wav", "bytes": 5}))],
    ] {
        let call = staged(&layout, rows.clone(), &answers);
        assert!(
            call.unread.is_none() && call.recordings[0].details.is_err(),
            "{answers:?}"
        );
    }
    let line = json!([{"file": "d/a.csv", "line": 3, "unreadable": "it breaks off"}]);
    let call = staged(&layout, line, &[]);
    assert_eq!(call.listed.id, "d/a.csv:3");
    assert!(call.unread.is_some());
    for broken in [
        json!([]),
        json!([{"file": "a", "line": 1}]),
        json!([{"file": "a", "line": 1, "row": [1]}]),
        json!(7),
    ] {
        assert!(staged(&layout, broken, &[]).unread.is_some());
    }
}

#[test]
fn staged_files_are_recordings_where_each_file_is_one() {
    let layout = format!("{ONE}[recording]\neach = \"file\"\nfiles = \"**/{{call.id}}_*\"\n");
    let row = json!({"Id": "7", "Start": START, "End": END});
    let rows = json!([{"file": "a.csv", "line": 2, "row": row}]);
    let body = |path: &str| json!({"path": path, "bytes": 5});
    let answers = [("7-7_2", body("b/7_2")), ("7-7_1", body("c/7_1"))];
    let call = staged(&layout, rows, &answers);
    assert_eq!(
        recordings(&call),
        ["7-7_2", "7-7_1"],
        "in the order of their paths"
    );
    assert!(
        call.recordings
            .iter()
            .all(|recording| recording.staged.is_some())
    );
}

/// The rows of a call as they are staged.
fn rows_as_staged(world: &World, call: &str) -> Json {
    let export = world.export();
    let found = export.metadata_files().expect("listed");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let listed = Listed::new(world.0.path());
    let gathering = Gathered::of(&export.reading, &found, &listed);
    let gathering = runtime
        .expect("a runtime")
        .block_on(gathering)
        .expect("gathered");
    let mut rows = Vec::new();
    let mut stored = gathering.rows.stored().expect("read");
    while let Some(next) = stored.peek() {
        let row = gathering.row(next).expect("a row");
        stored.advance().expect("read");
        if export.reading.id(&row).as_deref() != Ok(call) {
            continue;
        }
        let said = match &row.content {
            Content::Json(value) => value.to_string(),
            Content::Cells(header, cells) => {
                let pairs = header.keys.iter().zip(cells);
                let pair = |(key, cell)| format!("{}:{}", json!(key), json!(cell));
                format!("{{{}}}", pairs.map(pair).collect::<Vec<_>>().join(","))
            }
        };
        let said: Box<serde_json::value::RawValue> = serde_json::from_str(&said).expect("JSON");
        rows.push(json!({"file": row.file.path, "line": row.line, "row": said}));
    }
    Json::Array(rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_export_is_read_and_its_staged_rows_are_the_same_calls(
        text in "(Id|1|2)(,[ab\"0247T:-]{0,6}){0,3}\n((1|2|)(,[ab\"\n0247T:;x-]{0,8}){0,3}\n){0,8}",
        many in any::<bool>(),
        json in any::<bool>(),
    ) {
        let (format, place) = if json { ("ndjson", "$.") } else { ("csv", "#") };
        let column = |number: u32| if json { format!("{place}c{number}") } else { format!("{place}{number}") };
        let layout = format!(
            "layout_version = 1\n[file]\nformat = \"{format}\"\n{}\n[call]\nrows = \"{}\"\nid = \"{}\"\nstart = \"{}\"\nduration = \"{}\"\n[recording]\neach = \"row\"\nfile = \"{}\"\n",
            if json { "" } else { "header = false" },
            if many { "many" } else { "one" },
            column(1), column(2), column(3), column(4),
        );
        let text = if json {
            let line = |line: &str| {
                let cells = line.split(',').enumerate();
                let members: Vec<String> = cells.map(|(at, cell)| format!("\"c{}\":\"{cell}\"", at + 1)).collect();
                format!("{{{}}}", members.join(","))
            };
            text.lines().map(line).collect::<Vec<_>>().join("\n")
        } else {
            text
        };
        let world = World::new(&layout, &[(&format!("a.{format}"), &text)], &["a", "b"]);
        let calls = world.calls();
        let lines = text.lines().count();
        prop_assert!(calls.len() <= lines);
        for call in calls.iter().filter(|call| !call.listed.id.contains(':')) {
            let answers: Vec<(&str, Json)> = call
                .recordings
                .iter()
                .filter_map(|recording| {
                    let path = recording.details.as_ref().ok()?.media_url.clone();
                    Some((recording.id.as_str(), json!({"path": path, "bytes": 5})))
                })
                .collect();
            let again = staged(&layout, rows_as_staged(&world, &call.listed.id), &answers);
            prop_assert_eq!(&again.listed, &call.listed);
            prop_assert_eq!((again.collided, &again.unread), (call.collided, &call.unread));
            let readable = |call: &SourceInteraction| -> Vec<bool> {
                call.recordings.iter().map(|recording| recording.details.is_ok()).collect()
            };
            prop_assert_eq!(readable(&again), readable(call));
        }
    }
}

#[test]
fn every_format_and_encoding_gives_the_same_calls() {
    let csv = format!("{ONE}agent = \"A\"\n");
    let json = csv
        .replace("\"csv\"", "\"json\"\nrows = \"$.calls[*]\"")
        .replace("\"Id\"", "\"$.Id\"");
    let json = json
        .replace("\"Start\"", "\"$.Start\"")
        .replace("\"End\"", "\"$.End\"")
        .replace("\"A\"", "\"$.A\"");
    let ndjson = json.replace("\"json\"\nrows = \"$.calls[*]\"", "\"ndjson\"");
    let row = |id: u32| json!({"Id": id, "Start": START, "End": END, "A": "J\u{f8}rgen"});
    let lines = format!("{}\n\n{}\n", row(1), row(2));
    let document = json!({"calls": [row(1), row(2)]}).to_string();
    let table = format!(
        "{HEADER}{}{}",
        line("1", "J\u{f8}rgen,,"),
        line("2", "J\u{f8}rgen,,")
    );
    for (layout, name, text) in [
        (csv, "a.csv", table),
        (json, "a.json", document),
        (ndjson, "a.jsonl", lines),
    ] {
        for label in ["utf-8", "utf-16", "windows-1252"] {
            let layout = layout.replace("[call]", &format!("encoding = \"{label}\"\n[call]"));
            let world = World::new(&layout, &[(name, "")], &[]);
            let bytes = match label {
                "utf-16" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                "windows-1252" => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
                _ => text.clone().into_bytes(),
            };
            std::fs::write(world.0.path().join("metadata").join(name), bytes).expect("written");
            let calls = world.calls();
            assert_eq!(ids(&calls), ["1", "2"], "{name} {label}");
            let format = world.plan().layout.map(|layout| layout.file.format);
            assert!(matches!(
                format,
                Some(Format::Csv | Format::Json | Format::Ndjson)
            ));
            assert_eq!(
                calls[0].listed.agent_id.as_deref(),
                Some("J\u{f8}rgen"),
                "{name} {label}"
            );
            assert_eq!(ms(&calls[1].listed.end_time).as_deref(), Some(END));
        }
    }
}

#[test]
fn only_the_calls_that_are_asked_for_are_listed() {
    let text = format!("{HEADER}{}x\n{}", line("1", ",,"), line("2", ",,"));
    let world = World::new(ONE, &[("a.csv", &text)], &[]);
    let only = BTreeSet::from(["2".to_owned(), "a.csv:3".to_owned()]);
    let mut listed = Listed::new(Path::new(world.0.path()));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let export = world.export();
    let listing = export.list(Some(&only), 1, &mut listed, &Silent);
    runtime
        .expect("a runtime")
        .block_on(listing)
        .expect("listed");
    let calls: Vec<SourceInteraction> = listed
        .interactions()
        .and_then(|calls| calls.iter().collect())
        .expect("read");
    assert_eq!(ids(&calls), ["2", "a.csv:3"]);
}
