//! Wrong data of the source: a row a defect, with what is right for it and what it does to a call.
//! What is right is derived from docs/reference: match, mapping, plan, time and fields. A defect
//! that is only in how a call is written or served is in the folder of the legacy platform.

use schemars::JsonSchema;
use serde::Serialize;

use super::Interaction;
use super::corrupt_fields::{
    BEYOND_DOUBLE, CLOCKS_BACK_MS, FAR_FUTURE_MS, LEAP_DAY_MS, LONE_SURROGATE, MISSING_HOUR_MS,
    REPEATED_HOUR_MS, agents, by_clock, customer, no_texts, pause, recordings, second_leg_later,
    slow_node, texts, times, within,
};
use super::corrupt_media::{
    HTML, JSON, LIST, chunk_before_data, filled_up, length_never_filled_in, length_too_long,
    length_unknown, no_channels, noise, unknown_codec, with_id3, with_other_channels,
};
use super::people::Agent;
use super::settings::SourceCodec::{self, Mp3, Pcm};
use crate::outcome::Outcome::{self, Left, PassThrough, Quarantine, Repair, Skip};
use crate::outcome::Repair::{
    AmbiguousHourEarlier, DeclaredOffset, DefaultQueue, EndsSwapped, FallbackUser,
    MissingHourForward,
};
use crate::seed::Seed;
use Damage::{Doubled, File, Followed, Instead, Shortened, Silent};

/// One defect of the source's data.
pub(crate) struct DataDefect {
    pub(crate) kind: DomainKind,
    /// Its name in a scenario.
    pub(crate) name: &'static str,
    /// The place of the world that it is planted on.
    pub(crate) on: &'static [&'static str],
    /// What is wrong, in a sentence.
    pub(crate) effect: &'static str,
    /// What a sound migrator makes of it.
    pub(crate) outcome: Outcome,
    /// What the plan must say for that outcome, as TOML. Empty: any plan that fits by itself.
    pub(crate) plan: &'static str,
    /// Key of `[world]` that plants the same in passing. Absent: none does.
    pub(crate) knob: Option<&'static str>,
    /// Whether it has a length, the knob `ms`.
    pub(crate) takes_ms: bool,
    pub(super) making: Making,
}

/// What a defect does to a call while the world makes it. A row names what it needs; the rest is
/// [`WHOLE`]'s.
#[derive(Clone, Copy)]
pub(super) struct Making {
    /// When the call begins, given when it would begin and its own seed. Unix ms.
    pub(super) start_ms: fn(i64, Seed) -> i64,
    /// Legs it needs to show.
    pub(super) legs: usize,
    /// Codec it is made in. Absent: any.
    pub(super) codec: Option<SourceCodec>,
    /// Channels it needs. Absent: any number.
    pub(super) channels: Option<u16>,
    /// Hertz. Absent: telephony's.
    pub(super) rate: Option<u32>,
    /// All victims have the very same sound.
    pub(super) sounds_alike: bool,
    /// What is wrong with the bytes. Absent: nothing.
    pub(super) damage: Option<Damage>,
    /// Absent: any of the world's.
    pub(super) retention_class: Option<&'static str>,
    /// Whether its recordings are under legal hold. Absent: as the world's share says.
    pub(super) is_held: Option<bool>,
    /// Start and end of the call are stated in reverse order.
    pub(super) is_reversed: bool,
    /// The recorder node whose offset the plan declares, with the offset, ms; given the rule's
    /// `ms`. `None`: no node of its own.
    pub(super) declared_node: fn(i64) -> Option<(String, i64)>,
    /// The interaction's id as the source writes it.
    pub(super) id_text: fn(u64) -> String,
    /// Changes a call that is otherwise whole.
    pub(super) change: fn(&mut Interaction, &Scene<'_>),
}

/// A call in which nothing is wrong.
pub(super) const WHOLE: Making = Making {
    start_ms: |at, _| at,
    legs: 1,
    codec: None,
    channels: None,
    rate: None,
    sounds_alike: false,
    damage: None,
    retention_class: None,
    is_held: None,
    is_reversed: false,
    declared_node: |_| None,
    id_text: |id| id.to_string(),
    change: |_, _| {},
};

/// What is wrong with the bytes of a recording.
#[derive(Clone, Copy)]
pub(super) enum Damage {
    /// Other bytes stand in the place of the file.
    Instead(fn(Seed) -> Vec<u8>),
    /// The file is changed after it was written.
    File(fn(Vec<u8>, Seed) -> Vec<u8>),
    /// Behind the sound there is more, in a file of its own.
    Followed(fn(&audio::Pcm) -> audio::Pcm),
    /// There are so many milliseconds of sound, given those declared.
    Shortened(fn(u64) -> u64),
    /// Nothing is to be heard.
    Silent,
    /// One channel stands twice.
    Doubled,
}

/// What a change needs to know beside the call.
pub(super) struct Scene<'a> {
    pub(super) index: u64,
    /// The rule's knob.
    pub(super) ms: i64,
    /// Of the recorder that stamped the call.
    pub(super) drift_ms: i64,
    pub(super) agents: &'a [Agent],
}

/// The plan knows the zone of local text.
const ZONE: &str = "time.naive_zone = \"Europe/London\"";
/// The plan replaces numbers by a keyed hash; any secret serves as the key.
const HASHED: &str = "pii.phones = { hash = { file = \"secrets/source\" } }";
/// Calls whose retention has ended lie this long before the window: five-year class, so they end
/// two to three years before it.
const EXPIRED_BEFORE_MS: i64 = 8 * 365 * 86_400_000;
/// The class with five years.
const FIVE_YEARS: &str = super::generated::RETENTION_CLASSES[1].0;

macro_rules! defects {
    ($($kind:ident = $name:literal on $place:literal, $effect:literal => $outcome:expr $(, under $plan:expr)? $(, knob $knob:literal)? $(, with $ms:ident)? $(, { $($point:ident: $does:expr),* })?;)*) => {
        /// What is wrong with a call of the source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        pub enum DomainKind {
            $(#[doc = $effect] #[serde(rename = $name)] $kind,)*
        }

        /// Every defect, in the order of the kinds.
        pub(crate) static DEFECTS: &[DataDefect] = &[$(DataDefect {
            kind: DomainKind::$kind,
            name: $name,
            on: &[concat!("world.", $place)],
            effect: $effect,
            outcome: $outcome,
            plan: first(&[$($plan,)? ""]),
            knob: some(first(&[$($knob,)? ""])),
            takes_ms: !first(&[$(stringify!($ms),)? ""]).is_empty(),
            making: Making { $($($point: $does,)*)? ..WHOLE },
        }),*];
    };
}

const fn first(texts: &[&'static str]) -> &'static str {
    texts[0]
}

const fn some(text: &'static str) -> Option<&'static str> {
    if text.is_empty() { None } else { Some(text) }
}

defects! {
    // Times of the call (docs/reference/time.md).
    EndBeforeStart = "end_before_start" on "interaction", "the call's start and end stand in reverse order" => Repair(EndsSwapped), knob "reversed_share",
        { is_reversed: true };
    ZeroDuration = "zero_duration" on "interaction", "the call ends at the millisecond it begins, though it was recorded" => PassThrough,
        { change: |call, _| {
            call.end_ms = call.start_ms;
            call.true_end_ms = call.true_start_ms;
        } };
    EndMissing = "end_missing" on "interaction", "the call has no end" => Quarantine("time_unusable");
    SecondsForMilliseconds = "seconds_for_milliseconds" on "interaction", "times of the call are seconds where the source uses milliseconds" => Quarantine("time_unusable"),
        { change: |call, _| times(call, |ms| ms / 1000) };
    MicrosecondsForMilliseconds = "microseconds_for_milliseconds" on "interaction", "times of the call are microseconds" => Quarantine("time_unusable"),
        { change: |call, _| times(call, |ms| ms * 1000) };
    ZeroTime = "zero_time" on "interaction", "times of the call are 0" => Quarantine("time_unusable"),
        { change: |call, _| times(call, |_| 0) };
    NegativeTime = "negative_time" on "interaction", "times of the call are -1" => Quarantine("time_unusable"),
        { change: |call, _| times(call, |_| -1) };
    FarFutureTime = "far_future_time" on "interaction", "the call is of the year 2150" => Quarantine("time_unusable"),
        { change: |call, _| {
            let length_ms = call.end_ms - call.start_ms;
            (call.start_ms, call.end_ms) = (FAR_FUTURE_MS, FAR_FUTURE_MS + length_ms);
        } };
    TimeAsText = "time_as_text" on "interaction", "times of the call are text with an offset, `2024-03-01T12:00:00.000+02:00`" => PassThrough;
    LocalTimeWithoutZone = "local_time_without_zone" on "interaction", "times of the call are local text, and nobody says of which zone" => Quarantine("time_unusable");
    LocalTimeOfKnownZone = "local_time_of_known_zone" on "interaction", "times of the call are local text of a zone the plan names" => PassThrough, under ZONE;
    AmbiguousLocalHour = "ambiguous_local_hour" on "interaction", "times of the call are local text of the hour that exists twice" => Repair(AmbiguousHourEarlier), under ZONE,
        { start_ms: |_, seed| REPEATED_HOUR_MS + within(seed, 1_200_000) };
    MissingLocalHour = "missing_local_hour" on "interaction", "times of the call are local text of the hour that does not exist" => Repair(MissingHourForward), under ZONE,
        { start_ms: |_, seed| MISSING_HOUR_MS + within(seed, 1_200_000) };
    // The shortest call lasts 1.75 seconds.
    ClockChangeInside = "clock_change_inside" on "interaction", "the clocks go back while the call lasts" => PassThrough,
        { start_ms: |_, seed| CLOCKS_BACK_MS - 200 - within(seed, 1000) };
    LeapDay = "leap_day" on "interaction", "the call is of 29 February, so its deletion date has no such day" => PassThrough,
        { start_ms: |_, seed| LEAP_DAY_MS + within(seed, 3_600_000) };
    DriftUndeclared = "drift_undeclared" on "interaction", "the recorder's clock is slow by `ms`, and nobody declared it" => PassThrough, with MS,
        { change: |call, scene| by_clock(call, call.recorder_node.clone(), scene.ms) };
    DriftDeclared = "drift_declared" on "interaction", "the recorder's clock is slow by `ms`, and the plan declares it" => Repair(DeclaredOffset), knob "drift_ms", with MS,
        { declared_node: |ms| Some((slow_node(ms), ms)), change: |call, scene| by_clock(call, Some(slow_node(scene.ms)), scene.ms - scene.drift_ms) };
    UnknownRecorder = "unknown_recorder" on "interaction", "the recorder node is one that nobody declared anything of" => PassThrough,
        { change: |call, scene| by_clock(call, Some("N99".to_owned()), -scene.drift_ms) };
    WaitAndTalkDisagree = "wait_and_talk_disagree" on "interaction", "waiting and talking do not add up to the call" => PassThrough,
        { change: |call, _| call.talk_ms += 60_000 };
    NegativeWait = "negative_wait" on "interaction", "the waiting time is negative" => PassThrough,
        { change: |call, _| call.wait_ms = -5_000 };

    // What ties things together (docs/reference/identity.md, match.md).
    DuplicateOnNextPage = "duplicate_on_next_page" on "interaction", "the call is listed again, the same, on the next page" => PassThrough;
    IdCollision = "id_collision" on "interaction", "another call is listed under the same id on the next page" => Quarantine("id_collision");
    IdBeyondDouble = "id_beyond_double" on "interaction", "the id is a number beyond 2^53" => PassThrough,
        { change: |call, scene| {
            call.id = BEYOND_DOUBLE + 2 * scene.index;
            call.recordings.iter_mut().for_each(|recording| recording.interaction_id = call.id);
        } };
    IdLeadingZeros = "id_leading_zeros" on "interaction", "the id is text with zeros in front" => PassThrough,
        { id_text: |id| format!("000{id}") };
    IdAsText = "id_as_text" on "interaction", "the id is decimal text rather than a number" => PassThrough;
    IdNotANumber = "id_not_a_number" on "interaction", "the id is text with a letter, a slash and a space" => PassThrough,
        { id_text: |id| format!("C/{id} a") };

    // Words of the call (docs/reference/fields.md).
    UnknownDirection = "unknown_direction" on "interaction", "the direction is `INTERNAL`, which no target knows" => PassThrough;
    DirectionMissing = "direction_missing" on "interaction", "the call has no direction" => PassThrough;
    DirectionLetterCase = "direction_letter_case" on "interaction", "the direction is in lower case" => PassThrough;
    Mojibake = "mojibake" on "interaction", "texts were read in the wrong encoding: `RÃ©solu`" => PassThrough,
        { change: |call, _| texts(call, "RÃ©solu", "Ã‰quipe 1") };
    Emoji = "emoji" on "interaction", "texts hold characters beyond the basic plane" => PassThrough,
        { change: |call, _| texts(call, "RESOLVED \u{1f44d}", "Team \u{1f9ed}") };
    OverlongText = "overlong_text" on "interaction", "a text has three thousand characters" => PassThrough,
        { change: |call, _| texts(call, "RESOLVED", &"Billing and more ".repeat(180)) };
    ControlCharacters = "control_characters" on "interaction", "a text holds a tab, a line's end and an escape" => PassThrough,
        { change: |call, _| texts(call, "RE\tSOLVED", "Team\n1\u{1b}[0m") };
    NulCharacter = "nul_character" on "interaction", "a text holds a NUL" => PassThrough,
        { change: |call, _| texts(call, "RESOLVED\0", "Team 1") };
    LoneSurrogate = "lone_surrogate" on "interaction", "a text holds half a character: the escape \\ud83d alone" => PassThrough,
        { change: |call, _| texts(call, &format!("RESOLVED {LONE_SURROGATE}"), "Team 1") };
    EmptyTexts = "empty_texts" on "interaction", "texts that say nothing are empty rather than null" => PassThrough,
        { change: |call, _| {
            texts(call, "", "");
            (call.ivr_node_id, call.agent_extension) = (Some(String::new()), Some(String::new()));
        } };
    NullFields = "null_fields" on "interaction", "fields that say nothing are null" => PassThrough, { change: |call, _| no_texts(call) };
    AbsentFields = "absent_fields" on "interaction", "fields that say nothing are left out" => PassThrough,
        { change: |call, _| no_texts(call) };
    UnknownFields = "unknown_fields" on "interaction", "there are fields that no contract knows, one of them deep" => PassThrough;
    NumbersAsText = "numbers_as_text" on "interaction", "times and lengths are decimal text" => PassThrough;
    NumbersAsFloats = "numbers_as_floats" on "interaction", "times and lengths are written with a decimal point" => PassThrough;
    UnknownSkill = "unknown_skill" on "interaction", "the skill stands in no mapping: a declared loss" => PassThrough,
        { change: |call, _| call.skill = Some("SK-DISCONTINUED".to_owned()) };
    UnknownWrapUp = "unknown_wrap_up" on "interaction", "the wrap-up code stands in no mapping: carried as text" => PassThrough,
        { change: |call, _| call.wrap_up_code = Some("W-999".to_owned()) };

    // Numbers (docs/reference/fields.md, Phone numbers).
    PhoneMasked = "phone_masked" on "interaction", "the source shows the customer's number masked" => PassThrough, knob "masked_share",
        { change: |call, _| customer(call, "+1555****199", true) };
    PhoneNational = "phone_national" on "interaction", "the customer's number is in a national spelling" => PassThrough,
        { change: |call, _| customer(call, "(020) 7946 0018", false) };
    PhoneExtension = "phone_extension" on "interaction", "the customer is an extension" => PassThrough,
        { change: |call, _| customer(call, "4711", false) };
    PhoneSip = "phone_sip" on "interaction", "the customer is a SIP address" => PassThrough,
        { change: |call, _| customer(call, "sip:reception@example.org", false) };
    PhoneAnonymous = "phone_anonymous" on "interaction", "the customer is `anonymous`" => PassThrough,
        { change: |call, _| customer(call, "anonymous", false) };
    PhoneMissing = "phone_missing" on "interaction", "there is no number at all" => PassThrough,
        { change: |call, _| (call.caller_number, call.dialled_number) = (None, None) };
    PhoneUnhashable = "phone_unhashable" on "interaction", "the customer is an extension, and the plan asks for a hash over E.164" => Quarantine("pii_unprotectable"), under HASHED,
        { change: |call, _| customer(call, "4711", false) };

    // People and queues (docs/reference/mapping.md).
    UnknownAgent = "unknown_agent" on "agent", "the agent stands in no mapping, and the plan has a stand-in" => Repair(FallbackUser), knob "unmapped_agents",
        { change: |call, _| agents(call, |_| Some("AGT-GONE".to_owned())) };
    UnknownAgentWithoutFallback = "unknown_agent_without_fallback" on "agent", "the agent stands in no mapping, and the plan has no stand-in" => Quarantine("unmapped_agent"), under "rules.unmapped_agent = \"quarantine\"",
        { change: |call, _| agents(call, |_| Some("AGT-GONE".to_owned())) };
    AgentLetterCase = "agent_letter_case" on "agent", "the agent's id is in lower case: an id is what it is" => Repair(FallbackUser),
        { change: |call, _| agents(call, |id| Some(id.to_lowercase())) };
    AgentLeadingZeros = "agent_leading_zeros" on "agent", "the agent's id has a zero more" => Repair(FallbackUser),
        { change: |call, _| agents(call, |id| Some(id.replace("AGT-", "AGT-0"))) };
    AgentAsNumber = "agent_as_number" on "agent", "the agent's id is a number" => Repair(FallbackUser),
        { change: |call, _| agents(call, |_| Some("1024".to_owned())) };
    AgentMissing = "agent_missing" on "agent", "nobody took the call, and it was recorded" => PassThrough,
        { change: |call, _| {
            agents(call, |_| None);
            call.agent_extension = None;
        } };
    SharedExtension = "shared_extension" on "agent", "the call shows the extension of another agent" => PassThrough,
        { change: |call, scene| call.agent_extension = scene.agents.last().map(|agent| agent.extension.clone()) };
    UnknownQueue = "unknown_queue" on "queue", "the queue stands in no mapping, and the plan has a default" => Repair(DefaultQueue), knob "unmapped_queues",
        { change: |call, _| call.queue_id = Some("Q-CLOSED".to_owned()) };
    UnknownQueueSkipped = "unknown_queue_skipped" on "queue", "the queue stands in no mapping, and the plan leaves such calls" => Skip("unmapped_queue"), under "rules.unmapped_queue = \"skip\"",
        { change: |call, _| call.queue_id = Some("Q-CLOSED".to_owned()) };
    QueueLetterCase = "queue_letter_case" on "queue", "the queue's id is in lower case" => Repair(DefaultQueue),
        { change: |call, _| call.queue_id = call.queue_id.take().map(|id| id.to_lowercase()) };
    QueueAsNumber = "queue_as_number" on "queue", "the queue's id is a number" => Repair(DefaultQueue),
        { change: |call, _| call.queue_id = Some("17".to_owned()) };
    QueueMissing = "queue_missing" on "queue", "the call came through no queue" => PassThrough, { change: |call, _| call.queue_id = None };

    // Legs.
    SegmentsMissing = "segments_missing" on "segment", "no leg is listed, only the call's agent" => PassThrough,
        { change: |call, _| {
            call.segments.clear();
            recordings(call, |recording| recording.segment_id = None);
        } };
    SegmentsOverlap = "segments_overlap" on "segment", "the second leg begins before the first has ended" => PassThrough,
        { legs: 2, change: |call, _| call.segments[1].start_ms -= 500 };
    SegmentsGap = "segments_gap" on "segment", "between two legs nobody has the call" => PassThrough,
        { legs: 2, change: |call, _| second_leg_later(call, 5_000) };
    SegmentsOutOfOrder = "segments_out_of_order" on "segment", "the second leg is listed first" => PassThrough,
        { legs: 2, change: |call, _| call.segments.swap(0, 1) };
    SegmentReversed = "segment_reversed" on "segment", "a leg's start and end stand in reverse order" => Repair(EndsSwapped),
        { change: |call, _| {
            let leg = &mut call.segments[0];
            std::mem::swap(&mut leg.start_ms, &mut leg.end_ms);
        } };
    SegmentTimeMissing = "segment_time_missing" on "segment", "a leg has no times" => PassThrough;
    Conference = "conference" on "segment", "three agents have the call at once" => PassThrough,
        { legs: 3, change: |call, _| {
            let (start_ms, end_ms) = (call.segments[0].start_ms, call.segments[call.segments.len() - 1].end_ms);
            call.segments.iter_mut().for_each(|leg| (leg.start_ms, leg.end_ms) = (start_ms, end_ms));
            call.recordings.truncate(1);
        } };
    SameAgentTwice = "same_agent_twice" on "segment", "a call is transferred to the agent who has it" => PassThrough,
        { legs: 2, change: |call, _| call.segments[1].agent_id = call.segments[0].agent_id.clone() };

    // Recordings (docs/reference/match.md, plan.md).
    RecordingReversed = "recording_reversed" on "recording", "a recording's start and end stand in reverse order" => Repair(EndsSwapped),
        { change: |call, _| recordings(call, |recording| std::mem::swap(&mut recording.start_ms, &mut recording.end_ms)) };
    RecordingTimeZero = "recording_time_zero" on "recording", "a recording's times are 0" => Quarantine("time_unusable"),
        { change: |call, _| recordings(call, |recording| {
            recording.drift_ms += recording.start_ms;
            (recording.start_ms, recording.end_ms) = (0, recording.end_ms - recording.start_ms);
        }) };
    RecordingOutlastsCall = "recording_outlasts_call" on "recording", "a recording ends after its call" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.end_ms += 5_000) };
    RecordingOfAnotherCall = "recording_of_another_call" on "recording", "a recording says that it is of another call than the one that lists it" => Quarantine("id_collision");
    RecordingOnUnknownSegment = "recording_on_unknown_segment" on "recording", "a recording is of a leg that its call has not" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.segment_id = Some(format!("{}-s9", recording.interaction_id))) };
    RecordingIdOdd = "recording_id_odd" on "recording", "a recording's id holds a space and a letter with an accent" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.id.push_str("\u{e9} 1")) };
    RecordingGone = "recording_gone" on "recording", "a recording is listed, and asked for it is not there" => Left;
    UnknownRetentionClass = "unknown_retention_class" on "recording", "the plan has no years for the retention class: no deletion date is sent" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.retention_class = Some("Until Further Notice".to_owned())) };
    RetentionClassMissing = "retention_class_missing" on "recording", "a recording has no retention class" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.retention_class = None) };
    HeldAndExpired = "held_and_expired" on "recording", "a recording's retention ended years ago, and it is under legal hold" => PassThrough,
        { start_ms: |at, _| at - EXPIRED_BEFORE_MS, retention_class: Some(FIVE_YEARS), is_held: Some(true) };
    Expired = "expired" on "recording", "a recording's retention ended years ago" => Skip("expired"), knob "expired",
        { start_ms: |at, _| at - EXPIRED_BEFORE_MS, retention_class: Some(FIVE_YEARS), is_held: Some(false) };

    // Pauses (docs/reference/plan.md).
    PauseAfterEnd = "pause_after_end" on "pause", "a pause lies behind the end of the sound" => Quarantine("pii_unprotectable");
    PauseReversed = "pause_reversed" on "pause", "a pause ends before it begins" => Quarantine("pii_unprotectable");
    PauseNegative = "pause_negative" on "pause", "a pause begins before the sound" => Quarantine("pii_unprotectable");
    PauseEmpty = "pause_empty" on "pause", "a pause has no length" => Quarantine("pii_unprotectable");
    PauseWithoutEnd = "pause_without_end" on "pause", "a pause has no end" => Quarantine("pii_unprotectable");
    PausesOverlap = "pauses_overlap" on "pause", "two pauses overlap" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.pauses = vec![pause(400, 1_000), pause(800, 1_400)]) };
    PausePastEnd = "pause_past_end" on "pause", "a pause begins inside the sound and ends behind it" => PassThrough,
        { change: |call, _| recordings(call, |recording| {
            let length_ms = recording.declared_ms();
            recording.pauses = vec![pause(length_ms - 800, length_ms)];
        }) };
    PauseEverything = "pause_everything" on "pause", "a pause covers the whole recording" => PassThrough,
        { change: |call, _| recordings(call, |recording| recording.pauses = vec![pause(0, recording.declared_ms())]) };

    // Media (docs/reference/match.md).
    EmptyMedia = "empty_media" on "media", "zero bytes" => Quarantine("audio_empty"), knob "bad_media.empty",
        { damage: Some(Instead(|_| Vec::new())) };
    HtmlMedia = "html_media" on "media", "an HTML error page instead of sound" => Quarantine("audio_not_audio"), knob "bad_media.html",
        { damage: Some(Instead(|_| HTML.to_vec())) };
    JsonMedia = "json_media" on "media", "a JSON error instead of sound" => Quarantine("audio_not_audio"),
        { damage: Some(Instead(|_| JSON.to_vec())) };
    NoiseMedia = "noise_media" on "media", "random bytes" => Quarantine("audio_not_audio"), knob "bad_media.noise",
        { damage: Some(Instead(|seed| noise(seed, 4096 + seed.below(8192)))) };
    UndecodableMedia = "undecodable_media" on "media", "a WAV file whose header says that it has no channels" => Quarantine("audio_undecodable"), knob "bad_media.undecodable",
        { codec: Some(Pcm), damage: Some(Instead(no_channels)) };
    UnsupportedMedia = "unsupported_media" on "media", "a WAV file in a codec nobody has" => Quarantine("audio_unsupported"), knob "bad_media.unsupported",
        { codec: Some(Pcm), damage: Some(Instead(unknown_codec)) };
    IncompleteMedia = "incomplete_media" on "media", "an MP3 of the declared length, and behind it as much with another number of channels" => Quarantine("audio_short"), knob "bad_media.incomplete",
        { codec: Some(Mp3), damage: Some(Followed(with_other_channels)) };
    TruncatedMedia = "truncated_media" on "media", "a file cut off at a third: its header promises more" => Quarantine("audio_short"), knob "bad_media.truncated",
        { codec: Some(Pcm), damage: Some(File(|bytes, _| bytes[..bytes.len() / 3].to_vec())) };
    ShortMedia = "short_media" on "media", "a file that is complete in itself and holds a third of the declared length" => Quarantine("audio_short"), knob "bad_media.short",
        { damage: Some(Shortened(|declared_ms| declared_ms / 3 / 40 * 40)) };
    DeclaredTooLong = "declared_too_long" on "media", "the declared length is twice the sound's" => Quarantine("audio_short");
    DeclaredTooShort = "declared_too_short" on "media", "the declared length is half the sound's" => PassThrough;
    WrongCodecDeclared = "wrong_codec_declared" on "media", "an MP3 is declared, the file is a WAV" => PassThrough, { codec: Some(Pcm) };
    WrongSizeDeclared = "wrong_size_declared" on "media", "the declared size is not the file's" => PassThrough;
    SizeMissing = "size_missing" on "media", "the source does not know the file's size" => PassThrough;
    WrongFormDeclared = "wrong_form_declared" on "media", "stereo at 44,100 Hz is declared, the file is mono at 8,000" => PassThrough,
        { codec: Some(Pcm), channels: Some(1) };
    WavLengthUnknown = "wav_length_unknown" on "media", "a WAV whose header gives no length: 0xFFFFFFFF, as a stream is written" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| length_unknown(bytes))) };
    WavLengthZero = "wav_length_zero" on "media", "a WAV whose header was never filled in: it says that there are 0 bytes of sound" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| length_never_filled_in(bytes))) };
    WavLengthTooLong = "wav_length_too_long" on "media", "a WAV whose header promises a little more data than there is" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| length_too_long(bytes))) };
    WavListFirst = "wav_list_first" on "media", "a WAV with a LIST chunk before its data" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| chunk_before_data(bytes, b"LIST", LIST))) };
    WavOddChunk = "wav_odd_chunk" on "media", "a WAV with a chunk of odd length, padded, before its data" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| chunk_before_data(bytes, b"note", b"seventh"))) };
    BytesAfterEnd = "bytes_after_end" on "media", "a WAV with garbage behind its end" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, seed| [bytes, noise(seed.child("after"), 336)].concat())) };
    ZerosAfterEnd = "zeros_after_end" on "media", "a file filled up with zeros to the next 4 KiB" => PassThrough,
        { codec: Some(Pcm), damage: Some(File(|bytes, _| filled_up(bytes))) };
    Id3BeforeMp3 = "id3_before_mp3" on "media", "an MP3 with an ID3 tag in front" => PassThrough,
        { codec: Some(Mp3), damage: Some(File(|bytes, _| with_id3(&bytes))) };
    SilenceOnly = "silence_only" on "media", "nothing is to be heard" => PassThrough, { damage: Some(Silent) };
    MonoDoubled = "mono_doubled" on "media", "one channel stands twice" => PassThrough,
        { codec: Some(Pcm), channels: Some(2), damage: Some(Doubled) };
    Rate11025 = "rate_11025" on "media", "11,025 samples a second" => PassThrough, { codec: Some(Pcm), rate: Some(11_025) };
    Rate6000 = "rate_6000" on "media", "6,000 samples a second, which no MP3 can hold: it goes as WAV" => PassThrough,
        { codec: Some(Pcm), rate: Some(6_000) };
    SameSoundTwice = "same_sound_twice" on "media", "all victims have the very same file" => PassThrough,
        { codec: Some(Pcm), channels: Some(1), sounds_alike: true };
    MediaGone = "media_gone" on "media", "the recording is there, its file is not" => Left;
}

impl DomainKind {
    /// Its row.
    pub(crate) fn defect(self) -> &'static DataDefect {
        // The rows stand in the order of the kinds.
        &DEFECTS[self as usize]
    }

    pub(super) fn making(self) -> &'static Making {
        &self.defect().making
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_leads_to_its_row() {
        assert!(DEFECTS.len() >= 40, "{}", DEFECTS.len());
        for defect in DEFECTS {
            assert_eq!(defect.kind.defect().name, defect.name);
            assert!(
                !matches!(defect.outcome, Outcome::Survivable(_)),
                "{}: wrong data does not heal",
                defect.name
            );
        }
    }
}
