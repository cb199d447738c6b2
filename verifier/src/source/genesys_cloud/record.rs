//! An organisation's JSON to the verifier's own record. Source: docs/reference/organisation.md.

use std::collections::BTreeMap;

use plan::Reason;
use platforms::genesys_cloud::wire;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::{
    KeptBack, RecordingDetails, SourceCall, SourceFormat, SourceInteraction, SourcePause,
    SourceRecording, SourceSegment, SourceTime, StagedAnswer,
};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// How an organisation's answers were staged.
pub(in crate::source) struct GenesysCloudFormat;

/// A staged call: the conversation, and what was asked for beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity<'a> {
    #[serde(borrow)]
    conversation: &'a RawValue,
    recordings: Option<Vec<String>>,
    #[serde(default)]
    deletion_protected: bool,
    unlisted: Option<String>,
}

impl SourceFormat for GenesysCloudFormat {
    fn call(&self, entity: &str, answers: Vec<StagedAnswer<'_>>, place: &str) -> SourceInteraction {
        let Ok(entity) = serde_json::from_str::<Entity<'_>>(entity) else {
            return SourceInteraction::unread(
                format!("(no id: {place})"),
                format!("a call that was staged in another form ({place}); stage it again"),
            );
        };
        let mut call = conversation(entity.conversation.get(), place);
        let Some(listed) = entity.recordings else {
            let why = entity.unlisted.unwrap_or_default();
            let id = call.listed.id.clone();
            return SourceInteraction::unread(
                id.clone(),
                format!("the recordings of conversation {id}, which were not listed: {why}"),
            );
        };
        let mut staged: BTreeMap<Text, SourceRecording> = BTreeMap::new();
        for answer in answers {
            let Some(id) = answer.request.rsplit('/').next().map(Text::from) else {
                continue;
            };
            let read = serde_json::from_str::<wire::Recording>(answer.body);
            let details = read
                .map(|recording| details(recording, &call, entity.deletion_protected))
                .map_err(|_| format!("the staged record of recording {id}; stage it again"));
            let recording = SourceRecording {
                id: id.clone(),
                details,
                staged: answer.media,
            };
            staged.insert(id, recording);
        }
        for id in listed {
            let id = Text::from(id);
            let recording = staged.remove(&id).unwrap_or_else(|| SourceRecording {
                id: id.clone(),
                details: Err(format!(
                    "recording {id} staged: it never was; verify with the live source"
                )),
                staged: None,
            });
            let leg = recording.details.as_ref().ok();
            let leg = leg.and_then(|details| details.segment_id.clone());
            call.listed.recordings.push((id, leg));
            call.recordings.push(recording);
        }
        call
    }
}

/// A conversation that analytics lists, without its recordings. One that cannot be read is that
/// call's trouble alone. `place` says where it stands.
pub(super) fn conversation(json: &str, place: &str) -> SourceInteraction {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Id {
        conversation_id: String,
    }
    match serde_json::from_str::<wire::AnalyticsConversation>(json) {
        Ok(conversation) => SourceInteraction::of(call(conversation)),
        Err(_) => {
            let id = serde_json::from_str::<Id>(json).ok();
            let id = id.map_or_else(|| format!("(no id: {place})"), |id| id.conversation_id);
            let why = format!(
                "conversation {id} in another form ({place}); ask the source's administrator"
            );
            SourceInteraction::unread(id, why)
        }
    }
}

/// Whether a conversation is by voice. One that does not say of any session what it is may be.
pub(super) fn is_by_voice(json: &str) -> bool {
    let Ok(conversation) = serde_json::from_str::<wire::AnalyticsConversation>(json) else {
        return true;
    };
    let kinds: Vec<String> = conversation
        .participants
        .iter()
        .flat_map(|participant| participant.sessions.iter())
        .filter_map(|session| session.media_type.as_ref())
        .map(|kind| kind.to_lowercase())
        .collect();
    kinds.is_empty() || kinds.iter().any(|kind| kind == "voice")
}

/// Divisions of a conversation, and queues that it came through.
pub(super) fn places(json: &str) -> (Vec<String>, Vec<String>) {
    let Ok(conversation) = serde_json::from_str::<wire::AnalyticsConversation>(json) else {
        return (Vec::new(), Vec::new());
    };
    let mut queues = Vec::new();
    for participant in &conversation.participants {
        for session in &participant.sessions {
            for segment in &session.segments {
                queues.extend(segment.queue_id.clone());
            }
        }
    }
    (conversation.division_ids, queues)
}

fn voices(participant: &wire::AnalyticsParticipant) -> Vec<&wire::AnalyticsSession> {
    let is_voice = |session: &&wire::AnalyticsSession| match &session.media_type {
        Some(kind) => kind.to_lowercase() == "voice",
        None => true,
    };
    participant.sessions.iter().filter(is_voice).collect()
}

fn has_purpose(participant: &wire::AnalyticsParticipant, purposes: [&str; 2]) -> bool {
    let purpose = participant.purpose.as_deref().unwrap_or_default();
    purposes.contains(&purpose.to_lowercase().as_str())
}

/// The text of a time, and the instant it is.
fn time(text: Option<&str>) -> SourceTime {
    match text {
        None => SourceTime::Absent,
        Some(text) => SourceTime::Instant {
            text: text.into(),
            at: instant(text),
        },
    }
}

fn instant(text: &str) -> Option<UtcMillis> {
    UtcMillis::parse(text.trim())?.if_recordable()
}

fn call(conversation: wire::AnalyticsConversation) -> SourceCall {
    let legs = legs(&conversation);
    let named = Named::of(&conversation);
    let (caller_number, dialled_number) = numbers(&conversation);
    let mut extra = BTreeMap::new();
    for participant in &conversation.participants {
        for (name, value) in &participant.attributes {
            let name = format!("participant.{name}");
            extra.entry(name).or_insert(value.clone());
        }
    }
    if let Some(tag) = &conversation.external_tag {
        extra.insert("external_tag".to_owned(), tag.clone());
    }
    let several = [
        ("queues", &named.queues),
        ("skills", &named.skills),
        ("wrap_ups", &named.codes),
    ];
    for (name, ids) in several.into_iter().filter(|(_, ids)| ids.len() >= 2) {
        extra.insert(name.to_owned(), ids.join(";"));
    }
    let text = |id: Option<&String>| id.map(|id| Text::from(id.as_str()));
    SourceCall {
        start_time: time(conversation.conversation_start.as_deref()),
        end_time: time(conversation.conversation_end.as_deref()),
        direction: conversation.originating_direction.map(Text::from),
        agent_id: legs.iter().find_map(|leg| leg.agent_id.clone()),
        queue_id: text(named.queues.first()),
        skill: text(named.skills.first()),
        wrap_up_code: text(named.codes.last()),
        caller_number,
        dialled_number,
        segments: legs,
        extra,
        id: conversation.conversation_id.into(),
        ..SourceCall::default()
    }
}

/// One for each voice session of an agent with a word in it, from its first word to its last.
fn legs(conversation: &wire::AnalyticsConversation) -> Vec<SourceSegment> {
    let mut legs = Vec::new();
    for participant in &conversation.participants {
        if !has_purpose(participant, ["agent", "user"]) {
            continue;
        }
        for (number, session) in voices(participant).into_iter().enumerate() {
            let talks: Vec<&wire::AnalyticsSegment> = session
                .segments
                .iter()
                .filter(|segment| match &segment.segment_type {
                    Some(kind) => kind.to_lowercase() == "interact",
                    None => true,
                })
                .collect();
            if talks.is_empty() {
                continue;
            }
            let (first, last) = ends(&talks).unwrap_or_default();
            legs.push(SourceSegment {
                id: match &session.session_id {
                    Some(id) => id.as_str().into(),
                    None => format!("{}-{number}", participant.participant_id).into(),
                },
                agent_id: participant.user_id.as_deref().map(Text::from),
                start_time: first,
                end_time: last,
            });
        }
    }
    legs.sort_by_key(|leg| match &leg.start_time {
        SourceTime::Instant { at, .. } => *at,
        _ => None,
    });
    legs
}

/// Start of the first and end of the last; absent times where one of them has none that is usable,
/// and the leg is as long as the call.
fn ends(talks: &[&wire::AnalyticsSegment]) -> Option<(SourceTime, SourceTime)> {
    let mut instants = Vec::new();
    for talk in talks {
        let start = talk.segment_start.as_deref()?;
        let end = talk.segment_end.as_deref()?;
        for text in [start, end] {
            instants.push((instant(text)?, text));
        }
    }
    let (_, first) = instants.iter().min_by_key(|(at, _)| *at)?;
    let (_, last) = instants.iter().max_by_key(|(at, _)| *at)?;
    Some((time(Some(first)), time(Some(last))))
}

fn numbers(conversation: &wire::AnalyticsConversation) -> (Option<Text>, Option<Text>) {
    let (mut caller, mut dialled) = (None, None);
    let bare = |number: &str| Text::from(number.trim_start_matches("tel:"));
    for participant in &conversation.participants {
        if !has_purpose(participant, ["customer", "external"]) {
            continue;
        }
        for session in voices(participant) {
            caller = caller.or_else(|| session.ani.as_deref().map(bare));
            dialled = dialled.or_else(|| session.dnis.as_deref().map(bare));
        }
    }
    (caller, dialled)
}

/// What segments name by id, in the order of their starts.
#[derive(Default)]
struct Named {
    queues: Vec<String>,
    skills: Vec<String>,
    /// Each where it was given last.
    codes: Vec<String>,
}

impl Named {
    fn of(conversation: &wire::AnalyticsConversation) -> Named {
        let mut segments = Vec::new();
        for participant in &conversation.participants {
            for session in voices(participant) {
                segments.extend(session.segments.iter());
            }
        }
        segments.sort_by_key(|segment| segment.segment_start.as_deref().and_then(UtcMillis::parse));
        let mut named = Named::default();
        let once = |list: &mut Vec<String>, id: &String| {
            if !id.is_empty() && !list.contains(id) {
                list.push(id.clone());
            }
        };
        for segment in segments {
            if let Some(queue) = &segment.queue_id {
                once(&mut named.queues, queue);
            }
            for skill in &segment.requested_routing_skill_ids {
                once(&mut named.skills, skill);
            }
            if let Some(code) = &segment.wrap_up_code {
                named.codes.retain(|known| known != code);
                once(&mut named.codes, code);
            }
        }
        named
    }
}

/// Whether it is the sound of a call: screens, chats and e-mails have no place here.
pub(super) fn is_sound(recording: &wire::Recording) -> bool {
    match &recording.media {
        Some(media) => media.to_lowercase() == "audio",
        None => true,
    }
}

/// A recording of a call, as the source's own answer has it.
pub(super) fn details(
    recording: wire::Recording,
    call: &SourceInteraction,
    protected: bool,
) -> RecordingDetails {
    let kept_back = kept_back(&recording);
    let leg = recording.session_id.as_deref();
    let is_leg = |id: &&str| {
        let mut legs = call.listed.segments.iter();
        legs.any(|leg| leg.id == **id)
    };
    let segment_id = leg.filter(is_leg).map(Text::from);
    let pauses = recording.annotations.iter().filter(|mark| {
        let word = |text: &Option<String>| text.as_deref().unwrap_or_default().to_lowercase();
        // Music while somebody waits is nothing that was kept out.
        word(&mark.kind) == "pause"
            && !matches!(word(&mark.reason).as_str(), "hold" | "floworqueue")
    });
    let pause = |mark: &wire::Annotation| SourcePause {
        start_offset_ms: mark.location,
        end_offset_ms: mark
            .location
            .zip(mark.duration_ms)
            .and_then(|(at, length)| at.checked_add(length)),
    };
    RecordingDetails {
        pauses: pauses.map(pause).collect(),
        segment_id,
        interaction_id: recording
            .conversation_id
            .map_or_else(|| call.listed.id.clone(), Text::from),
        start_time: time(recording.start_time.as_deref()),
        end_time: time(recording.end_time.as_deref()),
        delete_at: time(recording.delete_date.as_deref()),
        legal_hold: protected,
        kept_back: KeptBack(kept_back),
        id: recording.id.into(),
        ..RecordingDetails::default()
    }
}

/// Why a recording's own record says that its sound cannot be had.
fn kept_back(recording: &wire::Recording) -> Option<Reason> {
    let state = recording.file_state.as_deref().map(str::to_uppercase);
    match state.as_deref() {
        Some("AVAILABLE" | "RESTORED") => None,
        Some("DELETED") => Some(Reason::SourceDeleted),
        Some(_) => Some(Reason::SourceNotAvailable),
        // What is archived is shown as a stub, which has no times.
        None => {
            let is_archived =
                recording.archive_date.is_some() || recording.archive_medium.is_some();
            (is_archived && recording.start_time.is_none()).then_some(Reason::SourceNotAvailable)
        }
    }
}
