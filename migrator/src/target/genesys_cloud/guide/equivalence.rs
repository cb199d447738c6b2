//! Whether an interaction that was read back is what was sent.

use platforms::genesys_cloud::wire;

/// Whether everything that was sent stands there. A target may add names and attributes of its own,
/// write times with fewer zeros and list participants in its own order; none of that is a
/// difference.
pub(super) fn matches(there: &wire::Interaction, wanted: &wire::Interaction) -> bool {
    let attributes = wanted
        .attributes
        .iter()
        .all(|(name, value)| there.attributes.get(name) == Some(value));
    attributes && normalized(there) == normalized(wanted)
}

/// The same interaction with nothing left in it that a target may write differently.
fn normalized(interaction: &wire::Interaction) -> wire::Interaction {
    let time = |text: &String| text.parse().map_or_else(|_| text.clone(), crate::time::iso);
    let mut normalized = interaction.clone();
    normalized.attributes.clear();
    normalized.created_time = time(&normalized.created_time);
    normalized.updated_time = time(&normalized.updated_time);
    if let Some(queue) = &mut normalized.routing.queue {
        queue.name = None;
    }
    for segment in &mut normalized.segments {
        (segment.start, segment.end) = (time(&segment.start), time(&segment.end));
        let date = segment
            .recording
            .as_mut()
            .and_then(|recording| recording.retention.as_mut()?.delete_date.as_mut());
        if let Some(date) = date {
            *date = time(date);
        }
    }
    normalized
        .participants
        .sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    normalized.segments.sort_by(|a, b| a.id.cmp(&b.id));
    normalized
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> wire::Interaction {
        let text = include_str!(
            "../../../../../scenarios/contracts/genesys_cloud/create_interaction.json"
        );
        let contract: serde_json::Value = serde_json::from_str(text).expect("the contract file");
        serde_json::from_str(&contract["request"]["body"].to_string()).expect("an interaction")
    }

    #[test]
    fn what_a_target_may_write_differently_is_no_difference() {
        let mut there = sent();
        there.attributes.insert("their.own".into(), "x".into());
        there.participants.reverse();
        there.segments.reverse();
        there.created_time = "2023-10-27T10:00:00Z".into();
        assert!(matches(&there, &sent()));
    }

    #[test]
    fn a_target_may_leave_out_what_is_empty() {
        let mut wanted = sent();
        (wanted.routing, wanted.deletion_protection) = (wire::Routing::default(), false);
        (wanted.participants, wanted.segments) = (Vec::new(), Vec::new());
        let mut answer = serde_json::to_value(&wanted).expect("an answer");
        let fields = answer.as_object_mut().expect("an object");
        for name in ["routing", "deletionProtection", "participants", "segments"] {
            fields.remove(name);
        }
        assert!(matches(
            &serde_json::from_value(answer).expect("an interaction"),
            &wanted
        ));
    }

    #[test]
    fn what_was_sent_and_is_not_there_is_a_difference() {
        type Damage = fn(&mut wire::Interaction);
        let damages: [Damage; 6] = [
            |i| drop(i.attributes.remove("st.wait_ms")),
            |i| i.updated_time = "2023-10-27T10:05:01.000Z".into(),
            |i| drop(i.participants.remove(0)),
            |i| i.segments[0].recording = None,
            |i| i.deletion_protection = true,
            |i| i.routing.queue = None,
        ];
        for (n, damage) in damages.into_iter().enumerate() {
            let mut there = sent();
            damage(&mut there);
            assert!(!matches(&there, &sent()), "damage {n}");
        }
    }
}
