//! The domain layer of the fault table: the source's own data is wrong. Each row says where it is planted and what is right for it, derived from
//! docs/reference: match, mapping, plan, time and fields. What such a call looks like is in `world/corrupt_fields.rs` (values),
//! `world/corrupt_media.rs` (bytes) and `platforms/legacy/corrupt_json.rs` (how it is written).

use schemars::JsonSchema;
use serde::Serialize;

use super::outcome::Outcome::{self, Left, PassThrough, Quarantine, Repair, Skip};
use super::outcome::Repair::{AmbiguousHourEarlier, DeclaredOffset, DefaultQueue, EndsSwapped, FallbackUser, MissingHourForward};
use super::table::{FaultKind, Knob, Layer, MS, Row};

/// Victims of a domain fault are counted rather than met.
const COUNT: Knob = Knob { name: "count", unit: "interactions", default: "all, or what `share` or `keys` say" };

/// The plan knows the zone of local text.
const ZONE: &str = "time.naive_zone = \"Europe/London\"";
/// The plan replaces numbers by a keyed hash; any secret serves as the key.
const HASHED: &str = "pii.phones = { hash = { file = \"secrets/source\" } }";

macro_rules! domain {
    ($($kind:ident = $name:literal on $place:literal, $effect:literal => $outcome:expr $(, under $plan:expr)? $(, knob $knob:literal)? $(, with $ms:ident)?;)*) => {
        /// What is wrong with a call of the source.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        pub enum DomainKind {
            $(#[doc = $effect] #[serde(rename = $name)] $kind,)*
        }

        /// Its rows.
        pub(super) static DOMAIN: &[Row] = &[$(Row {
            kind: FaultKind::Domain(DomainKind::$kind),
            name: $name,
            layer: Layer::Domain,
            knobs: &[COUNT $(, $ms)?],
            on: &[concat!("world.", $place)],
            effect: $effect,
            outcome: $outcome,
            plan: first(&[$($plan,)? ""]),
            knob: some(first(&[$($knob,)? ""])),
        }),*];
    };
}

const fn first(texts: &[&'static str]) -> &'static str {
    texts[0]
}

const fn some(text: &'static str) -> Option<&'static str> {
    if text.is_empty() { None } else { Some(text) }
}

domain! {
    // Times of the call (docs/reference/time.md).
    EndBeforeStart = "end_before_start" on "interaction", "the call's start and end stand in reverse order" => Repair(EndsSwapped), knob "reversed_share";
    ZeroDuration = "zero_duration" on "interaction", "the call ends at the millisecond it begins, though it was recorded" => PassThrough;
    EndMissing = "end_missing" on "interaction", "the call has no end" => Quarantine("time_unusable");
    SecondsForMilliseconds = "seconds_for_milliseconds" on "interaction", "times of the call are seconds where the source uses milliseconds" => Quarantine("time_unusable");
    MicrosecondsForMilliseconds = "microseconds_for_milliseconds" on "interaction", "times of the call are microseconds" => Quarantine("time_unusable");
    ZeroTime = "zero_time" on "interaction", "times of the call are 0" => Quarantine("time_unusable");
    NegativeTime = "negative_time" on "interaction", "times of the call are -1" => Quarantine("time_unusable");
    FarFutureTime = "far_future_time" on "interaction", "the call is of the year 2150" => Quarantine("time_unusable");
    TimeAsText = "time_as_text" on "interaction", "times of the call are text with an offset, `2024-03-01T12:00:00.000+02:00`" => PassThrough;
    LocalTimeWithoutZone = "local_time_without_zone" on "interaction", "times of the call are local text, and nobody says of which zone" => Quarantine("time_unusable");
    LocalTimeOfKnownZone = "local_time_of_known_zone" on "interaction", "times of the call are local text of a zone the plan names" => PassThrough, under ZONE;
    AmbiguousLocalHour = "ambiguous_local_hour" on "interaction", "times of the call are local text of the hour that exists twice" => Repair(AmbiguousHourEarlier), under ZONE;
    MissingLocalHour = "missing_local_hour" on "interaction", "times of the call are local text of the hour that does not exist" => Repair(MissingHourForward), under ZONE;
    ClockChangeInside = "clock_change_inside" on "interaction", "the clocks go back while the call lasts" => PassThrough;
    LeapDay = "leap_day" on "interaction", "the call is of 29 February, so its deletion date has no such day" => PassThrough;
    DriftUndeclared = "drift_undeclared" on "interaction", "the recorder's clock is slow by `ms`, and nobody declared it" => PassThrough, with MS;
    DriftDeclared = "drift_declared" on "interaction", "the recorder's clock is slow by `ms`, and the plan declares it" => Repair(DeclaredOffset), knob "drift_ms", with MS;
    UnknownRecorder = "unknown_recorder" on "interaction", "the recorder node is one that nobody declared anything of" => PassThrough;
    WaitAndTalkDisagree = "wait_and_talk_disagree" on "interaction", "waiting and talking do not add up to the call" => PassThrough;
    NegativeWait = "negative_wait" on "interaction", "the waiting time is negative" => PassThrough;

    // What ties things together (docs/reference/identity.md, match.md).
    DuplicateOnNextPage = "duplicate_on_next_page" on "interaction", "the call is listed again, the same, on the next page" => PassThrough;
    IdCollision = "id_collision" on "interaction", "another call is listed under the same id on the next page" => Quarantine("id_collision");
    IdBeyondDouble = "id_beyond_double" on "interaction", "the id is a number beyond 2^53" => PassThrough;
    IdLeadingZeros = "id_leading_zeros" on "interaction", "the id is text with zeros in front" => PassThrough;
    IdAsText = "id_as_text" on "interaction", "the id is decimal text rather than a number" => PassThrough;
    IdNotANumber = "id_not_a_number" on "interaction", "the id is text with a letter, a slash and a space" => PassThrough;

    // Words of the call (docs/reference/fields.md).
    UnknownDirection = "unknown_direction" on "interaction", "the direction is `INTERNAL`, which no target knows" => PassThrough;
    DirectionMissing = "direction_missing" on "interaction", "the call has no direction" => PassThrough;
    DirectionLetterCase = "direction_letter_case" on "interaction", "the direction is in lower case" => PassThrough;
    Mojibake = "mojibake" on "interaction", "texts were read in the wrong encoding: `RÃ©solu`" => PassThrough;
    Emoji = "emoji" on "interaction", "texts hold characters beyond the basic plane" => PassThrough;
    OverlongText = "overlong_text" on "interaction", "a text has three thousand characters" => PassThrough;
    ControlCharacters = "control_characters" on "interaction", "a text holds a tab, a line's end and an escape" => PassThrough;
    NulCharacter = "nul_character" on "interaction", "a text holds a NUL" => PassThrough;
    LoneSurrogate = "lone_surrogate" on "interaction", "a text holds half a character: the escape \\ud83d alone" => PassThrough;
    EmptyTexts = "empty_texts" on "interaction", "texts that say nothing are empty rather than null" => PassThrough;
    NullFields = "null_fields" on "interaction", "fields that say nothing are null" => PassThrough;
    AbsentFields = "absent_fields" on "interaction", "fields that say nothing are left out" => PassThrough;
    UnknownFields = "unknown_fields" on "interaction", "there are fields that no contract knows, one of them deep" => PassThrough;
    NumbersAsText = "numbers_as_text" on "interaction", "times and lengths are decimal text" => PassThrough;
    NumbersAsFloats = "numbers_as_floats" on "interaction", "times and lengths are written with a decimal point" => PassThrough;
    UnknownSkill = "unknown_skill" on "interaction", "the skill stands in no mapping: a declared loss" => PassThrough;
    UnknownWrapUp = "unknown_wrap_up" on "interaction", "the wrap-up code stands in no mapping: carried as text" => PassThrough;

    // Numbers (docs/reference/fields.md, Phone numbers).
    PhoneMasked = "phone_masked" on "interaction", "the source shows the customer's number masked" => PassThrough, knob "masked_share";
    PhoneNational = "phone_national" on "interaction", "the customer's number is in a national spelling" => PassThrough;
    PhoneExtension = "phone_extension" on "interaction", "the customer is an extension" => PassThrough;
    PhoneSip = "phone_sip" on "interaction", "the customer is a SIP address" => PassThrough;
    PhoneAnonymous = "phone_anonymous" on "interaction", "the customer is `anonymous`" => PassThrough;
    PhoneMissing = "phone_missing" on "interaction", "there is no number at all" => PassThrough;
    PhoneUnhashable = "phone_unhashable" on "interaction", "the customer is an extension, and the plan asks for a hash over E.164" => Quarantine("pii_unprotectable"), under HASHED;

    // People and queues (docs/reference/mapping.md).
    UnknownAgent = "unknown_agent" on "agent", "the agent stands in no mapping, and the plan has a stand-in" => Repair(FallbackUser), knob "unmapped_agents";
    UnknownAgentWithoutFallback = "unknown_agent_without_fallback" on "agent", "the agent stands in no mapping, and the plan has no stand-in" => Quarantine("unmapped_agent"), under "rules.unmapped_agent = \"quarantine\"";
    AgentLetterCase = "agent_letter_case" on "agent", "the agent's id is in lower case: an id is what it is" => Repair(FallbackUser);
    AgentLeadingZeros = "agent_leading_zeros" on "agent", "the agent's id has a zero more" => Repair(FallbackUser);
    AgentAsNumber = "agent_as_number" on "agent", "the agent's id is a number" => Repair(FallbackUser);
    AgentMissing = "agent_missing" on "agent", "nobody took the call, and it was recorded" => PassThrough;
    SharedExtension = "shared_extension" on "agent", "the call shows the extension of another agent" => PassThrough;
    UnknownQueue = "unknown_queue" on "queue", "the queue stands in no mapping, and the plan has a default" => Repair(DefaultQueue), knob "unmapped_queues";
    UnknownQueueSkipped = "unknown_queue_skipped" on "queue", "the queue stands in no mapping, and the plan leaves such calls" => Skip("unmapped_queue"), under "rules.unmapped_queue = \"skip\"";
    QueueLetterCase = "queue_letter_case" on "queue", "the queue's id is in lower case" => Repair(DefaultQueue);
    QueueAsNumber = "queue_as_number" on "queue", "the queue's id is a number" => Repair(DefaultQueue);
    QueueMissing = "queue_missing" on "queue", "the call came through no queue" => PassThrough;

    // Legs.
    SegmentsMissing = "segments_missing" on "segment", "no leg is listed, only the call's agent" => PassThrough;
    SegmentsOverlap = "segments_overlap" on "segment", "the second leg begins before the first has ended" => PassThrough;
    SegmentsGap = "segments_gap" on "segment", "between two legs nobody has the call" => PassThrough;
    SegmentsOutOfOrder = "segments_out_of_order" on "segment", "the second leg is listed first" => PassThrough;
    SegmentReversed = "segment_reversed" on "segment", "a leg's start and end stand in reverse order" => Repair(EndsSwapped);
    SegmentTimeMissing = "segment_time_missing" on "segment", "a leg has no times" => PassThrough;
    Conference = "conference" on "segment", "three agents have the call at once" => PassThrough;
    SameAgentTwice = "same_agent_twice" on "segment", "a call is transferred to the agent who has it" => PassThrough;

    // Recordings (docs/reference/match.md, plan.md).
    RecordingReversed = "recording_reversed" on "recording", "a recording's start and end stand in reverse order" => Repair(EndsSwapped);
    RecordingTimeZero = "recording_time_zero" on "recording", "a recording's times are 0" => Quarantine("time_unusable");
    RecordingOutlastsCall = "recording_outlasts_call" on "recording", "a recording ends after its call" => PassThrough;
    RecordingOfAnotherCall = "recording_of_another_call" on "recording", "a recording says that it is of another call than the one that lists it" => Quarantine("id_collision");
    RecordingOnUnknownSegment = "recording_on_unknown_segment" on "recording", "a recording is of a leg that its call has not" => PassThrough;
    RecordingIdOdd = "recording_id_odd" on "recording", "a recording's id holds a space and a letter with an accent" => PassThrough;
    RecordingGone = "recording_gone" on "recording", "a recording is listed, and asked for it is not there" => Left;
    UnknownRetentionClass = "unknown_retention_class" on "recording", "the plan has no years for the retention class: no deletion date is sent" => PassThrough;
    RetentionClassMissing = "retention_class_missing" on "recording", "a recording has no retention class" => PassThrough;
    HeldAndExpired = "held_and_expired" on "recording", "a recording's retention ended years ago, and it is under legal hold" => PassThrough;
    Expired = "expired" on "recording", "a recording's retention ended years ago" => Skip("expired"), knob "expired";

    // Pauses (docs/reference/plan.md).
    PauseAfterEnd = "pause_after_end" on "pause", "a pause lies behind the end of the sound" => Quarantine("pii_unprotectable");
    PauseReversed = "pause_reversed" on "pause", "a pause ends before it begins" => Quarantine("pii_unprotectable");
    PauseNegative = "pause_negative" on "pause", "a pause begins before the sound" => Quarantine("pii_unprotectable");
    PauseEmpty = "pause_empty" on "pause", "a pause has no length" => Quarantine("pii_unprotectable");
    PauseWithoutEnd = "pause_without_end" on "pause", "a pause has no end" => Quarantine("pii_unprotectable");
    PausesOverlap = "pauses_overlap" on "pause", "two pauses overlap" => PassThrough;
    PausePastEnd = "pause_past_end" on "pause", "a pause begins inside the sound and ends behind it" => PassThrough;
    PauseEverything = "pause_everything" on "pause", "a pause covers the whole recording" => PassThrough;

    // Media (docs/reference/match.md).
    EmptyMedia = "empty_media" on "media", "zero bytes" => Quarantine("audio_empty"), knob "bad_media.empty";
    HtmlMedia = "html_media" on "media", "an HTML error page instead of sound" => Quarantine("audio_not_audio"), knob "bad_media.html";
    JsonMedia = "json_media" on "media", "a JSON error instead of sound" => Quarantine("audio_not_audio");
    NoiseMedia = "noise_media" on "media", "random bytes" => Quarantine("audio_not_audio"), knob "bad_media.noise";
    UndecodableMedia = "undecodable_media" on "media", "a WAV file whose header says that it has no channels" => Quarantine("audio_undecodable"), knob "bad_media.undecodable";
    UnsupportedMedia = "unsupported_media" on "media", "a WAV file in a codec nobody has" => Quarantine("audio_unsupported"), knob "bad_media.unsupported";
    IncompleteMedia = "incomplete_media" on "media", "an MP3 of the declared length, and behind it as much with another number of channels" => Quarantine("audio_short"), knob "bad_media.incomplete";
    TruncatedMedia = "truncated_media" on "media", "a file cut off at a third: its header promises more" => Quarantine("audio_short"), knob "bad_media.truncated";
    ShortMedia = "short_media" on "media", "a file that is complete in itself and holds a third of the declared length" => Quarantine("audio_short"), knob "bad_media.short";
    DeclaredTooLong = "declared_too_long" on "media", "the declared length is twice the sound's" => Quarantine("audio_short");
    DeclaredTooShort = "declared_too_short" on "media", "the declared length is half the sound's" => PassThrough;
    WrongCodecDeclared = "wrong_codec_declared" on "media", "an MP3 is declared, the file is a WAV" => PassThrough;
    WrongSizeDeclared = "wrong_size_declared" on "media", "the declared size is not the file's" => PassThrough;
    SizeMissing = "size_missing" on "media", "the source does not know the file's size" => PassThrough;
    WrongFormDeclared = "wrong_form_declared" on "media", "stereo at 44,100 Hz is declared, the file is mono at 8,000" => PassThrough;
    WavLengthUnknown = "wav_length_unknown" on "media", "a WAV whose header gives no length: 0xFFFFFFFF, as a stream is written" => PassThrough;
    WavLengthZero = "wav_length_zero" on "media", "a WAV whose header was never filled in: it says that there are 0 bytes of sound" => PassThrough;
    WavLengthTooLong = "wav_length_too_long" on "media", "a WAV whose header promises a little more data than there is" => PassThrough;
    WavListFirst = "wav_list_first" on "media", "a WAV with a LIST chunk before its data" => PassThrough;
    WavOddChunk = "wav_odd_chunk" on "media", "a WAV with a chunk of odd length, padded, before its data" => PassThrough;
    BytesAfterEnd = "bytes_after_end" on "media", "a WAV with garbage behind its end" => PassThrough;
    ZerosAfterEnd = "zeros_after_end" on "media", "a file filled up with zeros to the next 4 KiB" => PassThrough;
    Id3BeforeMp3 = "id3_before_mp3" on "media", "an MP3 with an ID3 tag in front" => PassThrough;
    SilenceOnly = "silence_only" on "media", "nothing is to be heard" => PassThrough;
    MonoDoubled = "mono_doubled" on "media", "one channel stands twice" => PassThrough;
    Rate11025 = "rate_11025" on "media", "11,025 samples a second" => PassThrough;
    Rate6000 = "rate_6000" on "media", "6,000 samples a second, which no MP3 can hold: it goes as WAV" => PassThrough;
    SameSoundTwice = "same_sound_twice" on "media", "all victims have the very same file" => PassThrough;
    MediaGone = "media_gone" on "media", "the recording is there, its file is not" => Left;
}

impl DomainKind {
    /// Its row.
    pub fn row(self) -> &'static Row {
        FaultKind::Domain(self).row()
    }

    /// What is right for a victim.
    pub fn outcome(self) -> Outcome {
        self.row().outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_forty_and_each_says_what_is_right() {
        assert!(DOMAIN.len() >= 40, "{}", DOMAIN.len());
        for row in DOMAIN {
            match row.outcome {
                Quarantine(_) | Skip(_) | Repair(_) | PassThrough | Left => {}
                Outcome::Survivable(_) => panic!("{}: wrong data does not heal", row.name),
            }
        }
    }
}
