//! Whole calls from rows, and whole exports through the engine to the target of tests.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use audio::{Codec, Pcm};
use platforms::transport::Pipe;
use tempfile::TempDir;

use super::*;
use crate::canonical::{Canonical, Repair};
use crate::options::{Options, Progress};
use crate::source::SourceFormat;
use crate::target::registry::TEST_TARGET;
use crate::{Outcome, migrate};

/// A folder with an export and a plan that moves it to the target of tests.
struct Export {
    dir: TempDir,
}

impl Export {
    /// In memory where there is such a folder: ten thousand files are as many waits for a disk.
    fn new(layout: &str) -> Export {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let dir = dir.expect("a folder");
        let export = Export { dir };
        export.write("plan.toml", PLAN.replace("TEST_TARGET", TEST_TARGET));
        export.write("layout.toml", layout);
        export.write(
            "agents.csv",
            "legacy_agent_id,genesys_user_id,genesys_user_name\n\
             A1,550e8400-e29b-41d4-a716-446655440001,Alice\n\
             A2,550e8400-e29b-41d4-a716-446655440002,Bob\n",
        );
        export.write("queues.csv", "legacy_queue_id,genesys_queue_id\n");
        std::fs::create_dir_all(export.dir.path().join("export")).expect("a folder");
        export
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    }

    fn plan(&self) -> LoadedPlan {
        LoadedPlan::read(&self.dir.path().join("plan.toml")).expect("a plan")
    }

    fn places(&self) -> ExportPlaces {
        ExportPlaces::of(&self.plan()).expect("an export")
    }

    fn migrate(&self) -> Result<Outcome, RunError> {
        let no_network = Arc::new(Pipe::new(Arc::new(|_| None)));
        let options = Options {
            workers: Some(2),
            ..Options::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(migrate(
            self.plan(),
            options,
            no_network,
            Clock::real(),
            &Nobody,
        ))
    }

    /// What a call's rows become, as the ledger would read them back.
    fn call(&self, id: &str) -> Canonical {
        let export = super::Export::open(&self.places()).expect("an export");
        let calls = export.index(|index| export.calls(index, id)).expect("read");
        let [listed] = &calls[..] else {
            panic!("{id}: {} calls", calls.len());
        };
        assert_eq!(listed.unreadable, None, "{id}");
        let recordings = listed
            .recordings
            .iter()
            .map(|recording| {
                let found = export.find(id, recording).expect("looked");
                let (_, path, bytes) = found.unwrap_or_else(|why| panic!("{recording}: {why}"));
                let answer = serde_json::json!({"request": "r", "headers": {}, "body": {"path": path, "bytes": bytes}, "media": null});
                crate::ledger::RecordingRow {
                    legacy_id: recording.clone(),
                    answer: Some(answer.to_string()),
                    ..crate::ledger::RecordingRow::default()
                }
            })
            .collect();
        let row = crate::ledger::InteractionRow {
            seq: 1,
            legacy_id: id.to_owned(),
            phase: crate::step::Phase::Extracted,
            entity: listed.entity.clone(),
            headers: String::new(),
            target_id: None,
            reason: None,
            detail: None,
            since: None,
            stand_in: None,
            redo: None,
            unrepaired: None,
            document: None,
            audio_rules: None,
            error: None,
            error_since: None,
            target_state: None,
            claim: 0,
            in_doubt: false,
            recordings,
        };
        export
            .layout
            .normalise(&row, &export.rules)
            .unwrap_or_else(|error| panic!("{id}: {error:?}"))
    }
}

struct Nobody;
impl Progress for Nobody {
    fn update(&self, _: u64, _: u64) {}
}

const PLAN: &str = r#"plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "files"
audio = "export"
layout = "layout.toml"
[target]
kind = "genesys_cloud"
base_url = "TEST_TARGET"
client_id = "nobody"
client_secret = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[time.node.N3]
offset_ms = -60000
[audio]
format = "keep"
[pii]
phones = "keep"
pauses = "keep"
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;

/// A tenth of a second, another sound for each number.
fn sound(number: u64) -> Vec<u8> {
    let hertz = 200.0 + (number % 3000) as f64;
    let sample =
        |at: i32| (8000.0 * (f64::from(at) / 8000.0 * hertz * std::f64::consts::TAU).sin()) as i16;
    let mut channel: Vec<i16> = (0..800).map(sample).collect();
    channel[0] = (number / 3000) as i16;
    let pcm = Pcm {
        sample_rate: 8000,
        channels: vec![channel],
    };
    audio::encode(&pcm, Codec::PcmS16).expect("a WAV")
}

fn at(instant: jiff::Timestamp) -> String {
    crate::time::iso(instant)
}

/// The example of the reference page.
fn documented() -> &'static str {
    let page = include_str!("../../../../docs/reference/layout.md");
    let (_, after) = page.split_once("```toml\n").expect("an example");
    after.split_once("```").expect("its end").0
}

#[test]
fn several_rows_of_a_table_become_a_call_with_legs_and_recordings() {
    let export = Export::new(documented());
    let header = "Medium;Call ID;Date;Time;Length;Dir;Queue;Code;Customer;Line;Agent;Recording;Path;Class;Hold;Pauses;Campaign";
    let rows = [
        "Voice;7;29/10/2023;01:30:00;0:05:00;I;Q-1;n/a;+15550001;+15559999;Jo Smith (A1);R1;D:\\Recordings\\a\\R1.wav;7-Year;yes;0:01-0:02.5;Summer",
        "Chat;7;29/10/2023;01:00:00;0:05:00;I;;;;;;;;;;;",
        "Voice;8;01/07/2024;12:00:00;0:00:10;O;;W1;+15550002;+15559999;;;;;;;",
        "Voice;7;29/10/2023;01:35:00;0:02:00;I;Q-2;W2;;;Zürich (A2);R2;D:\\Recordings\\R2.wav;;no;broken;",
    ];
    let mut text = header.as_bytes().to_vec();
    for row in rows {
        text.push(b'\n');
        // The code page of Windows has a byte for each of these letters.
        text.extend(row.chars().map(|c| c as u8));
    }
    export.write("export/2024/calls-1.csv", text);
    export.write("export/a/R1.wav", sound(1));
    export.write("export/R2.wav", sound(2));
    let call = export.call("7");
    assert_eq!(at(call.legacy_start_time), "2023-10-29T00:30:00.000Z");
    assert_eq!(at(call.legacy_end_time), "2023-10-29T00:37:00.000Z");
    assert_eq!(call.repairs, [Repair::AmbiguousHourEarlier]);
    assert_eq!(call.raw_start, "29/10/2023 01:30:00");
    assert_eq!(call.direction.as_deref(), Some("INBOUND"));
    assert_eq!(call.queue_legacy_id.as_deref(), Some("Q-1"));
    assert_eq!(call.wrap_up_code.as_deref(), Some("W2"));
    assert_eq!(call.caller_number.as_deref(), Some("+15550001"));
    assert_eq!(call.dialled_number.as_deref(), Some("+15559999"));
    assert_eq!(call.customer_phone.as_deref(), Some("+15550001"));
    assert_eq!(call.attributes["campaign"], "Summer");
    let legs: Vec<(&str, &str)> = call
        .segments
        .iter()
        .map(|leg| {
            let agent = leg.agent_legacy_id.as_deref().expect("an agent");
            (leg.legacy_segment_id.as_str(), agent)
        })
        .collect();
    assert_eq!(legs, [("7-s1", "A1"), ("7-s2", "A2")]);
    let [first, second] = &call.recordings[..] else {
        panic!("{:?}", call.recordings);
    };
    assert_eq!(first.legacy_recording_id, "R1");
    assert_eq!(first.recording_url_source.as_deref(), Some("a/R1.wav"));
    assert_eq!(first.file_name.as_deref(), Some("R1.wav"));
    assert_eq!(first.retention_class.as_deref(), Some("7-Year"));
    assert!(first.legal_hold && !second.legal_hold && first.time_usable);
    assert_eq!(
        (first.pauses_ms.as_slice(), first.pauses_whole),
        (&[(1000, 2500)][..], true)
    );
    assert_eq!(
        (second.pauses_ms.as_slice(), second.pauses_whole),
        (&[][..], false)
    );
    assert_eq!(at(second.start), "2023-10-29T00:35:00.000Z");
    let other = export.call("8");
    assert_eq!(
        other.caller_number.as_deref(),
        Some("+15559999"),
        "an outbound call"
    );
    assert_eq!(other.customer_phone.as_deref(), Some("+15550002"));
    assert!(other.segments.is_empty() && other.recordings.is_empty());
}

const DOCUMENTS: &str = r#"layout_version = 1
[file]
format = "json"
rows = "$.contacts[*]"
where = ["**/*.contacts"]
[time]
format = ["iso", "epoch_s"]
lengths = "s"
[call]
id = "$.id"
latest = "$.updated"
start = "$.from"
duration = "$.seconds"
recorder_node = "$.node"
[segment]
each = "$.parties[?@.role=='agent']"
id = "@.leg"
agent = "@.name"
start = "@.from"
duration = "@.seconds"
[recording]
each = "$.media[?@.type=='audio']"
id = "@.id"
segment = "@.leg"
files = "{row.folder}/{call.id}_{recording.id}.*"
duration = "@.seconds"
size = "@.bytes"
codec = "@.codec"
delete_at = "@.until"
[recording.pauses]
each = "@.quiet[*]"
start = "@.from"
duration = "@.seconds"
count = "times"
"#;

#[test]
fn elements_of_a_document_become_legs_recordings_and_pauses() {
    let export = Export::new(DOCUMENTS);
    export.write(
        "export/d/x.contacts",
        r#"{"about": [1, 2], "contacts": [
          {"id": 12345678901234567890, "updated": "1", "from": "2024-01-31T10:00:00Z", "seconds": 1, "parties": []},
          {"id": 12345678901234567890, "updated": "2", "node": "N3", "from": "2024-01-31T10:00:00Z", "seconds": 90.5,
           "parties": [
             {"role": "agent", "leg": "L2", "name": "A2", "from": 1706695260, "seconds": 30},
             {"role": "customer", "leg": "L0"},
             {"role": "agent", "leg": "L1", "name": "A1"}],
           "media": [
             {"type": "chat", "id": "c"},
             {"type": "audio", "id": "r[1]", "leg": "L1", "seconds": 90, "bytes": 1644, "codec": "pcm",
              "until": "2031-01-31T00:00:00Z", "quiet": [{"from": "2024-01-31T10:00:05Z", "seconds": 2}, {"from": "later"}]}]}
        ]}"#,
    );
    export.write("export/d/12345678901234567890_r[1].wav", sound(1));
    export.write("export/d/12345678901234567890_r1.wav", sound(2));
    let call = export.call("12345678901234567890");
    assert_eq!(
        at(call.legacy_start_time),
        "2024-01-31T09:59:00.000Z",
        "the recorder's declared offset"
    );
    assert_eq!(call.duration_ms, 90_500);
    let legs: Vec<(&str, String)> = call
        .segments
        .iter()
        .map(|leg| (leg.legacy_segment_id.as_str(), at(leg.start)))
        .collect();
    assert_eq!(
        legs,
        [
            ("L1", "2024-01-31T09:59:00.000Z".to_owned()),
            ("L2", "2024-01-31T10:00:00.000Z".to_owned())
        ]
    );
    let [recording] = &call.recordings[..] else {
        panic!("{:?}", call.recordings);
    };
    assert_eq!(recording.legacy_segment_id.as_deref(), Some("L1"));
    assert_eq!(recording.declared_duration_ms, Some(90_000));
    assert_eq!(recording.recording_format.as_deref(), Some("PCM"));
    assert_eq!(
        recording.delete_at.map(at).as_deref(),
        Some("2031-01-31T00:00:00.000Z")
    );
    assert_eq!(recording.pauses_ms, [(5000, 7000)]);
    assert!(!recording.pauses_whole);
}

const PLAIN: &str = "layout_version = 1\n[file]\nformat = \"csv\"\n[call]\nid = \"id\"\nstart = \
    \"start\"\nduration = { column = \"length\", unit = \"s\" }\nagent = \"agent\"\n[recording]\neach = \
    \"row\"\nfile = \"file\"\n";

#[test]
fn several_files_that_a_call_finds_are_its_recordings() {
    let layout = PLAIN.replace(
        "each = \"row\"\nfile = \"file\"",
        "each = \"file\"\nfiles = \"**/{call.id}_*\"",
    );
    let export = Export::new(&layout);
    export.write(
        "export/calls.csv",
        "id,start,length,agent\n7,2024-01-31T10:00:00Z,60,A1\n8,2024-01-31T10:00:00Z,60,A1\n",
    );
    export.write("export/b/7_1.wav", sound(1));
    export.write("export/a/7_2.wav", sound(2));
    export.write("export/a/77_1.wav", sound(3));
    let call = export.call("7");
    let ids: Vec<&str> = call
        .recordings
        .iter()
        .map(|recording| recording.legacy_recording_id.as_str())
        .collect();
    assert_eq!(ids, ["7-7_2.wav", "7-7_1.wav"]);
    assert!(export.call("8").recordings.is_empty());
}

#[test]
fn what_cannot_be_read_is_named_and_costs_a_call_or_a_recording() {
    let layout = format!("{PLAIN}id = \"rec\"\nlegal_hold = \"hold\"\n");
    let export = Export::new(&layout);
    std::os::unix::fs::symlink("/etc/hostname", export.dir.path().join("export/out.wav"))
        .expect("linked");
    export.write("export/5.wav", sound(5));
    export.write(
        "export/calls.csv",
        "id,start,length,agent,rec,file,hold\n\
         1,2024-01-31T10:00:00Z,soon,A1,1-1,5.wav,\n\
         ,2024-01-31T10:00:00Z,60,A1,2-1,5.wav,\n\
         3,2024-01-31T10:00:00Z,60,A1,3-1,../plan.toml,\n\
         4,2024-01-31T10:00:00Z,60,A1,4-1,4.wav,\n\
         5,2024-01-31T10:00:00Z,60,A1,5-1,5.wav,maybe\n\
         6,2024-01-31T10:00:00Z,60,A1,6-1,out.wav,\n\
         7,yesterday,60,A1,7-1,5.wav,\n\
         8,2024-01-31T10:00:00Z,60,A1,9-1,5.wav,\n\
         9,2024-01-31T10:00:00Z,60,A1,9-1,5.wav,\n\
         10,2024-01-31T10:00:00Z,60,A1,10-1,5.wav,\n\
         10,2024-01-31T10:00:00Z,60,A2,10-1,5.wav,\n\
         11,2024-01-31T10:00:00Z,60,A1,11-1,5.wav,\n\
         11,2024-01-31T10:00:00Z,60,A1,11-1,5.wav,\n",
    );
    let seen = inspect(&export.places(), true).expect("inspected");
    let unread: Vec<String> = seen
        .unread
        .iter()
        .map(|unread| {
            let column = unread.column.as_deref().unwrap_or("-");
            format!(
                "{}:{column} {} {}",
                unread.line, unread.costs, unread.reason
            )
        })
        .collect();
    assert_eq!(
        unread,
        [
            "2:length call is no length of time in seconds",
            "3:- call column `id`: there is no id",
            "4:file recording the path `../plan.toml` leads out of the audio folder",
            "6:hold recording is neither true nor false",
            "8:- call no instant can be made of start `yesterday` and end ``",
            "9:- call its recording 9-1 is call 9's too",
            "10:- call its recording 9-1 is call 8's too",
        ]
    );
    let lacking: Vec<&str> = seen
        .lacking
        .iter()
        .map(|lacking| lacking.reason.as_str())
        .collect();
    assert_eq!(
        lacking,
        [
            "there is no file 4.wav",
            "out.wav is a link out of the audio folder"
        ]
    );
    assert_eq!(seen.collisions, ["10"]);
    assert_eq!(seen.rows, 13);
    assert_eq!(
        seen.calls, 12,
        "call 11 is listed twice and is one, call 10 is two"
    );
    assert_eq!(seen.codecs["pcm_s16le"], 4);
    assert!(!seen.is_whole());
    // The same, moved: one call goes, and each of the others stays behind by itself.
    let outcome = export.migrate().expect("an outcome");
    assert_eq!(outcome.tally.recordings_done, 1, "{:?}", outcome.tally);
    let why: Vec<String> = outcome
        .left_behind
        .recordings
        .iter()
        .map(|behind| {
            format!(
                "{}: {}",
                behind.reason,
                behind.detail.as_deref().unwrap_or("-")
            )
        })
        .collect();
    for line in [2, 4, 6, 8] {
        let named = format!("calls.csv line {line}");
        assert!(
            why.iter().any(|why| why.contains(&named)),
            "{named}: {why:?}"
        );
    }
}

#[test]
fn an_export_of_ten_thousand_files_names_its_twelve_bad_lines_and_moves_the_rest() {
    const CALLS: u64 = 10_000;
    let export = Export::new(PLAIN);
    let bad = [
        17, 900, 1500, 2222, 3001, 4040, 5005, 6060, 7777, 8008, 9001, 10_000,
    ];
    let mut text = b"id,start,length,agent,file\n".to_vec();
    for call in 1..=CALLS {
        export.write(&format!("export/{}/{call}.wav", call % 100), sound(call));
        let row = format!(
            "{call},2024-01-{:02}T10:00:00Z,60,A{},{}/{call}.wav",
            call % 28 + 1,
            call % 2 + 1,
            call % 100
        );
        let mut row = row.into_bytes();
        match bad.iter().position(|bad| *bad == call) {
            None => {}
            Some(0) => row.extend(b",one cell too many"),
            Some(1) => row.insert(0, b'"'),
            Some(2) => row[3] = 0xff,
            Some(3) => row = b"2222".to_vec(),
            Some(4) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace(",60,", ",an hour,")
                    .into_bytes()
            }
            Some(5) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace("4040,", ",")
                    .into_bytes()
            }
            Some(6) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace("T10", " at 10")
                    .into_bytes()
            }
            Some(7) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace("60/", "../../")
                    .into_bytes()
            }
            Some(8) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace("77/", "none/")
                    .into_bytes()
            }
            Some(9) => row.insert(row.len() - 3, b'"'),
            Some(_) => {
                row = String::from_utf8(row)
                    .expect("text")
                    .replace(",A", ",\"A")
                    .into_bytes()
            }
        }
        row.push(b'\n');
        text.extend(row);
    }
    export.write("export/calls.csv", text);
    let seen = inspect(&export.places(), false).expect("inspected");
    let mut named: Vec<u64> = seen.unread.iter().map(|unread| unread.line - 1).collect();
    named.extend(seen.lacking.iter().map(|lacking| {
        lacking
            .legacy_interaction_id
            .parse::<u64>()
            .expect("a number")
    }));
    named.sort_unstable();
    // A quote inside a cell is a character like others: the file of call 8008 has it in its name.
    assert_eq!(named, bad, "{:?}\n{:?}", seen.unread, seen.lacking);
    assert_eq!(seen.calls, CALLS);
    let outcome = export.migrate().expect("an outcome");
    assert_eq!(
        outcome.tally.recordings_done,
        CALLS - 12,
        "{:?}",
        outcome.tally
    );
    assert_eq!(outcome.tally.interactions_done, CALLS - 12);
    assert_eq!(outcome.tally.interactions_failed, 0);
    let mut list = String::new();
    for behind in &outcome.left_behind.recordings {
        let _ = writeln!(
            list,
            "{} {}",
            behind.legacy_interaction_id,
            behind.detail.as_deref().unwrap_or("-")
        );
    }
    assert!(
        list.contains("calls.csv line 18: has 6 cells, and the header has 5"),
        "{list}"
    );
    let again = export.migrate().expect("an outcome");
    assert_eq!(
        again.tally.recordings_done,
        CALLS - 12,
        "nothing is sent twice"
    );
}

#[test]
fn a_header_that_lacks_the_id_ends_the_run_and_a_changed_export_is_not_gone_on_with() {
    let export = Export::new(PLAIN);
    export.write(
        "export/calls.csv",
        "call,start,length,agent,file\n1,2,3,4,5\n",
    );
    let refused = export.migrate().expect_err("refused").to_string();
    assert!(
        refused.contains(
            "calls.csv line 1: the header has no column `id`, which the layout takes call.id from"
        ),
        "{refused}"
    );
    std::fs::remove_dir_all(export.dir.path().join("export")).expect("removed");
    let refused = export.migrate().expect_err("refused").to_string();
    assert!(refused.contains("the folder of metadata"), "{refused}");
}

#[test]
fn any_bytes_are_rows_or_reasons_and_never_a_panic() {
    use proptest::prelude::*;
    let layouts: Vec<Layout> = [PLAIN, DOCUMENTS, documented()]
        .map(|text| Layout::parse(Path::new("layout.toml"), text).expect("a layout"))
        .into();
    let text = proptest::collection::vec(
        prop_oneof![
            Just("\"".to_owned()),
            Just(",".to_owned()),
            Just("\n".to_owned()),
            Just("{\"contacts\":[".to_owned()),
            Just("id,start,length,agent,file\n".to_owned()),
            "[ -~]{0,8}",
            "\\PC{0,4}",
        ],
        0..40,
    );
    proptest!(|(pieces in text, at in 0_usize..3)| {
        let bytes = pieces.concat();
        let layout = &layouts[at];
        let mut lines = 0;
        let _ = rows::read(&layout.file, bytes.as_bytes(), &|_| None, &mut |row| {
            lines += 1;
            if let Ok(body) = row.body {
                let data = body.data().expect("what was read is whole");
                let row = DataRow { file: "f".to_owned(), line: row.line, data };
                let _ = record::read(layout, &[row], &TimeRules::default());
            }
            Ok(())
        });
        prop_assert!(lines <= bytes.lines().count() + 1);
    });
}
