use super::*;
use crate::operations;

fn served<'a>(key: &'a str, effect: Option<&'static str>) -> Served<'a> {
    let operation = &operations::GENESYS_CLOUD_UPLOAD_FILE;
    Served {
        at_ms: 1_698_400_800_123,
        platform: "genesys_cloud",
        operation,
        key,
        attempt: 1,
        status: 0,
        work_status: 200,
        fault: None,
        effect,
        bytes_in: 3,
        bytes_out: 2,
        retry_after_s: None,
        digest_out: None,
        metadata: RequestMetadata::default(),
    }
}

fn page(journal: &Journal, platform: Option<&str>, after: u64, limit: usize) -> Vec<Entry> {
    journal.page(platform, after, limit, Digests::Hidden)
}

#[test]
fn effects_do_not_show_the_order_of_arrival() {
    let (one, two) = (Journal::default(), Journal::default());
    for key in ["a", "b", "c"] {
        one.write(served(key, Some("created")));
    }
    for key in ["c", "a", "b"] {
        two.write(served(key, Some("created")));
        two.write(served(key, None));
    }
    assert_eq!(one.effects(), two.effects());
    assert_eq!(
        one.effects().lines().next(),
        Some(
            r#"{"operation":"genesys_cloud.upload_file","key":"a","status":200,"effect":"created"}"#
        )
    );
}

#[test]
fn a_page_continues_behind_the_last_line() {
    let journal = Journal::default();
    for key in ["a", "b", "c"] {
        journal.write(served(key, None));
    }
    let second = page(&journal, None, 1, 1);
    assert_eq!(
        (second.len(), second[0].n, second[0].key.as_str()),
        (1, 2, "b")
    );
    assert_eq!(second[0].at, "2023-10-27T10:00:00.123Z");
    assert!(page(&journal, Some("legacy"), 0, 10).is_empty());
    assert!(page(&journal, None, u64::MAX, 10).is_empty());
    assert_eq!(journal.len(), 3);
}

/// A journal with more lines than memory keeps, each different.
fn long(dir: &Path, lines: u64) -> Journal {
    let journal = Journal::default();
    journal.spill_into(dir, 1.0);
    for n in 1..=lines {
        let key = format!("key-{n}");
        let metadata = RequestMetadata {
            digest: (n % 3 == 0).then_some([n as u8; 32]),
            ..RequestMetadata::default()
        };
        let fault = (n % 5 == 0).then(|| format!("f1-{n:016x}"));
        let effect = (n % 2 == 0).then_some("created");
        journal.write(Served {
            attempt: n as u32,
            bytes_in: n * 1_000_000_007,
            fault,
            metadata,
            ..served(&key, effect)
        });
        if n % 7 == 0 {
            journal.record_side_effect(&operations::GENESYS_CLOUD_PROCESS_UPLOAD, &key, "attached");
        }
    }
    journal
}

#[test]
fn lines_beyond_memory_are_read_from_the_file_as_they_were_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = long(dir.path(), 5000);
    let inner = journal.snapshot();
    assert!(
        inner
            .lines
            .run(0)
            .expect("read")
            .is_some_and(|(_, bytes)| bytes.len() < 100_000),
        "the first run is a block of its own"
    );
    let mut after = 0;
    let mut all = Vec::new();
    loop {
        let lines = page(&journal, None, after, 333);
        let Some(last) = lines.last() else { break };
        after = last.n;
        all.extend(lines);
    }
    assert_eq!(all.len(), 5000);
    for (n, line) in (1_u64..).zip(&all) {
        let fault = (n % 5 == 0).then(|| format!("f1-{n:016x}"));
        assert_eq!(
            (line.n, &line.key, line.bytes_in, &line.fault),
            (n, &format!("key-{n}"), n * 1_000_000_007, &fault)
        );
        assert_eq!(
            (
                u64::from(line.attempt),
                line.effect.is_some(),
                &line.digest_in
            ),
            (n, n % 2 == 0, &None)
        );
    }
    let told = journal.page(None, 2, 1, Digests::Shown);
    assert_eq!(told[0].digest_in.as_deref(), Some("03".repeat(32).as_str()));
    assert_eq!(journal.effects().lines().count(), 2500 + 5000 / 7);
    assert_eq!(
        journal
            .latest(3)
            .iter()
            .map(|line| line.n)
            .collect::<Vec<_>>(),
        [4998, 4999, 5000]
    );
}

#[test]
fn two_that_go_on_from_one_snapshot_do_not_write_over_each_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = long(dir.path(), 2000);
    let snapshot = journal.snapshot();
    let add =
        |name: &str| (0..2000).for_each(|n| journal.write(served(&format!("{name}-{n}"), None)));
    add("one");
    let one = journal.snapshot();
    journal.restore(snapshot.clone());
    assert_eq!(journal.len(), 2000);
    add("two");
    let keys = |at: u64| page(&journal, None, at, 1).pop().expect("a line").key;
    assert_eq!(
        (keys(1999), keys(2000), keys(3999)),
        (
            "key-2000".to_owned(),
            "two-0".to_owned(),
            "two-1999".to_owned()
        )
    );
    journal.restore(one);
    assert_eq!(
        (keys(1999), keys(2000), keys(3999)),
        (
            "key-2000".to_owned(),
            "one-0".to_owned(),
            "one-1999".to_owned()
        )
    );
}

#[test]
fn a_spool_that_cannot_be_written_loses_no_line() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = long(&dir.path().join("gone"), 3000);
    assert_eq!(page(&journal, None, 0, usize::MAX).len(), 3000);
}
