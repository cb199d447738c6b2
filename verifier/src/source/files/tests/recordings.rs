//! The recordings of small exports.

use super::*;

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
