//! Small exports, as a migrator stages them.

use proptest::prelude::*;

use super::*;
use crate::source::files::row::Content;
use crate::source::{SourceFormat, StagedAnswer, StagedMedia};

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
