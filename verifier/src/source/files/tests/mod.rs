//! Small exports, read whole, live and from a staging.

mod recordings;
mod staged;

use std::path::Path;

use plan::LoadedPlan;
use plan::layout::Format;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::*;
use crate::options::Silent;
use crate::source::SourceTime;

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
        // Its end is readable.
        ("duration = \"A\"\n", "secret,,", "call.duration (A)"),
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
