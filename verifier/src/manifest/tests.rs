use super::*;
use crate::join_recordings::key_of;
use crate::join_recordings::testing::judged;

/// A recording of a call that was read whole.
fn read_line(call: &str, recording: &str) -> JudgedRecording {
    JudgedRecording {
        start: "2023-10-27T08:15:30.250Z".to_owned(),
        bytes: "100".to_owned(),
        sha256: "ab".repeat(32),
        ..judged(call, recording)
    }
}

fn named(call: &str, recording: &str) -> Named {
    Named {
        call: call.to_owned(),
        recording: recording.to_owned(),
        line: 2,
        start: None,
        bytes: None,
        sha256: None,
    }
}

fn start(text: &str) -> Option<Start> {
    Some(Start {
        at: UtcMillis::parse(text).expect("an instant"),
        is_whole_second: !text.contains('.'),
    })
}

fn outcome(named: &[Named], lines: Vec<JudgedRecording>) -> (ManifestCompared, Vec<String>) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sorter = RecordSorter::new(dir.path());
    for named in named {
        let key = key_of(&named.call, &named.recording);
        sorter.push(&key, named).expect("pushed");
    }
    let mut comparing = Comparing {
        compared: ManifestCompared {
            file: "manifest.csv".to_owned(),
            sha256: String::new(),
            key_id: "0123456789ABCDEF".to_owned(),
            trusted_comment: String::new(),
            recordings: named.len() as u64,
            outside_window: 0,
            not_in_source: 0,
            not_in_manifest: 0,
            starts: ManifestValues::default(),
            sizes: ManifestValues::default(),
            hashes: ManifestValues::default(),
            examples: Vec::new(),
        },
        differences: RecordSorter::new(dir.path()),
        window: Window {
            from: UtcMillis::parse("2023-01-01T00:00:00Z"),
            to: UtcMillis::parse("2024-01-01T00:00:00Z"),
        },
        offsets_ms: vec![-73_000],
    };
    let sorted = sorter.sorted().expect("sorted");
    join(&sorted, lines.into_iter().map(Ok), |named, lines| {
        comparing.call(named, lines)
    })
    .expect("joined");
    let differences = comparing.differences.sorted().expect("sorted");
    let words = differences
        .iter()
        .map(|difference| difference.expect("read back").words("staged"))
        .collect();
    (comparing.compared, words)
}

#[test]
fn what_only_one_of_the_two_has_is_named() {
    let lines = vec![
        read_line("1", "1-1"),
        read_line("3", "3-1"),
        read_line("3", "3-2"),
    ];
    let (compared, words) = outcome(
        &[named("1", "1-1"), named("2", "2-1"), named("3", "3-2")],
        lines,
    );
    assert_eq!(
        words,
        [
            "2-1 of call 2: named by the manifest (line 2), not staged",
            "3-1 of call 3: staged, not named by the manifest",
        ]
    );
    assert_eq!(
        (
            compared.differences(),
            compared.is_whole(),
            compared.examples.len()
        ),
        (2, false, 2)
    );
}

#[test]
fn a_recording_outside_the_window_is_not_asked_for() {
    let at = |text: &str| Named {
        start: start(text),
        ..named("2", "2-1")
    };
    for (text, outside) in [
        ("2022-12-31T23:59:59.999Z", 1),
        ("2023-01-01T00:00:00Z", 0),
        ("2023-12-31T23:59:59.999Z", 0),
        ("2024-01-01T00:00:00Z", 1),
    ] {
        let (compared, words) = outcome(&[at(text)], Vec::new());
        assert_eq!(
            (compared.outside_window, words.len()),
            (outside, 1 - outside as usize),
            "{text}"
        );
        assert_eq!(compared.notice().is_some(), outside == 1);
    }
}

#[test]
fn start_size_and_hash_are_compared_where_both_have_them() {
    let whole = Named {
        start: start("2023-10-27T08:15:30.250Z"),
        bytes: Some(100),
        sha256: Some("ab".repeat(32)),
        ..named("1", "1-1")
    };
    let rows = [
        (whole.clone(), None),
        // As precise as it is written, or as the recorder's clock had it.
        (
            Named {
                start: start("2023-10-27T08:15:30Z"),
                ..whole.clone()
            },
            None,
        ),
        (
            Named {
                start: start("2023-10-27T08:16:43.250Z"),
                ..whole.clone()
            },
            None,
        ),
        (
            Named {
                start: start("2023-10-27T09:15:30.250Z"),
                ..whole.clone()
            },
            Some("start 2023-10-27T09:15:30.250Z by the manifest (line 2)"),
        ),
        (
            Named {
                start: start("2023-10-27T08:15:30.251Z"),
                ..whole.clone()
            },
            Some("start"),
        ),
        (
            Named {
                bytes: Some(99),
                ..whole.clone()
            },
            Some("bytes 99 by the manifest (line 2), 100 staged"),
        ),
        (
            Named {
                sha256: Some("cd".repeat(32)),
                ..whole.clone()
            },
            Some("SHA-256 cdcd"),
        ),
    ];
    for (named, wanted) in rows {
        let (compared, words) = outcome(std::slice::from_ref(&named), vec![read_line("1", "1-1")]);
        assert_eq!(
            words.len(),
            usize::from(wanted.is_some()),
            "{named:?} {words:?}"
        );
        assert_eq!(compared.differences(), words.len() as u64);
        assert!(
            wanted.is_none_or(|wanted| words[0].contains(wanted)),
            "{words:?}"
        );
        assert!(compared.is_whole() && compared.notice().is_none());
    }
    let unread = JudgedRecording {
        bytes: String::new(),
        sha256: String::new(),
        start: String::new(),
        ..read_line("1", "1-1")
    };
    let (compared, words) = outcome(&[whole], vec![unread]);
    assert_eq!(words, [""; 0]);
    let notice = compared.notice().expect("a notice");
    for what in ["the start of 1", "the size of 1", "the SHA-256 of 1"] {
        assert!(notice.contains(what), "{notice}");
    }
}
