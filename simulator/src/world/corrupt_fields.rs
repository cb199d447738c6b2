//! What a call looks like when its data is wrong: values that the source states. How they are written is in `platforms/legacy/corrupt_json.rs`.

use super::fault_placement::Planted;
use super::people::Agent;
use super::settings::SourceCodec;
use super::{Damage, Interaction, Pause, PhoneNumber, Recording};
use crate::faults::domain::DomainKind as Kind;
use crate::seed::Seed;

/// Above every integer that a double holds exactly, and odd, so that one that passes through a double is another.
const BEYOND_DOUBLE: u64 = 9_007_199_254_740_993;
/// The hour that exists twice in London, second half: 27 October 2024, 00:30 UTC.
const REPEATED_HOUR_MS: i64 = 1_729_989_000_000;
/// The hour that does not exist there: 31 March 2024, 01:10 UTC.
const MISSING_HOUR_MS: i64 = 1_711_847_400_000;
/// The clocks go back: 27 October 2024, 01:00 UTC.
const CLOCKS_BACK_MS: i64 = 1_729_990_800_000;
/// 29 February 2024, 12:00 UTC.
const LEAP_DAY_MS: i64 = 1_709_208_000_000;
/// Some day of 2150.
const FAR_FUTURE_MS: i64 = 5_690_000_000_000;

/// What a change needs to know beside the call.
pub(super) struct Scene<'a> {
    pub(super) index: u64,
    /// Of the recorder that stamped the call.
    pub(super) drift_ms: i64,
    pub(super) agents: &'a [Agent],
}

/// Puts the wrong data into a call that is otherwise whole.
pub(super) fn change(call: &mut Interaction, planted: Planted, scene: &Scene<'_>) {
    match planted.kind {
        Kind::ZeroDuration => {
            call.end_ms = call.start_ms;
            call.true_end_ms = call.true_start_ms;
        }
        Kind::SecondsForMilliseconds => times(call, |ms| ms / 1000),
        Kind::MicrosecondsForMilliseconds => times(call, |ms| ms * 1000),
        Kind::ZeroTime => times(call, |_| 0),
        Kind::NegativeTime => times(call, |_| -1),
        Kind::FarFutureTime => {
            let length_ms = call.end_ms - call.start_ms;
            (call.start_ms, call.end_ms) = (FAR_FUTURE_MS, FAR_FUTURE_MS + length_ms);
        }
        Kind::DriftUndeclared => by_clock(call, call.recorder_node.clone(), planted.ms),
        Kind::DriftDeclared => by_clock(call, declared_node(planted).map(|(node, _)| node), planted.ms - scene.drift_ms),
        Kind::UnknownRecorder => by_clock(call, Some("N99".to_owned()), -scene.drift_ms),
        Kind::WaitAndTalkDisagree => call.talk_ms += 60_000,
        Kind::NegativeWait => call.wait_ms = -5_000,
        Kind::IdBeyondDouble => {
            call.id = BEYOND_DOUBLE + 2 * scene.index;
            call.recordings.iter_mut().for_each(|recording| recording.interaction_id = call.id);
        }
        Kind::Mojibake => texts(call, "RÃ©solu", "Ã‰quipe 1"),
        Kind::Emoji => texts(call, "RESOLVED \u{1f44d}", "Team \u{1f9ed}"),
        Kind::OverlongText => texts(call, "RESOLVED", &"Billing and more ".repeat(180)),
        Kind::ControlCharacters => texts(call, "RE\tSOLVED", "Team\n1\u{1b}[0m"),
        Kind::NulCharacter => texts(call, "RESOLVED\0", "Team 1"),
        Kind::LoneSurrogate => texts(call, &format!("RESOLVED {LONE_SURROGATE}"), "Team 1"),
        Kind::EmptyTexts => {
            texts(call, "", "");
            (call.ivr_node_id, call.agent_extension) = (Some(String::new()), Some(String::new()));
        }
        Kind::NullFields | Kind::AbsentFields => {
            (call.skill, call.skill_group, call.ivr_node_id, call.disposition_code) = (None, None, None, None);
            (call.wrap_up_code, call.agent_extension) = (None, None);
        }
        Kind::UnknownSkill => call.skill = Some("SK-DISCONTINUED".to_owned()),
        Kind::UnknownWrapUp => call.wrap_up_code = Some("W-999".to_owned()),
        Kind::PhoneMasked => customer(call, "+1555****199", true),
        Kind::PhoneNational => customer(call, "(020) 7946 0018", false),
        Kind::PhoneExtension | Kind::PhoneUnhashable => customer(call, "4711", false),
        Kind::PhoneSip => customer(call, "sip:reception@example.org", false),
        Kind::PhoneAnonymous => customer(call, "anonymous", false),
        Kind::PhoneMissing => (call.caller_number, call.dialled_number) = (None, None),
        Kind::UnknownAgent | Kind::UnknownAgentWithoutFallback => agents(call, |_| Some("AGT-GONE".to_owned())),
        Kind::AgentLetterCase => agents(call, |id| Some(id.to_lowercase())),
        Kind::AgentLeadingZeros => agents(call, |id| Some(id.replace("AGT-", "AGT-0"))),
        Kind::AgentAsNumber => agents(call, |_| Some("1024".to_owned())),
        Kind::AgentMissing => {
            agents(call, |_| None);
            call.agent_extension = None;
        }
        Kind::SharedExtension => call.agent_extension = scene.agents.last().map(|agent| agent.extension.clone()),
        Kind::UnknownQueue | Kind::UnknownQueueSkipped => call.queue_id = Some("Q-CLOSED".to_owned()),
        Kind::QueueLetterCase => call.queue_id = call.queue_id.take().map(|id| id.to_lowercase()),
        Kind::QueueAsNumber => call.queue_id = Some("17".to_owned()),
        Kind::QueueMissing => call.queue_id = None,
        Kind::SegmentsMissing
        | Kind::SegmentsOverlap
        | Kind::SegmentsGap
        | Kind::SegmentsOutOfOrder
        | Kind::SegmentReversed
        | Kind::Conference
        | Kind::SameAgentTwice => legs_of(call, planted.kind),
        Kind::RecordingReversed
        | Kind::RecordingTimeZero
        | Kind::RecordingOutlastsCall
        | Kind::RecordingOnUnknownSegment
        | Kind::RecordingIdOdd
        | Kind::UnknownRetentionClass
        | Kind::RetentionClassMissing
        | Kind::PausesOverlap
        | Kind::PausePastEnd
        | Kind::PauseEverything => call.recordings.iter_mut().for_each(|recording| recorded(recording, planted.kind)),
        // Made with the call, or wrong only in how it is written or served.
        Kind::EndBeforeStart
        | Kind::EndMissing
        | Kind::TimeAsText
        | Kind::LocalTimeWithoutZone
        | Kind::LocalTimeOfKnownZone
        | Kind::AmbiguousLocalHour
        | Kind::MissingLocalHour
        | Kind::ClockChangeInside
        | Kind::LeapDay
        | Kind::DuplicateOnNextPage
        | Kind::IdCollision
        | Kind::IdLeadingZeros
        | Kind::IdAsText
        | Kind::IdNotANumber
        | Kind::UnknownDirection
        | Kind::DirectionMissing
        | Kind::DirectionLetterCase
        | Kind::UnknownFields
        | Kind::NumbersAsText
        | Kind::NumbersAsFloats
        | Kind::SegmentTimeMissing
        | Kind::RecordingOfAnotherCall
        | Kind::RecordingGone
        | Kind::HeldAndExpired
        | Kind::Expired
        | Kind::PauseAfterEnd
        | Kind::PauseReversed
        | Kind::PauseNegative
        | Kind::PauseEmpty
        | Kind::PauseWithoutEnd
        | Kind::EmptyMedia
        | Kind::HtmlMedia
        | Kind::JsonMedia
        | Kind::NoiseMedia
        | Kind::UndecodableMedia
        | Kind::UnsupportedMedia
        | Kind::IncompleteMedia
        | Kind::TruncatedMedia
        | Kind::ShortMedia
        | Kind::DeclaredTooLong
        | Kind::DeclaredTooShort
        | Kind::WrongCodecDeclared
        | Kind::WrongSizeDeclared
        | Kind::SizeMissing
        | Kind::WrongFormDeclared
        | Kind::WavLengthUnknown
        | Kind::WavLengthZero
        | Kind::WavLengthTooLong
        | Kind::WavListFirst
        | Kind::WavOddChunk
        | Kind::BytesAfterEnd
        | Kind::ZerosAfterEnd
        | Kind::Id3BeforeMp3
        | Kind::SilenceOnly
        | Kind::MonoDoubled
        | Kind::Rate11025
        | Kind::Rate6000
        | Kind::SameSoundTwice
        | Kind::MediaGone => {}
    }
}

/// Stands in a text where `legacy/odd` writes half a character; of the private use area, so that it is nobody's.
pub(crate) const LONE_SURROGATE: &str = "\u{f8ff}";

/// An interaction's id as the source writes it.
pub(super) fn id_text(id: u64, planted: Option<Planted>) -> String {
    match planted.map(|planted| planted.kind) {
        Some(Kind::IdLeadingZeros) => format!("000{id}"),
        Some(Kind::IdNotANumber) => format!("C/{id} a"),
        Some(_) | None => id.to_string(),
    }
}

/// Start and end in reverse order.
pub(super) fn reverse(call: &mut Interaction) {
    std::mem::swap(&mut call.start_ms, &mut call.end_ms);
}

/// The node whose offset the plan declares, with it: what is to be added to a stated time, ms.
pub(super) fn declared_node(planted: Planted) -> Option<(String, i64)> {
    (planted.kind == Kind::DriftDeclared).then(|| (format!("SLOW-{}", planted.ms), planted.ms))
}

/// When a call begins that must lie at a certain moment, Unix ms.
pub(super) fn fixed_start_ms(kind: Kind, seed: Seed) -> Option<i64> {
    let within = |ms: u64| seed.child("start").below(ms) as i64;
    match kind {
        Kind::AmbiguousLocalHour => Some(REPEATED_HOUR_MS + within(1_200_000)),
        Kind::MissingLocalHour => Some(MISSING_HOUR_MS + within(1_200_000)),
        // The shortest call lasts 1.75 seconds.
        Kind::ClockChangeInside => Some(CLOCKS_BACK_MS - 200 - within(1000)),
        Kind::LeapDay => Some(LEAP_DAY_MS + within(3_600_000)),
        _ => None,
    }
}

/// How many legs the call needs for the fault to show.
pub(super) fn legs(kind: Kind) -> usize {
    match kind {
        Kind::SegmentsOverlap | Kind::SegmentsGap | Kind::SegmentsOutOfOrder | Kind::SameAgentTwice => 2,
        Kind::Conference => 3,
        _ => 1,
    }
}

/// What is wrong with the bytes.
pub(super) fn damage(kind: Kind) -> Damage {
    match kind {
        Kind::EmptyMedia => Damage::Empty,
        Kind::HtmlMedia => Damage::Html,
        Kind::JsonMedia => Damage::Json,
        Kind::NoiseMedia => Damage::Noise,
        Kind::UndecodableMedia => Damage::Undecodable,
        Kind::UnsupportedMedia => Damage::Unsupported,
        Kind::IncompleteMedia => Damage::ChannelsChange,
        Kind::TruncatedMedia => Damage::Truncated,
        Kind::ShortMedia => Damage::Short,
        Kind::WavLengthUnknown => Damage::LengthUnknown,
        Kind::WavLengthZero => Damage::LengthZero,
        Kind::WavLengthTooLong => Damage::LengthTooLong,
        Kind::WavListFirst => Damage::ListFirst,
        Kind::WavOddChunk => Damage::OddChunk,
        Kind::BytesAfterEnd => Damage::BytesAfterEnd,
        Kind::ZerosAfterEnd => Damage::ZerosAfterEnd,
        Kind::Id3BeforeMp3 => Damage::Id3,
        Kind::SilenceOnly => Damage::Silence,
        Kind::MonoDoubled => Damage::Doubled,
        _ => Damage::None,
    }
}

/// The codec the damage is made in. Absent: any.
pub(super) fn codec(kind: Kind) -> Option<SourceCodec> {
    match kind {
        // Their damage is made on a WAV file whose length follows from its bytes.
        Kind::TruncatedMedia
        | Kind::UndecodableMedia
        | Kind::UnsupportedMedia
        | Kind::WavLengthUnknown
        | Kind::WavLengthZero
        | Kind::WavLengthTooLong
        | Kind::WavListFirst
        | Kind::WavOddChunk
        | Kind::BytesAfterEnd
        | Kind::ZerosAfterEnd
        | Kind::MonoDoubled
        | Kind::Rate11025
        | Kind::Rate6000
        | Kind::SameSoundTwice
        | Kind::WrongCodecDeclared
        | Kind::WrongFormDeclared => Some(SourceCodec::Pcm),
        Kind::Id3BeforeMp3 | Kind::IncompleteMedia => Some(SourceCodec::Mp3),
        _ => None,
    }
}

/// Channels the fault needs. Absent: any number.
pub(super) fn channels(kind: Kind) -> Option<u16> {
    match kind {
        Kind::MonoDoubled => Some(2),
        Kind::SameSoundTwice | Kind::WrongFormDeclared => Some(1),
        _ => None,
    }
}

/// Hertz. Absent: telephony's.
pub(super) fn rate(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Rate11025 => Some(11_025),
        Kind::Rate6000 => Some(6_000),
        _ => None,
    }
}

/// Whether a pause must be there to be wrong.
pub(super) fn needs_pause(kind: Kind) -> bool {
    kind.row().on == ["world.pause"]
}

/// Whether the bytes or what is declared of them is wrong; a pause would be a second matter.
pub(super) fn is_of_media(kind: Kind) -> bool {
    kind.row().on == ["world.media"]
}

fn times(call: &mut Interaction, change: impl Fn(i64) -> i64) {
    (call.start_ms, call.end_ms) = (change(call.start_ms), change(call.end_ms));
}

/// Stamped by another clock, `slow_ms` slower than the one before.
fn by_clock(call: &mut Interaction, node: Option<String>, slow_ms: i64) {
    times(call, |ms| ms - slow_ms);
    for segment in &mut call.segments {
        (segment.start_ms, segment.end_ms) = (segment.start_ms - slow_ms, segment.end_ms - slow_ms);
    }
    for recording in &mut call.recordings {
        (recording.start_ms, recording.end_ms) = (recording.start_ms - slow_ms, recording.end_ms - slow_ms);
        recording.drift_ms += slow_ms;
        recording.recorder_node.clone_from(&node);
    }
    call.recorder_node = node;
}

fn texts(call: &mut Interaction, disposition: &str, skill_group: &str) {
    call.disposition_code = Some(disposition.to_owned());
    call.skill_group = Some(skill_group.to_owned());
}

fn customer(call: &mut Interaction, number: &str, masked: bool) {
    let slot = if call.inbound { &mut call.caller_number } else { &mut call.dialled_number };
    *slot = Some(PhoneNumber::new(number.to_owned()));
    call.numbers_masked = masked;
}

fn agents(call: &mut Interaction, change: impl Fn(&str) -> Option<String>) {
    let slots = call.segments.iter_mut().map(|segment| &mut segment.agent_id).chain([&mut call.agent_id]);
    slots.for_each(|slot| *slot = slot.as_deref().and_then(&change));
}

fn legs_of(call: &mut Interaction, kind: Kind) {
    const BETWEEN_MS: i64 = 5_000;
    let (start_ms, end_ms) = (call.segments[0].start_ms, call.segments[call.segments.len() - 1].end_ms);
    match kind {
        Kind::SegmentsMissing => {
            call.segments.clear();
            call.recordings.iter_mut().for_each(|recording| recording.segment_id = None);
        }
        Kind::SegmentsOverlap => call.segments[1].start_ms -= 500,
        Kind::SegmentsGap => {
            (call.segments[1].start_ms, call.segments[1].end_ms) = (call.segments[1].start_ms + BETWEEN_MS, end_ms + BETWEEN_MS);
            (call.end_ms, call.true_end_ms) = (call.end_ms + BETWEEN_MS, call.true_end_ms + BETWEEN_MS);
            let second = &mut call.recordings[1];
            (second.start_ms, second.end_ms) = (second.start_ms + BETWEEN_MS, second.end_ms + BETWEEN_MS);
        }
        Kind::SegmentsOutOfOrder => call.segments.swap(0, 1),
        Kind::SegmentReversed => (call.segments[0].start_ms, call.segments[0].end_ms) = (end_ms, start_ms),
        Kind::Conference => {
            call.segments.iter_mut().for_each(|segment| (segment.start_ms, segment.end_ms) = (start_ms, end_ms));
            call.recordings.truncate(1);
        }
        Kind::SameAgentTwice => call.segments[1].agent_id = call.segments[0].agent_id.clone(),
        _ => {}
    }
}

fn recorded(recording: &mut Recording, kind: Kind) {
    let length_ms = recording.declared_ms();
    let pause = |start_offset_ms, end_offset_ms| Pause { start_offset_ms, end_offset_ms, reason: "card_number".to_owned() };
    match kind {
        Kind::RecordingReversed => std::mem::swap(&mut recording.start_ms, &mut recording.end_ms),
        Kind::RecordingTimeZero => {
            recording.drift_ms += recording.start_ms;
            (recording.start_ms, recording.end_ms) = (0, recording.end_ms - recording.start_ms);
        }
        Kind::RecordingOutlastsCall => recording.end_ms += 5_000,
        Kind::RecordingOnUnknownSegment => recording.segment_id = Some(format!("{}-s9", recording.interaction_id)),
        Kind::RecordingIdOdd => recording.id.push_str("\u{e9} 1"),
        Kind::UnknownRetentionClass => recording.retention_class = Some("Until Further Notice".to_owned()),
        Kind::RetentionClassMissing => recording.retention_class = None,
        Kind::PausesOverlap => recording.pauses = vec![pause(400, 1_000), pause(800, 1_400)],
        Kind::PausePastEnd => recording.pauses = vec![pause(length_ms - 800, length_ms)],
        Kind::PauseEverything => recording.pauses = vec![pause(0, length_ms)],
        _ => {}
    }
}
