//! What SpeechMiner says of a call: its document held against the source like RWS's own, and its
//! files against RWS's. What both stores say wrongly is told once, of RWS.

use super::super::{CallFacts, MediaFacts, SpeechMinerCall};
use crate::checks::{Comparison, Pair, metadata, pauses, time};
use crate::defect::Defect;
use crate::finding::Finding;
use crate::observed::{TargetConversation, TargetRecording};
use crate::sound::TargetSound;
use crate::utc_millis::UtcMillis;

/// What stands before each field.
const STORE: &str = "SpeechMiner";
/// An export has whole seconds; the first file may begin within one. Milliseconds.
const EXPORT_MS: u64 = 2000;

/// `told` is what was found of RWS already.
pub(super) fn check(seen: &Comparison<'_>, told: &[Finding]) -> Vec<Finding> {
    let Some(posted) = seen
        .conversation
        .platform
        .get::<CallFacts>()
        .and_then(|facts| facts.posted.as_deref())
    else {
        return Vec::new();
    };
    let mut findings = match &posted.document {
        Some(document) => of_document(seen, document),
        None => of_row(seen, posted),
    };
    findings.extend(files(seen, posted));
    findings.retain(|finding| !told.iter().any(|other| is_same(finding, other)));
    one_cause(
        findings
            .into_iter()
            .map(|finding| of_store(seen, finding))
            .collect(),
    )
}

fn is_same(finding: &Finding, other: &Finding) -> bool {
    (
        finding.defect,
        &finding.legacy_recording_id,
        &finding.actual,
    ) == (other.defect, &other.legacy_recording_id, &other.actual)
}

fn of_store(seen: &Comparison<'_>, finding: Finding) -> Finding {
    let (field, cause) = (
        format!("{STORE}: {}", finding.field),
        format!("{STORE}: {}", finding.cause),
    );
    Finding {
        field,
        cause,
        target_id: Some(String::from(&seen.conversation.id)),
        ..finding
    }
}

/// A document that is wrong in many ways is one wrong document.
fn one_cause(mut findings: Vec<Finding>) -> Vec<Finding> {
    const MANY: usize = 3;
    if findings.len() > MANY {
        let follows = findings.split_off(1);
        follows
            .into_iter()
            .for_each(|finding| findings[0].follows(finding));
    }
    findings
}

/// The document against the source, by the checks RWS is held against; the parts are RWS's.
fn of_document(seen: &Comparison<'_>, document: &TargetConversation) -> Vec<Finding> {
    let mut theirs = document.clone();
    theirs.withheld.clone_from(&seen.conversation.withheld);
    let sound = TargetSound::NotRead;
    // The same part sent twice stands there once where SpeechMiner takes the second post for the
    // first.
    let lost = seen
        .pairs
        .iter()
        .filter(|pair| part_of(&theirs, pair.actual).is_none() && !pair.actual.id.contains('#'));
    let mut findings: Vec<Finding> = lost.map(|pair| absent(seen, pair)).collect();
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for pair in &seen.pairs {
        if let Some(actual) = part_of(&theirs, pair.actual) {
            pairs.push(Pair {
                expected: pair.expected,
                actual,
                sound: &sound,
                stored: None,
            });
        }
    }
    let document = Comparison {
        expected: seen.expected,
        conversation: &theirs,
        pairs,
        rules: seen.rules,
        platform: seen.platform,
        as_of: seen.as_of,
    };
    findings.extend(metadata(&document));
    findings.extend(pauses::check(&document));
    findings
}

fn part_of<'a>(call: &'a TargetConversation, own: &TargetRecording) -> Option<&'a TargetRecording> {
    call.read_recordings().iter().find(|part| part.id == own.id)
}

fn absent(seen: &Comparison<'_>, pair: &Pair<'_>) -> Finding {
    let finding = seen
        .about(pair, Defect::MissingInOneStore, "part")
        .expected("present")
        .actual("absent");
    finding.because("a part of the call is not in SpeechMiner")
}

/// All that an export tells beside the files is when the call began, which may mean the call or its
/// first file. RWS's own beginning is held against the source by itself.
fn of_row(seen: &Comparison<'_>, posted: &SpeechMinerCall) -> Vec<Finding> {
    let first = seen
        .conversation
        .read_recordings()
        .iter()
        .filter_map(|recording| recording.start.instant())
        .min();
    let (Some(actual), Some(own)) = (posted.start, first) else {
        return Vec::new();
    };
    let is_it = |start: UtcMillis| actual.since(start).unsigned_abs() < EXPORT_MS;
    // What the source says is right, whatever RWS says by mistake.
    let sources = seen.expected.span.iter().chain(
        seen.pairs
            .iter()
            .filter_map(|pair| pair.expected.span.as_ref()),
    );
    if is_it(own)
        || seen.conversation.start.instant().is_some_and(is_it)
        || sources.into_iter().any(|span| is_it(span.start))
    {
        return Vec::new();
    }
    let (defect, cause) = time::shift(own, actual, seen.rules.site_zone.as_ref());
    vec![
        seen.finding(defect, "start")
            .expected(own)
            .actual(actual)
            .because(cause),
    ]
}

/// Files of the call that SpeechMiner does not name, or names others instead of.
fn files(seen: &Comparison<'_>, posted: &SpeechMinerCall) -> Vec<Finding> {
    let path = |pair: &Pair<'_>| {
        pair.actual
            .platform
            .get::<MediaFacts>()
            .and_then(|facts| facts.path.clone())
    };
    let own: Vec<String> = seen
        .conversation
        .read_recordings()
        .iter()
        .filter_map(|one| one.platform.get::<MediaFacts>()?.path.clone())
        .collect();
    let mut strange: Vec<&String> = posted
        .files
        .iter()
        .filter(|file| !own.contains(file))
        .collect();
    let mut findings = Vec::new();
    for pair in &seen.pairs {
        let Some(path) = path(pair).filter(|path| !posted.files.contains(path)) else {
            continue;
        };
        let is_listed = posted.document.as_ref().is_none_or(|document| {
            document
                .read_recordings()
                .iter()
                .any(|part| part.id == pair.actual.id)
        });
        if strange.is_empty() || !is_listed {
            // Without a document nothing but its file tells that a part is there.
            findings.extend(posted.document.is_none().then(|| absent(seen, pair)));
            continue;
        }
        let other = strange.remove(0);
        let (defect, cause) = match posted.of_others.contains(other) {
            true => (Defect::AudioOfAnotherCall, "file of another call"),
            false => (Defect::AudioGone, "file that RWS does not know"),
        };
        findings.push(
            seen.about(pair, defect, "file")
                .expected(path)
                .actual(other)
                .because(cause),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{
        call_facts, findings_at, gir_rules, gir_wanted, right, site,
    };
    use super::*;
    use crate::observed::{Recordings, TimeReading};

    /// A right call, with what SpeechMiner says of it after this damage.
    fn codes(damage: fn(&mut SpeechMinerCall)) -> Vec<(&'static str, Option<String>)> {
        let expected = gir_wanted();
        let mut actual = right(&expected);
        if let Recordings::Read(recordings) = &mut actual.recordings {
            recordings[1]
                .platform
                .get_mut::<MediaFacts>()
                .expect("facts")
                .path = Some("http://store.test/recordings/b.mp3".into());
        }
        let files = actual
            .read_recordings()
            .iter()
            .filter_map(|recording| recording.platform.get::<MediaFacts>()?.path.clone())
            .collect();
        let start = actual.read_recordings()[0].start.instant();
        let mut posted = SpeechMinerCall {
            start,
            files,
            document: Some(actual.clone()),
            ..SpeechMinerCall::default()
        };
        damage(&mut posted);
        call_facts(&mut actual).posted = Some(Box::new(posted));
        let findings = findings_at(
            &site(),
            &gir_rules(),
            &expected,
            &actual,
            &TargetSound::Compared(Vec::new()),
            None,
        );
        findings
            .into_iter()
            .map(|finding| (finding.defect.code(), finding.legacy_recording_id))
            .collect()
    }

    fn document(posted: &mut SpeechMinerCall) -> &mut TargetConversation {
        posted.document.as_mut().expect("a document")
    }

    fn part(posted: &mut SpeechMinerCall) -> &mut TargetRecording {
        crate::checks::testing::first(document(posted))
    }

    #[test]
    fn what_speechminer_says_of_a_call_is_held_against_the_source() {
        let first = || Some("100001-1".to_owned());
        assert_eq!(codes(|_| ()), []);
        assert_eq!(codes(|posted| posted.document = None), []);
        assert_eq!(
            codes(|posted| part(posted)
                .platform
                .get_mut::<MediaFacts>()
                .expect("facts")
                .username = Some("bob".into())),
            [("D45", first())]
        );
        let later = |posted: &mut SpeechMinerCall| {
            let part = part(posted);
            part.start = TimeReading::At(part.start.instant().expect("a start").plus_ms(7_200_000));
            part.end = TimeReading::At(part.end.instant().expect("an end").plus_ms(7_200_000));
        };
        assert!(codes(later).contains(&("D35", first())));
        assert_eq!(codes(|posted| part(posted).pauses.clear()).len(), 1);
        let lost = |posted: &mut SpeechMinerCall| match &mut document(posted).recordings {
            Recordings::Read(parts) => drop(parts.remove(0)),
            Recordings::Hidden(_) => {}
        };
        assert_eq!(codes(lost), [("D14", first())]);
        let other = |posted: &mut SpeechMinerCall| {
            posted.files.remove("http://store.test/recordings/a.mp3");
            posted
                .files
                .insert("http://store.test/recordings/z.mp3".into());
        };
        assert_eq!(codes(other), [("D11", first())]);
    }

    #[test]
    fn an_export_tells_start_and_files() {
        assert_eq!(
            codes(|posted| (posted.document, posted.start) =
                (None, posted.start.map(|at| at.plus_ms(-900)))),
            []
        );
        assert_eq!(
            codes(|posted| (posted.document, posted.start) =
                (None, posted.start.map(|at| at.plus_ms(7_200_000)))),
            [("D35", None)]
        );
        let lost = |posted: &mut SpeechMinerCall| {
            posted.document = None;
            posted.files.remove("http://store.test/recordings/a.mp3");
        };
        assert_eq!(codes(lost), [("D14", Some("100001-1".to_owned()))]);
        let anothers = |posted: &mut SpeechMinerCall| {
            posted.document = None;
            posted.files.remove("http://store.test/recordings/a.mp3");
            posted
                .files
                .insert("http://store.test/recordings/c.mp3".into());
            posted
                .of_others
                .insert("http://store.test/recordings/c.mp3".into());
        };
        assert_eq!(codes(anothers), [("D18", Some("100001-1".to_owned()))]);
    }

    #[test]
    fn a_document_of_another_call_is_one_finding() {
        let found = codes(|posted| {
            let document = document(posted);
            document.anis = vec!["+15550109999".into()];
            document.queues.clear();
            document.direction = Some("outbound".into());
            document.attributes.clear();
            document.start = TimeReading::At(
                document
                    .start
                    .instant()
                    .expect("a start")
                    .plus_ms(99_000_000),
            );
        });
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
