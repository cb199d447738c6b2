//! A generated world: `interaction(i)` is a pure function of seed and knobs, so any number of
//! interactions takes no memory.

use std::collections::BTreeSet;

use super::corrupt_fields::reverse;
use super::defects::{DomainKind, Making, Scene, WHOLE};
use super::fault_placement::{FaultPlacement, Planted, Planting};
use super::people::{self, Agent, Mapped};
use super::settings::{SourceCodec, WorldSettings};
use super::shuffle::Shuffle;
use super::{Interaction, Pause, PhoneNumber, Recording, Segment, Sound};
use crate::seed::Seed;

/// Retention classes a recorder assigns, with their years.
pub(super) const RETENTION_CLASSES: [(&str, i64); 3] = [
    ("7-Year Retention", 7),
    ("5-Year Retention", 5),
    ("10-Year Retention", 10),
];

/// Id of the first interaction.
pub(super) const FIRST_ID: u64 = 100_001;

/// Lengths are multiples of this, so that every codec's frames fill without padding (GSM in WAV:
/// 320 samples, AMR: 160).
const GRAIN_MS: u64 = 40;

/// Sample rate of every generated recording, Hz: telephony.
pub(super) const RATE: u32 = 8000;

pub(super) struct Generated {
    seed: Seed,
    settings: WorldSettings,
    from_ms: i64,
    to_ms: i64,
    pub(super) agents: Vec<Agent>,
    pub(super) queues: Vec<Mapped>,
    pub(super) skills: Vec<Mapped>,
    pub(super) wrapups: Vec<Mapped>,
    fault_placement: FaultPlacement,
    orders: Orders,
}

/// One shuffled order a choice: exact shares that do not depend on each other.
struct Orders {
    transfers: Shuffle,
    bare: Shuffle,
    stereo: Shuffle,
    masked: Shuffle,
    pauses: Shuffle,
    holds: Shuffle,
    reversed: Shuffle,
    agents: Shuffle,
    queues: Shuffle,
    codecs: Shuffle,
    nodes: Shuffle,
}

impl Generated {
    pub(super) fn new(seed: Seed, settings: &WorldSettings, plantings: &[Planting]) -> Generated {
        // Checked with the scenario; an unchecked window would be empty.
        let (from_ms, to_ms) = settings.window().unwrap_or((0, 1));
        let day = 86_400_000;
        let middle_ms = (from_ms + (to_ms - from_ms) / 2) / day * day;
        let order =
            |name: &str| Shuffle::new(seed.child("world/order").child(name), settings.interactions);
        Generated {
            seed,
            from_ms,
            to_ms,
            agents: people::agents(seed, settings, middle_ms),
            queues: people::queues(seed, settings),
            skills: people::skills(seed),
            wrapups: people::wrapups(seed),
            fault_placement: FaultPlacement::new(
                seed.child("world/order").child("victims"),
                settings,
                plantings,
            ),
            orders: Orders {
                transfers: order("transfers"),
                bare: order("bare"),
                stereo: order("stereo"),
                masked: order("masked"),
                pauses: order("pauses"),
                holds: order("holds"),
                reversed: order("reversed"),
                agents: order("agents"),
                queues: order("queues"),
                codecs: order("codecs"),
                nodes: order("nodes"),
            },
            settings: settings.clone(),
        }
    }

    pub(super) fn window_end_ms(&self) -> i64 {
        self.to_ms
    }

    pub(super) fn count(&self) -> u64 {
        self.settings.interactions
    }

    pub(super) fn node_offsets(&self) -> Vec<(String, i64)> {
        let nodes = 0..self.settings.recorder_nodes;
        let mut offsets: Vec<(String, i64)> = nodes
            .map(|k| (format!("N{}", k + 1), self.drift(k as usize)))
            .collect();
        let declared: BTreeSet<(String, i64)> = self
            .fault_placement
            .kinds()
            .filter_map(|planted| (planted.kind.making().declared_node)(planted.ms))
            .collect();
        offsets.extend(declared);
        offsets.retain(|(_, offset)| *offset != 0);
        offsets
    }

    /// Index of the interaction a recording id (`100001-1`) belongs to; the recording itself may
    /// not exist.
    pub(super) fn index_of_recording(&self, id: &str) -> Option<u64> {
        let (interaction, _) = id.split_once('-')?;
        let index = interaction.parse::<u64>().ok()?.checked_sub(FIRST_ID)?;
        (index < self.count()).then_some(index)
    }

    pub(super) fn stated_start_ms(&self, i: u64) -> i64 {
        if self.planted(i).is_some() || self.orders.reversed.share(i, self.settings.reversed_share)
        {
            return self.interaction(i).start_ms;
        }
        self.true_start_ms(i) - self.drift(self.node(i))
    }

    /// The `i`-th interaction. Pure.
    pub(super) fn interaction(&self, i: u64) -> Interaction {
        let own = self.seed.child("world/interactions").index(i);
        let id = FIRST_ID + i;
        let planted = self.planted(i);
        let node = self.node(i);
        let drift_ms = self.drift(node);
        let inbound = !own.child("direction").chance(0.3);
        let true_start_ms = self.true_start_ms(i);
        let wait_ms = if inbound {
            own.child("wait").below(30_000) as i64
        } else {
            0
        };
        let legs = self.legs(i, own, planted, true_start_ms + wait_ms);
        let true_end_ms = legs.last().map_or(true_start_ms, |leg| leg.end_ms);
        let talk_ms = true_end_ms - true_start_ms - wait_ms;
        let recorded =
            planted.is_some() || !self.orders.bare.share(i, self.settings.no_recording_share);
        let make = |(k, leg): (usize, &Leg)| self.recording(i, own, k, leg, planted, node);
        let recordings = if recorded {
            legs.iter().enumerate().map(make).collect()
        } else {
            Vec::new()
        };
        let segment = |(k, leg): (usize, &Leg)| Segment {
            id: format!("{id}-s{}", k + 1),
            agent_id: Some(self.agents[leg.agent].id.clone()),
            start_ms: leg.start_ms - drift_ms,
            end_ms: leg.end_ms - drift_ms,
        };
        let agent = &self.agents[legs[0].agent];
        let routed = self.routing(i, own, planted, inbound);
        let (caller_number, dialled_number, numbers_masked) = self.numbers(i, own, inbound);
        let mut interaction = Interaction {
            id,
            true_start_ms,
            true_end_ms,
            start_ms: true_start_ms - drift_ms,
            end_ms: true_end_ms - drift_ms,
            wait_ms,
            talk_ms,
            inbound,
            agent_id: Some(agent.id.clone()),
            agent_extension: Some(agent.extension.clone()),
            queue_id: Some(routed.queue),
            skill_group: routed
                .skill
                .as_ref()
                .map(|(_, name)| format!("{name} Tier {}", 1 + own.child("tier").below(2))),
            skill: routed.skill.map(|(id, _)| id),
            ivr_node_id: routed.ivr,
            disposition_code: pick(
                own.child("disposition"),
                &["RESOLVED", "CALLBACK", "ESCALATED", "ABANDONED"],
                0.1,
            ),
            wrap_up_code: (!own.child("wrapup/none").chance(0.1)).then(|| {
                self.wrapups[own.child("wrapup").below(self.wrapups.len() as u64) as usize]
                    .id
                    .clone()
            }),
            caller_number: Some(PhoneNumber::new(caller_number)),
            dialled_number: Some(PhoneNumber::new(dialled_number)),
            numbers_masked,
            recorder_node: Some(format!("N{}", node + 1)),
            segments: legs.iter().enumerate().map(segment).collect(),
            recordings,
            planted,
        };
        if making(planted).is_reversed
            || self.orders.reversed.share(i, self.settings.reversed_share)
        {
            reverse(&mut interaction);
        }
        if let Some(Planted { kind, ms }) = planted {
            (kind.making().change)(
                &mut interaction,
                &Scene {
                    index: i,
                    ms,
                    drift_ms,
                    agents: &self.agents,
                },
            );
        }
        interaction
    }

    /// What is planted in the `i`-th call.
    pub(super) fn planted(&self, i: u64) -> Option<Planted> {
        self.fault_placement.of(i)
    }

    fn drift(&self, node: usize) -> i64 {
        self.settings.drift_ms.get(node).copied().unwrap_or(0)
    }

    fn node(&self, i: u64) -> usize {
        (self.orders.nodes.rank(i) % u64::from(self.settings.recorder_nodes)) as usize
    }

    /// Calls follow each other through the window, each somewhere in its own slot; wrong data may
    /// ask for another time.
    fn true_start_ms(&self, i: u64) -> i64 {
        let own = self.seed.child("world/interactions").index(i);
        let width = (self.to_ms - self.from_ms) as u64;
        let n = self.count().max(1);
        let slot = (u128::from(width) * u128::from(i) / u128::from(n)) as i64;
        let at = self.from_ms + slot + own.child("start").below((width / n).max(1)) as i64;
        (making(self.planted(i)).start_ms)(at, own)
    }

    fn legs(&self, i: u64, own: Seed, planted: Option<Planted>, from_ms: i64) -> Vec<Leg> {
        let transferred = self.orders.transfers.share(i, self.settings.transfer_share);
        let count = match planted {
            Some(planted) => planted.kind.making().legs,
            None if transferred => 2 + own.child("legs").below(2) as usize,
            None => 1,
        };
        let sounds_alike = making(planted).sounds_alike;
        let mut at = from_ms;
        let leg = |k: usize| {
            let spread = if sounds_alike {
                1.0
            } else {
                0.7 + 0.6 * own.child("length").index(k as u64).fraction()
            };
            let grains =
                (self.settings.mean_seconds * 1000.0 * spread / GRAIN_MS as f64).round() as u64;
            let length_ms = grains.max(10) * GRAIN_MS;
            let start_ms = at;
            at += length_ms as i64;
            Leg {
                agent: self.agent(i, k, planted),
                start_ms,
                end_ms: at,
                length_ms,
            }
        };
        (0..count).map(leg).collect()
    }

    /// Agents take turns in a shuffled order, a transfer goes to the next one; a call with wrong
    /// data has a rightly mapped agent.
    fn agent(&self, i: u64, leg: usize, planted: Option<Planted>) -> usize {
        let right = self
            .agents
            .iter()
            .filter(|agent| agent.mapped.iter().any(|row| row.in_target))
            .count();
        let among = if planted.is_none() {
            self.agents.len()
        } else {
            right.max(1)
        };
        ((self.orders.agents.rank(i) + leg as u64) % among as u64) as usize
    }

    fn routing(&self, i: u64, own: Seed, planted: Option<Planted>, inbound: bool) -> Routed {
        let right = self.queues.iter().filter(|queue| queue.in_target).count();
        let among = if planted.is_none() {
            self.queues.len()
        } else {
            right.max(1)
        };
        let queue = self.queues[(self.orders.queues.rank(i) % among as u64) as usize]
            .id
            .clone();
        let skill = &self.skills[own.child("skill").below(self.skills.len() as u64) as usize];
        Routed {
            queue,
            skill: (!own.child("skill/none").chance(0.3))
                .then(|| (skill.id.clone(), skill.name.clone())),
            ivr: inbound.then(|| format!("IVR-{}", 1 + own.child("ivr").below(20))),
        }
    }

    /// Caller and dialled number. Numbers are of the fictional 555 exchange range.
    fn numbers(&self, i: u64, own: Seed, inbound: bool) -> (String, String, bool) {
        let masked = self.orders.masked.share(i, self.settings.masked_share);
        let digits = format!("{:07}", own.child("customer").below(10_000_000));
        let customer = if masked {
            format!("+1555****{}", &digits[4..])
        } else {
            format!("+1555{digits}")
        };
        let line = format!("+1800555{:04}", 100 + own.child("line").below(20));
        if inbound {
            (customer, line, masked)
        } else {
            (line, customer, masked)
        }
    }

    fn recording(
        &self,
        i: u64,
        own: Seed,
        k: usize,
        leg: &Leg,
        planted: Option<Planted>,
        node: usize,
    ) -> Recording {
        let interaction_id = FIRST_ID + i;
        let id = format!("{interaction_id}-{}", k + 1);
        let drift_ms = self.drift(node);
        let making = making(planted);
        let codecs = &self.settings.codecs;
        let own_codec =
            || codecs[((self.orders.codecs.rank(i) + k as u64) % codecs.len() as u64) as usize];
        let codec = making.codec.unwrap_or_else(own_codec);
        let stereo = match making.channels {
            Some(channels) => channels == 2,
            None => codec.stereo() && self.orders.stereo.share(i, self.settings.stereo_share),
        };
        let roles: &[&str] = if stereo {
            &["agent", "customer"]
        } else {
            &["mixed"]
        };
        let sound = if making.sounds_alike {
            self.seed.child("world/twin")
        } else {
            own.child("sound").index(k as u64)
        };
        let class = making
            .retention_class
            .unwrap_or_else(|| RETENTION_CLASSES[own.child("class").below(3) as usize].0);
        let date = crate::time::instant(leg.start_ms - drift_ms);
        let agent = &self.agents[leg.agent].id;
        Recording {
            segment_id: Some(format!("{interaction_id}-s{}", k + 1)),
            start_ms: leg.start_ms - drift_ms,
            end_ms: leg.end_ms - drift_ms,
            drift_ms,
            duration_ms: Some(leg.length_ms as i64),
            codec: codec.name().to_owned(),
            content_type: codec.content_type().to_owned(),
            channels: roles.len() as u16,
            channel_roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            sample_rate: making.rate.unwrap_or(RATE),
            file_name: format!("{}_{agent}_{id}.{}", &date[..10], codec.extension()),
            recorder_node: Some(format!("N{}", node + 1)),
            pauses: self.pauses(i, sound, leg.length_ms, planted.map(|planted| planted.kind)),
            retention_class: Some(class.to_owned()),
            legal_hold: making
                .is_held
                .unwrap_or_else(|| self.orders.holds.share(i, self.settings.hold_share)),
            sound: Sound::Made { seed: sound, codec },
            planted,
            interaction_id,
            id,
        }
    }

    /// One pause of a fifth of the recording, somewhere inside it.
    fn pauses(&self, i: u64, sound: Seed, length_ms: u64, kind: Option<DomainKind>) -> Vec<Pause> {
        let wanted = match kind {
            // What is wrong with a pause needs one; beside what is wrong with the bytes it would be
            // a second matter.
            Some(kind) if kind.defect().on == ["world.pause"] => true,
            Some(kind) if kind.defect().on == ["world.media"] => false,
            Some(_) | None => self.orders.pauses.share(i, self.settings.pause_share),
        };
        if length_ms < 1000 || !wanted {
            return Vec::new();
        }
        let width = length_ms / 5 / GRAIN_MS * GRAIN_MS;
        let room = (length_ms - width - 400) / GRAIN_MS;
        let start_offset_ms = 200 + sound.child("pause").below(room) * GRAIN_MS;
        vec![Pause {
            start_offset_ms,
            end_offset_ms: start_offset_ms + width,
            reason: "card_number".to_owned(),
        }]
    }
}

/// How a call is made with what is planted in it.
fn making(planted: Option<Planted>) -> &'static Making {
    planted.map_or(&WHOLE, |planted| planted.kind.making())
}

/// One leg in true time.
struct Leg {
    agent: usize,
    start_ms: i64,
    end_ms: i64,
    length_ms: u64,
}

struct Routed {
    queue: String,
    skill: Option<(String, String)>,
    ivr: Option<String>,
}

fn pick(seed: Seed, choices: &[&str], none: f64) -> Option<String> {
    (!seed.child("none").chance(none))
        .then(|| choices[seed.below(choices.len() as u64) as usize].to_owned())
}

impl SourceCodec {
    /// Name as the source declares it, and as a scenario writes it.
    pub fn name(self) -> &'static str {
        match self {
            SourceCodec::Pcm => "pcm",
            SourceCodec::Mulaw => "mulaw",
            SourceCodec::Alaw => "alaw",
            SourceCodec::Adpcm => "adpcm",
            SourceCodec::Mp3 => "mp3",
            SourceCodec::Amr => "amr",
            SourceCodec::Gsm => "gsm",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            SourceCodec::Mp3 => "audio/mpeg",
            SourceCodec::Amr => "audio/amr",
            SourceCodec::Pcm
            | SourceCodec::Mulaw
            | SourceCodec::Alaw
            | SourceCodec::Adpcm
            | SourceCodec::Gsm => "audio/x-wav",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            SourceCodec::Mp3 => "mp3",
            SourceCodec::Amr => "amr",
            SourceCodec::Pcm
            | SourceCodec::Mulaw
            | SourceCodec::Alaw
            | SourceCodec::Adpcm
            | SourceCodec::Gsm => "wav",
        }
    }

    fn stereo(self) -> bool {
        !matches!(self, SourceCodec::Amr | SourceCodec::Gsm)
    }
}
