//! The truth about the source: one line an interaction, as docs/reference/control-api.md has it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use serde::Serialize;

use super::defects::DomainKind;
use super::media::MediaError;
use super::{Interaction, PhoneNumber, Recording, World};
use crate::outcome::Outcome;
use crate::time::instant;

#[derive(Serialize)]
struct Line<'a> {
    legacy_interaction_id: String,
    target_id: Option<String>,
    start: String,
    end: String,
    direction: &'static str,
    ani: Option<&'a str>,
    dnis: Option<&'a str>,
    participants: Vec<Participant<'a>>,
    queue: Option<&'a str>,
    skill: Option<&'a str>,
    wrap_up: Option<&'a str>,
    retention: Retention,
    recordings: Vec<RecordingLine<'a>>,
    attributes: BTreeMap<&'static str, String>,
    /// What is wrong with the call on purpose, and what is right for it. Absent: nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    planted: Option<PlantedLine>,
}

#[derive(Serialize)]
struct PlantedLine {
    kind: DomainKind,
    outcome: Outcome,
}

#[derive(Serialize)]
struct Participant<'a> {
    role: &'static str,
    id: Option<&'a str>,
}

/// The latest deletion date of the recordings, and whether one of them is held.
#[derive(Serialize)]
struct Retention {
    delete_at: Option<String>,
    hold: bool,
}

#[derive(Serialize)]
struct RecordingLine<'a> {
    legacy_recording_id: &'a str,
    target_id: Option<String>,
    start: String,
    end: String,
    /// What decoding finds, not what the recorder declares; null where nothing decodes.
    codec: Option<String>,
    channels: Option<u16>,
    sample_rate: Option<u32>,
    samples: Option<u64>,
    bytes: u64,
    sha256: String,
    pcm_sha256: Option<String>,
}

impl World {
    /// The line of the `i`-th interaction. Times are true instants: stated values with their
    /// recorder's drift taken out and put in order.
    pub(crate) fn truth_line(&self, i: u64) -> Result<String, MediaError> {
        let interaction = self.interaction(i);
        let recordings = interaction
            .recordings
            .iter()
            .map(|recording| self.recording_line(recording))
            .collect::<Result<_, _>>()?;
        let agents = interaction.segments.iter().map(|segment| Participant {
            role: "agent",
            id: segment.agent_id.as_deref(),
        });
        let line = Line {
            legacy_interaction_id: interaction.id_text(),
            target_id: None,
            start: instant(interaction.true_start_ms),
            end: instant(interaction.true_end_ms),
            direction: if interaction.inbound {
                "inbound"
            } else {
                "outbound"
            },
            ani: interaction.caller_number.as_ref().map(PhoneNumber::in_full),
            dnis: interaction
                .dialled_number
                .as_ref()
                .map(PhoneNumber::in_full),
            participants: std::iter::once(Participant {
                role: "customer",
                id: None,
            })
            .chain(agents)
            .collect(),
            queue: interaction.queue_id.as_deref(),
            skill: interaction.skill.as_deref(),
            wrap_up: interaction.wrap_up_code.as_deref(),
            retention: self.retention(&interaction),
            recordings,
            attributes: attributes(&interaction),
            planted: interaction.planted.map(|planted| PlantedLine {
                kind: planted.kind,
                outcome: planted.kind.defect().outcome,
            }),
        };
        Ok(serde_json::to_string(&line).unwrap_or_default())
    }

    /// All lines, in ascending order of id.
    pub(crate) fn truth(&self) -> Result<String, MediaError> {
        let mut lines = (0..self.count())
            .map(|i| Ok((self.interaction(i).id, self.truth_line(i)?)))
            .collect::<Result<Vec<_>, MediaError>>()?;
        // An id that is wrong on purpose may be larger than those after it.
        lines.sort_by_key(|(id, _)| *id);
        Ok(lines.into_iter().map(|(_, line)| line + "\n").collect())
    }

    fn recording_line<'a>(
        &self,
        recording: &'a Recording,
    ) -> Result<RecordingLine<'a>, MediaError> {
        let media = self.media(recording)?;
        let decoded = audio::decode(&media.bytes).ok();
        let probe = decoded.as_ref().map(|(probe, _)| probe);
        Ok(RecordingLine {
            legacy_recording_id: &recording.id,
            target_id: None,
            start: instant(recording.start_ms.min(recording.end_ms) + recording.drift_ms),
            end: instant(recording.start_ms.max(recording.end_ms) + recording.drift_ms),
            codec: probe.map(|probe| probe.codec.to_string()),
            channels: probe.map(|probe| probe.channels),
            sample_rate: probe.map(|probe| probe.sample_rate),
            samples: probe.map(|probe| probe.samples),
            bytes: media.bytes.len() as u64,
            sha256: media.sha256.clone(),
            pcm_sha256: decoded.as_ref().map(|(_, pcm)| pcm.sha256()),
        })
    }

    fn retention(&self, interaction: &Interaction) -> Retention {
        let classes = self.retention_classes();
        let years = interaction.recordings.iter().filter_map(|recording| {
            let class = recording.retention_class.as_ref()?;
            classes
                .iter()
                .find(|(name, _)| name == class)
                .map(|(_, years)| *years)
        });
        let end = jiff::Timestamp::from_millisecond(interaction.true_end_ms).ok();
        let delete_at = years.max().zip(end).and_then(|(years, end)| {
            end.to_zoned(jiff::tz::TimeZone::UTC)
                .checked_add(years.years())
                .ok()
        });
        Retention {
            delete_at: delete_at.map(|at| instant(at.timestamp().as_millisecond())),
            hold: interaction
                .recordings
                .iter()
                .any(|recording| recording.legal_hold),
        }
    }
}

fn attributes(interaction: &Interaction) -> BTreeMap<&'static str, String> {
    let stated = [
        ("wait_ms", Some(interaction.wait_ms.to_string())),
        ("talk_ms", Some(interaction.talk_ms.to_string())),
        ("raw_start_ms", Some(interaction.start_ms.to_string())),
        ("raw_end_ms", Some(interaction.end_ms.to_string())),
        ("skill_group", interaction.skill_group.clone()),
        ("ivr_node", interaction.ivr_node_id.clone()),
        ("disposition", interaction.disposition_code.clone()),
        ("recorder_node", interaction.recorder_node.clone()),
    ];
    stated
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}
