//! What kinds of call there are in the source: a migration that leaves a kind out leaves out all of
//! it, and the kind is the cause (D08).

use crate::source::SourceInteraction;
use crate::text::Text;

/// Kinds of one call, as a person would name them, so that one that is missing as a whole can be
/// named. `hold`: the call is under legal hold. Of a call that could not be read nothing is known.
pub(crate) fn kinds(source: &SourceInteraction, hold: bool) -> Vec<String> {
    if source.unread.is_some() {
        return Vec::new();
    }
    let listed = &source.listed;
    let details = || {
        source
            .recordings
            .iter()
            .filter_map(|recording| recording.details.as_ref().ok())
    };
    let mut kinds = Vec::new();
    let mut add = |is_so: bool, kind: &str| kinds.extend(is_so.then(|| kind.to_owned()));
    add(listed.segments.len() > 1, "transferred calls");
    add(listed.segments.is_empty(), "calls without segments");
    add(
        listed.agent_id.is_none()
            && listed
                .segments
                .iter()
                .all(|segment| segment.agent_id.is_none()),
        "calls without an agent",
    );
    add(listed.queue_id.is_none(), "calls without a queue");
    add(source.recordings.is_empty(), "calls without recordings");
    add(source.recordings.len() > 1, "calls of several recordings");
    add(hold, "calls under legal hold");
    add(
        details().any(|details| !details.pauses.is_empty()),
        "calls with a pause",
    );
    add(
        listed.numbers_masked == Some(true),
        "calls with masked numbers",
    );
    add(listed.skill.is_none(), "calls without a skill");
    add(
        listed.wrap_up_code.is_none(),
        "calls without a wrap-up code",
    );
    let text = |value: &Option<Text>| value.as_ref().map(String::from);
    let stated = [
        (
            "direction",
            listed
                .direction
                .as_ref()
                .map(|direction| direction.to_lowercase()),
        ),
        ("queue", text(&listed.queue_id)),
        ("agent", text(&listed.agent_id)),
        ("recorder", text(&listed.recorder_node)),
        ("skill", text(&listed.skill)),
        ("disposition", text(&listed.disposition_code)),
        ("codec", details().find_map(|details| text(&details.codec))),
        (
            "channels",
            details()
                .find_map(|details| details.channels)
                .map(|channels| channels.to_string()),
        ),
        (
            "retention class",
            details().find_map(|details| text(&details.retention_class)),
        ),
    ];
    let stated = stated
        .into_iter()
        .filter_map(|(what, value)| Some(format!("calls with {what} {}", value?)));
    kinds.extend(stated);
    kinds
}
