//! The source's JSON, field by field. Source: scenarios/contracts/legacy; how one value may be
//! spelled: `super::spelling`.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::spelling::{Fields, text_of};
pub use super::spelling::{Unreadable, whole_number};

/// An interaction as the query lists it.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// An integer in the source; decimal text here, because it may exceed what a JSON number keeps.
    pub id: String,
    /// Start as the recorder's clock had it.
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub end_time: SourceTime,
    /// Time in queue. Milliseconds.
    pub wait_time_ms: Option<i64>,
    /// Time in conversation. Milliseconds.
    pub talk_time_ms: Option<i64>,
    /// `INBOUND` or `OUTBOUND`.
    pub direction: Option<String>,
    /// First agent.
    pub agent_id: Option<String>,
    /// Extension, shared by several agents: never an identity.
    pub agent_extension: Option<String>,
    /// Queue.
    pub queue_id: Option<String>,
    /// Skill that was asked for.
    pub skill: Option<String>,
    /// Name of the skill group.
    pub skill_group: Option<String>,
    /// IVR node the call came through.
    pub ivr_node_id: Option<String>,
    /// Outcome.
    pub disposition_code: Option<String>,
    /// Wrap-up code.
    pub wrap_up_code: Option<String>,
    /// Number that called, raw or masked.
    pub caller_number: Option<String>,
    /// Number that was called, raw or masked.
    pub dialled_number: Option<String>,
    /// Whether the numbers above are masked.
    pub numbers_masked: Option<bool>,
    /// Recorder whose clock stamped the times.
    pub recorder_node: Option<String>,
    /// Legs, in order.
    pub segments: Vec<Segment>,
    /// Recordings, in order.
    pub recordings: Vec<RecordingRef>,
    /// Names of lengths above that had a fraction of a millisecond in the source, and are rounded.
    pub rounded: Vec<String>,
}

/// What ties an interaction and its recordings together, as far as it can be read, and nothing else
/// of it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Interaction, decimal text. The error says why it has none.
    pub id: Result<String, Unreadable>,
    /// Ids of its recordings, in order; those that have none are left out.
    pub recordings: Vec<String>,
}

/// One leg of an interaction.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Leg.
    pub id: String,
    /// Agent of this leg.
    pub agent_id: Option<String>,
    /// Start as the recorder's clock had it.
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub end_time: SourceTime,
}

/// A recording as the query names it.
#[derive(Debug, Clone)]
pub struct RecordingRef {
    /// Recording.
    pub id: String,
    /// Leg it was made on.
    pub segment_id: Option<String>,
}

/// A recording's own answer.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Recording.
    pub id: String,
    /// Interaction it belongs to.
    pub interaction_id: String,
    /// Leg it was made on.
    pub segment_id: Option<String>,
    /// Start as the recorder's clock had it.
    pub start_time: SourceTime,
    /// End as the recorder's clock had it.
    pub end_time: SourceTime,
    /// Length the source declares. Milliseconds.
    pub duration_ms: Option<i64>,
    /// Codec the source declares; it may be wrong.
    pub codec: Option<String>,
    /// Media type the source declares; it may be wrong.
    pub content_type: Option<String>,
    /// Channels the source declares.
    pub channels: Option<u16>,
    /// Who speaks on each channel, in order: agent, customer, mixed.
    pub channel_roles: Vec<String>,
    /// Sampling rate the source declares. Hertz.
    pub sample_rate: Option<u32>,
    /// Size the source declares. Bytes. Absent: it does not know, or says so by a negative number.
    pub size_bytes: Option<u64>,
    /// Original file name.
    pub file_name: Option<String>,
    /// Recorder whose clock stamped the times.
    pub recorder_node: Option<String>,
    /// Stretches in which a card number or the like was read.
    pub pauses: Vec<Pause>,
    /// Retention class by name.
    pub retention_class: Option<String>,
    /// Must not be deleted.
    pub legal_hold: bool,
    /// Where the bytes are: absolute or relative to the API. Absent: at the API's own address for
    /// them.
    pub media_url: Option<String>,
    /// Names of lengths above that had a fraction of a millisecond in the source, and are rounded.
    pub rounded: Vec<String>,
}

/// A stretch of a recording, from its own start.
#[derive(Debug, Clone)]
pub struct Pause {
    /// First millisecond. Absent: the source does not say.
    pub start_offset_ms: Option<i64>,
    /// First millisecond after it. Absent: the source does not say.
    pub end_offset_ms: Option<i64>,
    /// Why, e.g. `card_number`.
    pub reason: Option<String>,
}

/// A user of the source.
#[derive(Debug, Clone)]
pub struct User {
    /// Agent id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Extension.
    pub extension: Option<String>,
    /// Still employed.
    pub active: Option<bool>,
}

/// A queue of the source.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Queue id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
}

/// A time as the source states it. Nothing is read into it here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SourceTime {
    /// Not given.
    #[default]
    Absent,
    /// A whole number since 1970, in the unit the plan names.
    Number(i64),
    /// Anything else, as text.
    Text(String),
}

impl std::fmt::Display for SourceTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SourceTime::Absent => f.write_str(""),
            SourceTime::Number(number) => write!(f, "{number}"),
            SourceTime::Text(text) => f.write_str(text),
        }
    }
}

impl Interaction {
    /// Reads an entity of the query.
    ///
    /// # Errors
    ///
    /// It is no JSON object, gives neither start nor end and so is not the record of a call, or a
    /// field holds what cannot be read ([`Unreadable`]).
    pub fn read(json: &str) -> Result<Interaction, Unreadable> {
        let fields = Fields::of(json)?;
        let [start_time, end_time] = fields.times()?;
        Ok(Interaction {
            id: fields.id("id")?,
            start_time,
            end_time,
            wait_time_ms: fields.length_ms("waitTimeMs")?,
            talk_time_ms: fields.length_ms("talkTimeMs")?,
            direction: fields.text("direction")?,
            agent_id: fields.optional_id("agentId")?,
            // What identifies nothing and is compared with nothing makes no call unreadable.
            agent_extension: fields.text("agentExtension").unwrap_or_default(),
            queue_id: fields.optional_id("queueId")?,
            skill: fields.text("skill")?,
            skill_group: fields.text("skillGroup")?,
            ivr_node_id: fields.text("ivrNodeId")?,
            disposition_code: fields.text("dispositionCode")?,
            wrap_up_code: fields.text("wrapUpCode")?,
            caller_number: fields.text("callerNumber")?,
            dialled_number: fields.text("dialledNumber")?,
            numbers_masked: fields.boolean("numbersMasked").unwrap_or_default(),
            recorder_node: fields.text("recorderNode")?,
            segments: fields.list("segments", Segment::read)?,
            recordings: fields.list("recordings", RecordingRef::read)?,
            rounded: fields.rounded(),
        })
    }
}

impl Interaction {
    /// One of which nothing is known but its id.
    #[must_use]
    pub fn only(id: String) -> Interaction {
        Interaction {
            id,
            start_time: SourceTime::Absent,
            end_time: SourceTime::Absent,
            wait_time_ms: None,
            talk_time_ms: None,
            direction: None,
            agent_id: None,
            agent_extension: None,
            queue_id: None,
            skill: None,
            skill_group: None,
            ivr_node_id: None,
            disposition_code: None,
            wrap_up_code: None,
            caller_number: None,
            dialled_number: None,
            numbers_masked: None,
            recorder_node: None,
            segments: Vec::new(),
            recordings: Vec::new(),
            rounded: Vec::new(),
        }
    }
}

impl Listed {
    /// Reads what there is to read.
    #[must_use]
    pub fn read(json: &str) -> Listed {
        let fields = match Fields::of(json) {
            Ok(fields) => fields,
            Err(why) => {
                return Listed {
                    id: Err(why),
                    recordings: Vec::new(),
                };
            }
        };
        let items = fields.items("recordings").unwrap_or_default();
        let recordings = items
            .into_iter()
            .filter_map(|(_, item)| Fields::of(item).and_then(|fields| fields.id("id")).ok())
            .collect();
        Listed {
            id: fields.id("id"),
            recordings,
        }
    }
}

impl Segment {
    fn read(json: &str) -> Result<Segment, Unreadable> {
        let fields = Fields::of(json)?;
        Ok(Segment {
            id: fields.id("id")?,
            agent_id: fields.optional_id("agentId")?,
            start_time: SourceTime::read(fields.raw("startTime")?),
            end_time: SourceTime::read(fields.raw("endTime")?),
        })
    }
}

impl RecordingRef {
    fn read(json: &str) -> Result<RecordingRef, Unreadable> {
        let fields = Fields::of(json)?;
        Ok(RecordingRef {
            id: fields.id("id")?,
            segment_id: fields.optional_id("segmentId")?,
        })
    }
}

impl Recording {
    /// Reads a recording's own answer.
    ///
    /// # Errors
    ///
    /// It is no JSON object, gives neither start nor end and so is not the record of a recording,
    /// or a field holds what cannot be read ([`Unreadable`]).
    pub fn read(json: &str) -> Result<Recording, Unreadable> {
        let fields = Fields::of(json)?;
        let [start_time, end_time] = fields.times()?;
        // What is declared of the form is never believed: the file says it.
        let number = |name| fields.whole(name).unwrap_or_default();
        Ok(Recording {
            id: fields.id("id")?,
            interaction_id: fields.id("interactionId")?,
            segment_id: fields.optional_id("segmentId")?,
            start_time,
            end_time,
            duration_ms: fields.length_ms("durationMs")?,
            codec: fields.text("codec")?,
            content_type: fields.text("contentType")?,
            channels: number("channels").and_then(|channels| channels.try_into().ok()),
            channel_roles: fields
                .items("channelRoles")
                .unwrap_or_default()
                .iter()
                .filter_map(|(_, role)| text_of(role))
                .collect(),
            sample_rate: number("sampleRate").and_then(|rate| rate.try_into().ok()),
            size_bytes: fields
                .whole("sizeBytes")?
                .and_then(|bytes| bytes.try_into().ok()),
            file_name: fields.text("fileName")?,
            recorder_node: fields.text("recorderNode")?,
            pauses: fields.list("pauses", Pause::read)?,
            retention_class: fields.text("retentionClass")?,
            legal_hold: fields.boolean("legalHold")?.unwrap_or(false),
            media_url: fields
                .text("mediaUrl")?
                .filter(|address| !address.trim().is_empty()),
            rounded: fields.rounded(),
        })
    }
}

impl Pause {
    fn read(json: &str) -> Result<Pause, Unreadable> {
        let fields = Fields::of(json)?;
        let (start_offset_ms, end_offset_ms) = (
            fields.length_ms("startOffsetMs")?,
            fields.length_ms("endOffsetMs")?,
        );
        Ok(Pause {
            start_offset_ms,
            end_offset_ms,
            reason: fields.text("reason")?,
        })
    }
}

impl User {
    /// Reads a user of the directory.
    ///
    /// # Errors
    ///
    /// It is no JSON object, or a field holds what cannot be read ([`Unreadable`]).
    pub fn read(json: &str) -> Result<User, Unreadable> {
        let fields = Fields::of(json)?;
        let (name, extension, active) = (
            fields.text("name")?,
            fields.text("extension")?,
            fields.boolean("active")?,
        );
        Ok(User {
            id: fields.id("id")?,
            name,
            extension,
            active,
        })
    }
}

impl Queue {
    /// Reads a queue of the directory.
    ///
    /// # Errors
    ///
    /// It is no JSON object, or a field holds what cannot be read ([`Unreadable`]).
    pub fn read(json: &str) -> Result<Queue, Unreadable> {
        let fields = Fields::of(json)?;
        Ok(Queue {
            id: fields.id("id")?,
            name: fields.text("name")?,
        })
    }
}

impl Fields<'_> {
    /// Start and end of something that has them.
    fn times(&self) -> Result<[SourceTime; 2], Unreadable> {
        let times = [self.raw("startTime")?, self.raw("endTime")?].map(SourceTime::read);
        if times == [SourceTime::Absent, SourceTime::Absent] {
            return Err(Unreadable::new(
                "startTime",
                "neither start nor end is given",
            ));
        }
        Ok(times)
    }
}

impl SourceTime {
    /// A number in plain digits is a number; one in another spelling stays as it is written, for
    /// that is what is carried along as the raw start.
    fn read(raw: Option<&str>) -> SourceTime {
        let Some(raw) = raw else {
            return SourceTime::Absent;
        };
        match text_of(raw) {
            Some(text) if text.trim().is_empty() => SourceTime::Absent,
            Some(text) => match raw.parse() {
                Ok(number) => SourceTime::Number(number),
                Err(_) => SourceTime::Text(text),
            },
            None => SourceTime::Text(raw.to_owned()),
        }
    }

    /// The whole number it is, in whichever spelling.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        match self {
            SourceTime::Absent => None,
            SourceTime::Number(number) => Some(*number),
            SourceTime::Text(text) => whole_number(text),
        }
    }
}

impl<'de> Deserialize<'de> for SourceTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SourceTime, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(SourceTime::read(
            Some(raw.get()).filter(|raw| *raw != "null"),
        ))
    }
}

macro_rules! deserialize {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let raw = Box::<RawValue>::deserialize(deserializer)?;
                $name::read(raw.get()).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

deserialize!(Interaction, Recording, User, Queue);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(fields: &str) -> Result<Interaction, Unreadable> {
        Interaction::read(&format!(r#"{{"id":1,"startTime":1,"endTime":2{fields}}}"#))
    }

    #[test]
    fn a_field_may_be_written_in_many_ways_and_is_one_value() {
        let rows = [
            (
                r#","agentId":"AGT-1","waitTimeMs":1200"#,
                Some("AGT-1"),
                Some(1200),
            ),
            (
                r#","agentId":1024,"waitTimeMs":"1200""#,
                Some("1024"),
                Some(1200),
            ),
            (
                r#","agentId":1.024E3,"waitTimeMs":1.2e3"#,
                Some("1024"),
                Some(1200),
            ),
            (r#","agentId":null,"waitTimeMs":1200.0"#, None, Some(1200)),
            (r#","agentId":"","waitTimeMs":-5"#, Some(""), Some(-5)),
            (r#","agentId":"","waitTimeMs":"""#, Some(""), None),
            (
                r#","agentId":"a\ud83db\u0000","waitTimeMs":null"#,
                Some("a\u{fffd}\u{fffd}\u{fffd}b\0"),
                None,
            ),
            (
                r#","agentId":"\ud83d\udc4d \u00e9""#,
                Some("\u{1f44d} \u{e9}"),
                None,
            ),
            (
                r#","segments":null,"recordings":null,"numbersMasked":null"#,
                None,
                None,
            ),
            (
                r#","segments":"","recordings":{},"numbersMasked":"maybe","agentExtension":[]"#,
                None,
                None,
            ),
            ("", None, None),
        ];
        for (fields, agent, wait_ms) in rows {
            let read = read(fields).unwrap_or_else(|error| panic!("{fields}: {error}"));
            assert_eq!(
                (read.agent_id.as_deref(), read.wait_time_ms),
                (agent, wait_ms),
                "{fields}"
            );
            assert!(
                read.segments.is_empty() && read.recordings.is_empty() && read.rounded.is_empty(),
                "{fields}"
            );
        }
    }

    #[test]
    fn what_is_neither_is_refused_by_its_field_and_without_its_value() {
        let rows = [
            (r#","waitTimeMs":"4155501x""#, "waitTimeMs"),
            (r#","agentId":{"id":"4155501"}"#, "agentId"),
            (r#","waitTimeMs":"soon""#, "waitTimeMs"),
            (r#","agentId":[]"#, "agentId"),
            (
                r#","recordings":[{"id":"4155501-1"},{"id":4155501.5}]"#,
                "recordings[1].id",
            ),
            (
                r#","segments":[{"id":"4155501","agentId":true}]"#,
                "segments[0].agentId",
            ),
            (r#","segments":4155501"#, "segments"),
        ];
        for (fields, field) in rows {
            let error = read(fields).expect_err(fields);
            assert_eq!(error.field, field);
            assert!(!error.to_string().contains("4155501"), "{error}");
        }
    }

    #[test]
    fn a_length_with_a_fraction_is_rounded_and_named() {
        let call = read(r#","talkTimeMs":1.5,"waitTimeMs":2.0"#).expect("a call");
        assert_eq!(
            (call.talk_time_ms, call.wait_time_ms, call.rounded),
            (Some(2), Some(2), vec!["talkTimeMs".to_owned()])
        );
    }

    #[test]
    fn a_time_is_a_number_in_any_spelling_and_keeps_the_one_it_has() {
        let rows = [
            ("1700000000000", "1700000000000", Some(1_700_000_000_000)),
            ("1.7E12", "1.7E12", Some(1_700_000_000_000)),
            (
                "1700000000000.0",
                "1700000000000.0",
                Some(1_700_000_000_000),
            ),
            (
                r#""1700000000000""#,
                "1700000000000",
                Some(1_700_000_000_000),
            ),
            (r#""2023-07-01T12:00:00Z""#, "2023-07-01T12:00:00Z", None),
            ("1700000000000.5", "1700000000000.5", None),
            ("[1]", "[1]", None),
            (r#""""#, "", None),
            ("null", "", None),
        ];
        for (value, shown, whole) in rows {
            let call = Interaction::read(&format!(r#"{{"id":1,"startTime":{value},"endTime":2}}"#))
                .expect(value);
            assert_eq!(
                (
                    call.start_time.to_string().as_str(),
                    call.start_time.whole()
                ),
                (shown, whole),
                "{value}"
            );
        }
        for timeless in [r#"{"id":1}"#, r#"{"id":1,"startTime":null,"endTime":""}"#] {
            assert_eq!(
                Interaction::read(timeless).expect_err(timeless).field,
                "startTime"
            );
        }
    }

    #[test]
    fn of_a_recording_what_says_nothing_is_absent_and_what_is_needed_is_not() {
        let whole = r#"{"id":"1-1","interactionId":1,"startTime":1,"endTime":2"#;
        let read = |fields: &str| Recording::read(&format!("{whole}{fields}}}"));
        let bare = read("").expect("a recording");
        let nulls = read(
            r#","pauses":null,"legalHold":null,"sizeBytes":null,"durationMs":null,"channelRoles":null,"mediaUrl":"","channels":"stereo""#,
        );
        assert_eq!(
            format!("{bare:?}"),
            format!("{:?}", nulls.expect("the same recording"))
        );
        let spelled = read(
            r#","legalHold":"true","sizeBytes":3.2E4,"durationMs":"4000.0","pauses":{"startOffsetMs":1e3,"endOffsetMs":"2000"}"#,
        );
        let spelled = spelled.expect("a recording");
        assert_eq!(
            (spelled.legal_hold, spelled.size_bytes, spelled.duration_ms),
            (true, Some(32_000), Some(4000))
        );
        assert_eq!(
            (
                spelled.pauses[0].start_offset_ms,
                spelled.pauses[0].end_offset_ms
            ),
            (Some(1000), Some(2000))
        );
        assert_eq!(
            read(r#","sizeBytes":-1"#).expect("a recording").size_bytes,
            None
        );
        for (json, field) in [
            (r#"{"interactionId":1,"startTime":1,"endTime":2}"#, "id"),
            (r#"{"id":"1-1","startTime":1,"endTime":2}"#, "interactionId"),
            (
                r#"{"id":"5002-1","interactionId":5002,"pauses":null,"mediaUrl":"/x"}"#,
                "startTime",
            ),
            (
                r#"{"id":"1-1","interactionId":1,"startTime":1,"endTime":2,"legalHold":"perhaps"}"#,
                "legalHold",
            ),
            (
                r#"{"id":"1-1","interactionId":1,"startTime":1,"endTime":2,"pauses":[{"startOffsetMs":"x"}]}"#,
                "pauses[0].startOffsetMs",
            ),
            (
                r#"{"id":"1-1","interactionId":1,"startTime":1,"endTime":2,"sizeBytes":1.5}"#,
                "sizeBytes",
            ),
            ("[]", ""),
            ("null", ""),
            (r#"{"id":"#, ""),
        ] {
            assert_eq!(
                Recording::read(json).expect_err(json).field,
                field,
                "{json}"
            );
        }
    }

    #[test]
    fn a_listed_call_is_known_by_what_can_be_read_of_it() {
        let rows = [
            (
                r#"{"id":5,"recordings":[{"id":"5-1"},{},null,{"id":7}],"waitTimeMs":"soon"}"#,
                Some("5"),
                vec!["5-1", "7"],
            ),
            (r#"{"recordings":[{"id":"5-1"}]}"#, None, vec!["5-1"]),
            (r#"{"id":"","recordings":7}"#, None, vec![]),
            (r#"{"id":{"value":5}}"#, None, vec![]),
            ("null", None, vec![]),
            ("7", None, vec![]),
        ];
        for (json, id, recordings) in rows {
            let listed = Listed::read(json);
            assert_eq!(
                (listed.id.ok().as_deref(), listed.recordings),
                (id, recordings.into_iter().map(str::to_owned).collect()),
                "{json}"
            );
        }
    }

    /// JSON of any shape, two levels deep.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>()
                .prop_filter("JSON has no infinity", |number| number.is_finite())
                .prop_map(|number| format!("{number:e}")),
            "[ -!#-\\[\\]-~]{0,12}".prop_map(|text| format!("\"{text}\"")),
        ];
        leaf.prop_recursive(2, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                proptest::collection::vec(
                    (
                        "(id|startTime|endTime|agentId|startOffsetMs|segmentId)",
                        inner
                    ),
                    0..4
                )
                .prop_map(|fields| format!(
                    "{{{}}}",
                    fields
                        .iter()
                        .map(|(name, value)| format!("\"{name}\":{value}"))
                        .collect::<Vec<_>>()
                        .join(",")
                )),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_value_of_any_field_is_read_or_named(
            field in "(id|startTime|endTime|waitTimeMs|direction|agentId|queueId|skill|callerNumber|numbersMasked|segments|recordings)",
            value in json(),
            text in "\\PC{0,40}",
        ) {
            let mut known = std::collections::BTreeMap::from([("id", "1"), ("startTime", "1"), ("endTime", "2")]);
            known.insert(&field, &value);
            let fields: Vec<String> = known.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            if let Err(unreadable) = Interaction::read(&format!("{{{}}}", fields.join(","))) {
                prop_assert!(unreadable.field.split(['.', '[']).next() == Some(field.as_str()), "{} with {}: {}", field, value, unreadable);
            }
            for text in [&text, &value] {
                let _ = (Interaction::read(text), Listed::read(text), Recording::read(text), User::read(text), Queue::read(text));
            }
        }
    }
}
