//! Times: what is wrong with them, in the order of docs/reference/match.md: D42 > D38 > D39 > D36 >
//! D37 > D35 > D40.

use jiff::tz::TimeZone;
use output::thousands;

use super::Comparison;
use crate::capabilities::LegTimes;
use crate::defect::Defect;
use crate::expected::{AgentLeg, Span};
use crate::finding::Finding;
use crate::observed::TimeReading;
use crate::utc_millis::UtcMillis;

/// Times in the target may be rounded to the millisecond, up or down.
const ROUNDING_MS: u64 = 1;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// No call centre recorded to disk before this; what lies before is a number of the wrong unit.
const TOO_EARLY: UtcMillis = UtcMillis::from_ms(315_532_800_000); // 1980-01-01
const TOO_LATE: UtcMillis = UtcMillis::from_ms(7_258_118_400_000); // 2200-01-01

/// A span that is compared, and whose it is.
struct Subject<'a> {
    name: Name,
    recording: Option<(&'a str, &'a str)>,
    expected: Span,
    start: &'a TimeReading,
    end: &'a TimeReading,
    uploaded: UtcMillis,
}

/// What a finding calls a subject.
#[derive(Clone, Copy)]
enum Name {
    Call,
    /// Counted from 0 in the order of their starts.
    Leg(usize),
    Recording,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Call => f.write_str("call"),
            Name::Leg(at) => write!(f, "leg {}", at + 1),
            Name::Recording => f.write_str("recording"),
        }
    }
}

/// One wrong end of a span, or both with one cause.
struct Wrong {
    defect: Defect,
    /// What findings of one origin have in common.
    cause: String,
    field: String,
    expected: String,
    actual: String,
}

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let zone = seen.rules.site_zone.as_ref();
    let mut findings: Vec<Finding> = Vec::new();
    each_subject(seen, |subject| {
        for wrong in wrongs(&subject, zone) {
            let text = format!(
                "{}: {} instead of {}",
                wrong.field, wrong.actual, wrong.expected
            );
            // The call's own cause explains the same on its legs and recordings; recordings by
            // themselves stay apart.
            let whole = findings.iter_mut().find(|finding| {
                finding.cause == wrong.cause
                    && finding.defect == wrong.defect
                    && (finding.legacy_recording_id.is_none()
                        || finding.legacy_recording_id.as_deref()
                            == subject.recording.map(|(id, _)| id))
            });
            match whole {
                Some(finding) => finding.consequences.push(text),
                None => findings.push(finding(seen, &subject, wrong)),
            }
        }
    });
    findings
}

fn finding(seen: &Comparison<'_>, subject: &Subject<'_>, wrong: Wrong) -> Finding {
    let finding = seen
        .finding(wrong.defect, &wrong.field)
        .expected(wrong.expected)
        .actual(wrong.actual)
        .because(wrong.cause);
    match subject.recording {
        Some((legacy_id, target_id)) => finding.recording(legacy_id).target(target_id),
        None => finding,
    }
}

/// The call, its legs where both sides have as many, and its recordings.
fn each_subject<'a>(seen: &'a Comparison<'a>, mut then: impl FnMut(Subject<'a>)) {
    let conversation = seen.conversation;
    let uploaded = conversation
        .read_recordings()
        .iter()
        .filter_map(|recording| recording.created)
        .min()
        .unwrap_or(seen.as_of);
    // Where the customer says when the call began, one who is lost is told as that.
    let joined_and_left = seen.rules.capabilities.leg_times == LegTimes::JoinedAndLeft;
    let told_by_nobody = joined_and_left && conversation.customers == 0;
    if let (Some(expected), false) = (seen.expected.span, told_by_nobody) {
        then(Subject {
            name: Name::Call,
            recording: None,
            expected,
            start: &conversation.start,
            end: &conversation.end,
            uploaded,
        });
    }
    if seen.expected.legs.len() == conversation.legs.len() {
        let legs = seen
            .expected
            .legs
            .iter()
            .zip(&conversation.legs)
            .enumerate();
        // A surface may carry a recording's times as its leg's: those of one that could not be read
        // nobody knows.
        for (at, (expected, actual)) in legs.filter(|(_, (expected, _))| !expected.unread) {
            let half = (actual.start == TimeReading::Absent) != (actual.end == TimeReading::Absent);
            if let (true, Some(expected), true) = (half, expected.span, joined_and_left) {
                then(Subject {
                    name: Name::Leg(at),
                    recording: None,
                    expected,
                    start: &actual.start,
                    end: &actual.end,
                    uploaded,
                });
            }
            // A leg without times in the target has none to be wrong; the participants are compared
            // elsewhere.
            if let (Some(start), Some(end)) = (actual.start.instant(), actual.end.instant())
                && let Some(expected) = leg_span(expected, start, end, seen)
            {
                then(Subject {
                    name: Name::Leg(at),
                    recording: None,
                    expected,
                    start: &actual.start,
                    end: &actual.end,
                    uploaded,
                });
            }
        }
    }
    for pair in &seen.pairs {
        // Both null: the platform gives a recording's times only while its media is available.
        let told =
            (pair.actual.start != TimeReading::Absent) || (pair.actual.end != TimeReading::Absent);
        if let (Some(expected), true) = (pair.expected.span, told) {
            then(Subject {
                name: Name::Recording,
                recording: Some((&pair.expected.legacy_id, &pair.actual.id)),
                expected,
                start: &pair.actual.start,
                end: &pair.actual.end,
                uploaded: pair.actual.created.unwrap_or(uploaded),
            });
        }
    }
}

/// The leg's own times. The guide's surface links a recording to a leg and carries the recording's
/// times as the leg's: there either is right, by length first, because a shift leaves the length
/// alone.
fn leg_span(
    leg: &AgentLeg,
    start: UtcMillis,
    end: UtcMillis,
    seen: &Comparison<'_>,
) -> Option<Span> {
    let off = |span: &Span| {
        (
            span.ms().abs_diff(end.since(start)),
            start.since(span.start).unsigned_abs(),
        )
    };
    let may_be_recordings = seen.rules.capabilities.leg_times == LegTimes::OfLegOrRecording;
    let recorded = leg.recorded.iter().filter(|_| may_be_recordings);
    leg.span
        .iter()
        .chain(recorded)
        .min_by_key(|span| off(span))
        .copied()
}

fn wrongs(subject: &Subject<'_>, zone: Option<&TimeZone>) -> Vec<Wrong> {
    let (start, end) = match (subject.start, subject.end) {
        (TimeReading::At(start), TimeReading::At(end)) => (*start, *end),
        (start, end) => return unreadable(subject, start, end),
    };
    let whole = |defect, cause: &str| {
        vec![Wrong {
            defect,
            cause: cause.to_owned(),
            field: format!("{} start and end", subject.name),
            expected: format!("{} to {}", subject.expected.start, subject.expected.end),
            actual: format!("{start} to {end}"),
        }]
    };
    let single = [(subject.expected.start, start), (subject.expected.end, end)]
        .map(|(expected, actual)| grave(expected, actual, subject.uploaded));
    if let Some(defect) = single
        .into_iter()
        .flatten()
        .min_by_key(|defect| rank(*defect))
    {
        return whole(defect, defect.title());
    }
    if end < start {
        return whole(
            Defect::StartAndEndSwapped,
            Defect::StartAndEndSwapped.title(),
        );
    }
    let deltas = (
        start.since(subject.expected.start),
        end.since(subject.expected.end),
    );
    let (start_wrong, end_wrong) = (is_off(deltas.0), is_off(deltas.1));
    match (start_wrong, end_wrong) {
        (false, false) => Vec::new(),
        (true, true) if deltas.0.abs_diff(deltas.1) <= ROUNDING_MS => {
            let (defect, cause) = shift(subject.expected.start, start, zone);
            whole(defect, &cause)
        }
        _ => {
            let mut wrongs = Vec::new();
            if start_wrong {
                let (defect, cause) = shift(subject.expected.start, start, zone);
                wrongs.push(one_end(
                    subject,
                    "start",
                    defect,
                    cause,
                    subject.expected.start,
                    start,
                ));
            }
            if end_wrong {
                let (defect, cause) = late_end(subject.expected.end, end, start_wrong, zone);
                wrongs.push(one_end(
                    subject,
                    "end",
                    defect,
                    cause,
                    subject.expected.end,
                    end,
                ));
            }
            one_cause(wrongs)
        }
    }
}

fn one_end(
    subject: &Subject<'_>,
    end: &str,
    defect: Defect,
    cause: String,
    expected: UtcMillis,
    actual: UtcMillis,
) -> Wrong {
    Wrong {
        defect,
        cause,
        field: format!("{} {end}", subject.name),
        expected: expected.to_string(),
        actual: actual.to_string(),
    }
}

/// Both ends of one span with one class are one finding.
fn one_cause(mut wrongs: Vec<Wrong>) -> Vec<Wrong> {
    if let [first, second] = wrongs.as_slice()
        && first.defect == second.defect
    {
        let second = second.cause.clone();
        wrongs.truncate(1);
        if wrongs[0].cause != second {
            wrongs[0].cause = format!("{}, the end {second}", wrongs[0].cause);
        }
    }
    wrongs
}

/// An end by itself: of another precision, or recomputed.
fn late_end(
    expected: UtcMillis,
    actual: UtcMillis,
    start_wrong: bool,
    zone: Option<&TimeZone>,
) -> (Defect, String) {
    if start_wrong || is_rounded(expected, actual) {
        return shift(expected, actual, zone);
    }
    (
        Defect::DurationRecomputed,
        "end differs while the start is right".to_owned(),
    )
}

/// What is no instant: damaged text, or nothing. A call or leg without one of its ends has lost the
/// event that tells it.
fn unreadable(subject: &Subject<'_>, start: &TimeReading, end: &TimeReading) -> Vec<Wrong> {
    let is_damaged = |reading: &TimeReading| matches!(reading, TimeReading::Damaged(_));
    let is_lost = subject.recording.is_none() && !is_damaged(start) && !is_damaged(end);
    let (defect, cause) = match (start, end) {
        (TimeReading::At(_), _) if is_lost => {
            (Defect::ParticipantsWrong, "event of leaving is lost")
        }
        (_, TimeReading::At(_)) if is_lost => {
            (Defect::ParticipantsWrong, "event of joining is lost")
        }
        _ => (Defect::TimeUnreadable, Defect::TimeUnreadable.title()),
    };
    let text = |reading: &TimeReading| match reading {
        TimeReading::Absent => "nothing".to_owned(),
        TimeReading::At(moment) => moment.to_string(),
        TimeReading::Damaged(text) => format!("`{text}`"),
    };
    vec![Wrong {
        defect,
        cause: cause.to_owned(),
        field: format!("{} start and end", subject.name),
        expected: format!("{} to {}", subject.expected.start, subject.expected.end),
        actual: format!("{} to {}", text(start), text(end)),
    }]
}

fn is_off(delta_ms: i64) -> bool {
    delta_ms.unsigned_abs() > ROUNDING_MS
}

/// The classes that need no zone and no neighbour.
fn grave(expected: UtcMillis, actual: UtcMillis, uploaded: UtcMillis) -> Option<Defect> {
    if !is_off(actual.since(expected)) {
        return None;
    }
    let old = uploaded.since(expected) > 2 * DAY_MS;
    if old && actual.since(uploaded).abs() <= DAY_MS {
        return Some(Defect::UploadDateAsCallDate);
    }
    // A thousandth or a thousandfold, cut to whole seconds or not.
    let thousandth = actual.ms().saturating_mul(1000).abs_diff(expected.ms()) < 1_000_000;
    let thousandfold = expected.ms().saturating_mul(1000).abs_diff(actual.ms()) < 1_000_000;
    (thousandth || thousandfold || actual < TOO_EARLY || actual >= TOO_LATE)
        .then_some(Defect::TimeUnitConfused)
}

fn rank(defect: Defect) -> u8 {
    match defect {
        Defect::UploadDateAsCallDate => 0,
        _ => 1,
    }
}

/// A shift by its size: an hour in daylight time, an hour at a clock change, a zone, lost
/// milliseconds, or anything else.
pub(crate) fn shift(
    expected: UtcMillis,
    actual: UtcMillis,
    zone: Option<&TimeZone>,
) -> (Defect, String) {
    let delta = actual.since(expected);
    if delta.abs() == HOUR_MS {
        if zone.is_some_and(|zone| in_daylight_time(expected, zone)) {
            return (Defect::TimeOffByDaylightSaving, late(delta));
        }
        if zone.is_some_and(|zone| at_clock_change(expected, zone)) {
            return (Defect::ClockChangeMisread, late(delta));
        }
    }
    if is_rounded(expected, actual) {
        return (
            Defect::MillisecondsLost,
            "milliseconds or seconds are cut".to_owned(),
        );
    }
    (Defect::TimeShifted, late(delta))
}

/// `3,600 s late`.
fn late(delta_ms: i64) -> String {
    let by = delta_ms.unsigned_abs();
    let fraction = match by % 1000 {
        0 => String::new(),
        ms => format!(".{ms:03}").trim_end_matches('0').to_owned(),
    };
    let word = if delta_ms < 0 { "early" } else { "late" };
    format!("{}{fraction} s {word}", thousands(by / 1000))
}

/// Cut or rounded to whole seconds or minutes.
fn is_rounded(expected: UtcMillis, actual: UtcMillis) -> bool {
    let delta = actual.since(expected).abs();
    [1000, 60_000]
        .into_iter()
        .any(|unit| actual.ms() % unit == 0 && expected.ms() % unit != 0 && delta < unit)
}

fn in_daylight_time(at: UtcMillis, zone: &TimeZone) -> bool {
    at.timestamp()
        .is_some_and(|at| zone.to_offset_info(at).dst().is_dst())
}

/// In the hour that is there twice, or just behind the one that is missing.
fn at_clock_change(at: UtcMillis, zone: &TimeZone) -> bool {
    let Some(at) = at.timestamp() else {
        return false;
    };
    let local = zone.to_datetime(at);
    let hour_before = local.checked_sub(jiff::ToSpan::hour(1));
    zone.to_ambiguous_timestamp(local).is_ambiguous()
        || hour_before.is_ok_and(|local| zone.to_ambiguous_timestamp(local).is_ambiguous())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{CREATED, checked, codes, conversation, first, wanted};
    use crate::observed::{Recordings, TargetConversation};

    fn moved(by: i64) -> TargetConversation {
        let mut actual = conversation(&wanted());
        let later = |reading: &mut TimeReading| {
            if let TimeReading::At(at) = reading {
                *at = at.plus_ms(by);
            }
        };
        later(&mut actual.start);
        later(&mut actual.end);
        actual.legs.iter_mut().for_each(|leg| {
            later(&mut leg.start);
            later(&mut leg.end);
        });
        if let Recordings::Read(recordings) = &mut actual.recordings {
            recordings.iter_mut().for_each(|recording| {
                later(&mut recording.start);
                later(&mut recording.end);
            });
        }
        actual
    }

    #[test]
    fn a_call_shifted_as_a_whole_is_one_finding() {
        // 27 October 2023 is inside British summer time.
        for (by, code) in [
            (3_600_000, "D36"),
            (-3_600_000, "D36"),
            (7_200_000, "D35"),
            (900_000, "D35"),
            (-73_000, "D35"),
        ] {
            let findings = checked(&wanted(), &moved(by));
            assert_eq!(
                findings
                    .iter()
                    .map(|finding| finding.defect.code())
                    .collect::<Vec<_>>(),
                [code],
                "{by}"
            );
            assert_eq!(findings[0].legacy_recording_id, None);
            assert_eq!(
                findings[0].consequences.len(),
                4,
                "two legs and two recordings"
            );
        }
        assert!(
            checked(&wanted(), &moved(1)).is_empty(),
            "a rounded millisecond is no difference"
        );
    }

    #[test]
    fn a_deletion_date_that_follows_a_wrong_time_is_its_consequence() {
        let expected = wanted();
        let mut actual = moved(3_600_000);
        if let Recordings::Read(recordings) = &mut actual.recordings {
            recordings.iter_mut().for_each(|recording| {
                recording.delete_at = recording.delete_at.map(|at| at.plus_ms(3_600_000))
            });
        }
        let findings = checked(&expected, &actual);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].consequences.len(), 6);
    }

    #[test]
    fn each_damage_of_a_time_has_its_class() {
        let expected = wanted();
        let span = expected.span.expect("a span");
        let uploaded = CREATED.plus_ms(60_000);
        let rows = [
            ("upload date", uploaded, uploaded.plus_ms(300_000), "D42"),
            (
                "milliseconds as seconds",
                UtcMillis::from_ms(span.start.ms() / 1000),
                UtcMillis::from_ms(span.end.ms() / 1000),
                "D38",
            ),
            (
                "seconds as milliseconds",
                UtcMillis::from_ms(span.start.ms() * 1000),
                UtcMillis::from_ms(span.end.ms() * 1000),
                "D38",
            ),
            ("swapped", span.end, span.start, "D39"),
            (
                "an hour in summer",
                span.start.plus_ms(HOUR_MS),
                span.end.plus_ms(HOUR_MS),
                "D36",
            ),
            ("end recomputed", span.start, span.end.plus_ms(-4321), "D43"),
            ("start alone", span.start.plus_ms(-5000), span.end, "D35"),
        ];
        for (name, start, end, code) in rows {
            let mut actual = conversation(&expected);
            (actual.start, actual.end) = (TimeReading::At(start), TimeReading::At(end));
            assert_eq!(codes(&expected, &actual), [code], "{name}");
        }
        let mut actual = conversation(&expected);
        actual.start = TimeReading::Damaged("27/10/2023 10:00".into());
        assert_eq!(codes(&expected, &actual), ["D44"]);
        for ends in [
            (TimeReading::At(span.start), TimeReading::Absent),
            (TimeReading::Absent, TimeReading::At(span.end)),
        ] {
            (actual.start, actual.end) = ends;
            assert_eq!(codes(&expected, &actual), ["D49"], "an event is lost");
        }
    }

    #[test]
    fn a_leg_ends_when_its_agent_left() {
        let mut expected = wanted();
        expected.legs[0].recorded = vec![Span {
            end: expected.legs[0].span.expect("a span").end.plus_ms(-60_000),
            ..expected.legs[0].span.expect("a span")
        }];
        let mut actual = conversation(&expected);
        actual.legs[0].end = TimeReading::At(expected.legs[0].recorded[0].end);
        assert!(
            codes(&expected, &actual).is_empty(),
            "the guide's surface carries the recording's times"
        );
        let mut rules = crate::expected::testing::rules();
        rules.capabilities.leg_times = LegTimes::OfLeg;
        let findings = crate::checks::testing::checked_under(
            &rules,
            &expected,
            &actual,
            &crate::sound::TargetSound::NotRead,
        );
        assert_eq!(
            findings
                .iter()
                .map(|finding| (finding.defect, finding.field.as_str()))
                .collect::<Vec<_>>(),
            [(Defect::DurationRecomputed, "leg 1 end")]
        );
    }

    #[test]
    fn the_size_of_a_shift_and_the_zone_name_its_class() {
        let london = TimeZone::get("Europe/London").expect("a zone");
        let at = |text: &str| UtcMillis::parse(text).expect("an instant");
        let rows = [
            (
                "2023-07-01T10:00:00Z",
                HOUR_MS,
                Some(&london),
                Defect::TimeOffByDaylightSaving,
            ),
            (
                "2023-01-01T10:00:00Z",
                HOUR_MS,
                Some(&london),
                Defect::TimeShifted,
            ),
            ("2023-07-01T10:00:00Z", HOUR_MS, None, Defect::TimeShifted),
            (
                "2023-10-29T01:30:00Z",
                -HOUR_MS,
                Some(&london),
                Defect::ClockChangeMisread,
            ),
            (
                "2023-07-01T10:00:00Z",
                2 * HOUR_MS,
                Some(&london),
                Defect::TimeShifted,
            ),
            (
                "2023-07-01T10:00:00.345Z",
                -345,
                None,
                Defect::MillisecondsLost,
            ),
            (
                "2023-07-01T10:00:00.645Z",
                355,
                None,
                Defect::MillisecondsLost,
            ),
            (
                "2023-07-01T10:00:12Z",
                -12_000,
                None,
                Defect::MillisecondsLost,
            ),
            ("2023-07-01T10:00:12Z", -11_000, None, Defect::TimeShifted),
        ];
        for (expected, by, zone, defect) in rows {
            assert_eq!(
                shift(at(expected), at(expected).plus_ms(by), zone).0,
                defect,
                "{expected} {by}"
            );
        }
    }

    #[test]
    fn a_recording_alone_is_a_finding_of_its_own() {
        let expected = wanted();
        let mut actual = conversation(&expected);
        let recording = first(&mut actual);
        let (start, end) = (
            recording.start.instant().expect("a start"),
            recording.end.instant().expect("an end"),
        );
        (recording.start, recording.end) = (
            TimeReading::At(start.plus_ms(7_200_000)),
            TimeReading::At(end.plus_ms(7_200_000)),
        );
        let findings = checked(&expected, &actual);
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (
                findings[0].defect,
                findings[0].legacy_recording_id.as_deref()
            ),
            (Defect::TimeShifted, Some("100001-1"))
        );
        let recording = first(&mut actual);
        (recording.start, recording.end) = (TimeReading::Absent, TimeReading::Absent);
        assert!(
            checked(&expected, &actual).is_empty(),
            "an archived recording shows no times"
        );
    }
}
