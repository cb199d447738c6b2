//! The source: an imported world of recorded speech, in which every row of the table has calls of
//! its own.

use std::fmt::Write as _;
use std::path::Path;

use audio::{Codec, Pcm};
use serde_json::{Value, json};

use super::speech::{Chance, NUMBER_MS, RATE, Spoken, record};
use crate::report::Failure;

/// First call's start: 3 June 2024, 09:00:00.123 UTC. Within every class's years on the day the
/// world ends.
const FIRST_MS: i64 = 1_717_405_200_123;
/// The day of the migration.
pub(crate) const TODAY: &str = "2024-11-01";
/// From one call's start to the next one's: no round hour, so that calls lie at all times of day.
const APART_MS: i64 = 3_527_000;
/// First id.
const FIRST_ID: u64 = 700_000_101;
/// Texts with letters outside ASCII, which a faulty migrator may damage.
pub(crate) const SKILL_GROUP: &str = "Zürich Geschäftskunden \u{1f4de} \u{201c}Privé\u{201d} & Cie";
pub(crate) const DISPOSITION: &str = "Rückruf \u{2013} gelöst";

/// What a call is like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    spoken: Spoken,
    /// Two agents one after the other, each recorded.
    transferred: bool,
    /// A transfer of which only the first leg was recorded.
    half_recorded: bool,
    held: bool,
    outbound: bool,
    /// Which agent, where that matters. Absent: whose turn it is.
    agent: Option<usize>,
}

pub(crate) const PLAIN: Shape = Shape {
    spoken: Spoken::Call {
        seconds: 14,
        channels: 2,
    },
    transferred: false,
    half_recorded: false,
    held: false,
    outbound: false,
    agent: None,
};
pub(crate) const TRANSFERRED: Shape = Shape {
    transferred: true,
    ..PLAIN
};
pub(crate) const HALF_RECORDED: Shape = Shape {
    transferred: true,
    half_recorded: true,
    ..PLAIN
};
pub(crate) const HELD: Shape = Shape {
    held: true,
    ..PLAIN
};
pub(crate) const PAUSED: Shape = Shape {
    spoken: Spoken::Number { quietly: false },
    ..PLAIN
};
pub(crate) const QUIETLY_PAUSED: Shape = Shape {
    spoken: Spoken::Number { quietly: true },
    ..PLAIN
};

impl Shape {
    /// Whether a number is read in a pause.
    pub(crate) fn is_paused(self) -> bool {
        matches!(self.spoken, Spoken::Number { .. })
    }

    /// Whether it has two recordings.
    pub(crate) fn is_transferred(self) -> bool {
        self.transferred && !self.half_recorded
    }

    pub(crate) const fn outbound(self) -> Shape {
        Shape {
            outbound: true,
            ..self
        }
    }

    pub(crate) const fn of_agent(self, agent: usize) -> Shape {
        Shape {
            agent: Some(agent),
            ..self
        }
    }

    pub(crate) const fn spoken(self, spoken: Spoken) -> Shape {
        Shape { spoken, ..self }
    }
}

/// Agents 8 and 9 share a desk.
pub(crate) const AGENTS: usize = 10;
pub(crate) const SHARED_DESK: [usize; 2] = [8, 9];
/// Mapped to another user before 2020.
pub(crate) const RENAMED: usize = 7;

pub(crate) fn agent(at: usize) -> String {
    format!("AGT-{at:02}")
}

fn extension(agent: usize) -> String {
    if SHARED_DESK.contains(&agent) {
        "4799".to_owned()
    } else {
        format!("47{agent:02}")
    }
}

/// Drawn, so that no kind of call stands at equal distances.
fn drawn(number: usize, what: &str, of: usize) -> usize {
    let salt = what.bytes().fold(7_u64, |salt, byte| {
        salt.wrapping_mul(131).wrapping_add(u64::from(byte))
    });
    Chance::of(salt.wrapping_add(number as u64 * 2_654_435_761)).below(of)
}

/// Queue of the `number`th call.
pub(crate) fn queue(number: usize) -> String {
    format!("Q-{}", drawn(number, "queue", 4))
}

/// A call of the world.
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) recordings: Vec<Recording>,
    line: Value,
}

/// A recording of it.
pub(crate) struct Recording {
    pub(crate) id: String,
    pub(crate) pcm: Pcm,
}

impl Call {
    pub(crate) fn id(&self) -> String {
        self.id.to_string()
    }

    /// The `number`th call of a world.
    pub(crate) fn of(prompts: &[Vec<i16>], seed: u64, number: usize, shape: Shape) -> Call {
        // Wide gaps: an id that is off by a little belongs to no call.
        let id = FIRST_ID + number as u64 * 37;
        let start = FIRST_MS + number as i64 * APART_MS + (number as i64 * 7919) % 1000;
        let first = shape
            .agent
            .unwrap_or_else(|| drawn(number, "agent", AGENTS));
        // The second agent is never of the same desk, nor the one with two users.
        let second = (first + 3) % 7;
        let agents = if shape.transferred {
            vec![first, second]
        } else {
            vec![first]
        };
        let mut at = start + 4000 + (number as i64 * 131) % 3000;
        let (mut segments, mut recordings, mut listed) = (Vec::new(), Vec::new(), Vec::new());
        for (leg, agent_number) in agents.iter().enumerate() {
            let pcm = record(
                prompts,
                seed.wrapping_mul(1000).wrapping_add(id + leg as u64),
                shape.spoken,
            );
            let length_ms = (pcm.samples() * 1000 / RATE) as i64;
            let segment = format!("{id}-s{}", leg + 1);
            segments.push(json!({"id": segment, "agentId": agent(*agent_number), "startTime": at, "endTime": at + length_ms}));
            if !(shape.half_recorded && leg > 0) {
                let recording = format!("{id}-{}", leg + 1);
                let pauses = match shape.spoken {
                    Spoken::Number { .. } => {
                        json!([{"startOffsetMs": NUMBER_MS.0, "endOffsetMs": NUMBER_MS.1, "reason": "card_number"}])
                    }
                    Spoken::Call { .. } | Spoken::Prompt { .. } | Spoken::Noise { .. } => json!([]),
                };
                listed.push(json!({
                    "id": recording, "segmentId": segment, "file": format!("{recording}.wav"), "fileName": format!("{recording}_Anruf {number}.wav"),
                    "pauses": pauses, "legalHold": shape.held, "retentionClass": if drawn(number, "class", 5) == 0 { "10-Year Retention" } else { "7-Year Retention" },
                }));
                recordings.push(Recording { id: recording, pcm });
            }
            at += length_ms;
        }
        let end = at + 700;
        let (customer, line) = (
            format!("+4144555{:04}", number % 10_000),
            "+41800555010".to_owned(),
        );
        let (caller, dialled) = if shape.outbound {
            (line, customer)
        } else {
            (customer, line)
        };
        let line = json!({
            "id": id, "startTime": start, "endTime": end, "direction": if shape.outbound { "OUTBOUND" } else { "INBOUND" },
            "waitTimeMs": 3000 + number % 900, "talkTimeMs": at - start - 4000, "agentId": agent(first), "agentExtension": extension(first),
            "queueId": queue(number), "skill": format!("SK-{}", drawn(number, "skill", 3)), "skillGroup": SKILL_GROUP,
            "ivrNodeId": format!("IVR-{}", drawn(number, "node", 6)), "dispositionCode": DISPOSITION, "wrapUpCode": format!("W-{}", drawn(number, "code", 5)),
            "callerNumber": caller, "dialledNumber": dialled, "segments": segments, "recordings": listed,
        });
        Call {
            id,
            recordings,
            line,
        }
    }
}

/// Writes `interactions.ndjson` and the recordings beside it.
pub(crate) fn write<'a>(
    calls: impl Iterator<Item = &'a Call>,
    codec: Codec,
    folder: &Path,
) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(Failure::new)?;
    let mut lines = String::new();
    for call in calls {
        let _ = writeln!(lines, "{}", call.line);
        for recording in &call.recordings {
            std::fs::write(
                folder.join(format!("{}.wav", recording.id)),
                audio::encode(&recording.pcm, codec).map_err(Failure::new)?,
            )
            .map_err(Failure::new)?;
        }
    }
    std::fs::write(folder.join("interactions.ndjson"), lines).map_err(Failure::new)
}
