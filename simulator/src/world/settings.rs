//! `[world]`: the knobs of a generated world.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the world's format: the same version, seed and knobs give the same world in every
/// release.
pub const WORLD_VERSION: u32 = 1;

/// The source population. Every knob has a default; an imported world takes only `file` and
/// `site_zone`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorldSettings {
    /// An NDJSON file of interactions, audio beside it: an imported world instead of a generated
    /// one (`docs/guide/imported-world.md`).
    pub file: Option<PathBuf>,
    /// Number of interactions; their ids run from 100001.
    pub interactions: u64,
    /// Number of agents, `AGT-001` onwards. Neighbours share an extension.
    pub agents: u32,
    /// Of those, agents without a row in the mapping.
    pub unmapped_agents: u32,
    /// Of those, agents mapped to users the target does not have.
    pub invalid_agent_ids: u32,
    /// Of those, agent ids that belonged to one person before the middle of the window and to
    /// another after it (two mapping rows).
    pub re_used_agents: u32,
    /// Number of queues.
    pub queues: u32,
    /// Of those, queues without a row in the mapping.
    pub unmapped_queues: u32,
    /// Of those, queues mapped to queues the target does not have.
    pub invalid_queue_ids: u32,
    /// Share of interactions with two or three segments, each with its own recording.
    pub transfer_share: f64,
    /// Share of interactions without a recording.
    pub no_recording_share: f64,
    /// Share of recordings with agent and customer on channels of their own. AMR and GSM are always
    /// mono.
    pub stereo_share: f64,
    /// Share of interactions whose customer number the source shows masked.
    pub masked_share: f64,
    /// Share of recordings in which a card number is read inside a declared pause.
    pub pause_share: f64,
    /// Share of recordings under legal hold.
    pub hold_share: f64,
    /// Share of interactions whose start and end the source states in reverse order.
    pub reversed_share: f64,
    /// Number of recorder nodes, `N1` onwards.
    pub recorder_nodes: u32,
    /// Declared offset of each node, in order, in ms: source value + offset = true time. Nodes
    /// beyond the list have none.
    pub drift_ms: Vec<i64>,
    /// Codecs of the source, in equal shares.
    pub codecs: Vec<SourceCodec>,
    /// Recordings whose media is bad, as exact counts.
    pub bad_media: BadMedia,
    /// Number of recordings whose retention ended years ago: five-year class, calls of eight years
    /// before the window.
    pub expired: u64,
    /// Average length of a recording, seconds. Single ones lie within 30 % of it and are never
    /// shorter than 400 ms.
    pub mean_seconds: f64,
    /// First day of the window calls lie in, UTC, `YYYY-MM-DD`.
    pub from: String,
    /// First day after the window, UTC.
    pub to: String,
    /// Zone the recorders stand in.
    pub site_zone: String,
    /// Whether the target has the user `Historical Migration - Unknown Agent` and the plan sends
    /// unmapped agents to it; else they are quarantined.
    pub fallback_user: bool,
}

/// Codecs a source recorder may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceCodec {
    /// 16-bit PCM in WAV.
    Pcm,
    /// G.711 mu-law in WAV.
    Mulaw,
    /// G.711 A-law in WAV.
    Alaw,
    /// IMA ADPCM in WAV.
    Adpcm,
    /// MP3.
    Mp3,
    /// AMR narrow band, mono.
    Amr,
    /// GSM 06.10 in WAV, mono.
    Gsm,
}

/// Recordings whose media is bad. Each damage hits a recording of its own, in an interaction with
/// no other recording and a mapped agent and queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BadMedia {
    /// Zero bytes.
    pub empty: u64,
    /// An HTML error page.
    pub html: u64,
    /// Random bytes.
    pub noise: u64,
    /// A WAV file whose header says that it has no channels.
    pub undecodable: u64,
    /// A WAV file in a codec nobody has.
    pub unsupported: u64,
    /// An MP3 of the declared length, and behind it as much with another number of channels.
    pub incomplete: u64,
    /// A file cut off at a third: its header promises more than there is.
    pub truncated: u64,
    /// A sound file that is complete in itself and holds a third of the declared length.
    pub short: u64,
}

impl BadMedia {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.empty
            + self.html
            + self.noise
            + self.undecodable
            + self.unsupported
            + self.incomplete
            + self.truncated
            + self.short
    }
}

impl Default for WorldSettings {
    fn default() -> WorldSettings {
        WorldSettings {
            file: None,
            interactions: 40,
            agents: 12,
            unmapped_agents: 0,
            invalid_agent_ids: 0,
            re_used_agents: 1,
            queues: 4,
            unmapped_queues: 0,
            invalid_queue_ids: 0,
            transfer_share: 0.1,
            no_recording_share: 0.05,
            stereo_share: 0.5,
            masked_share: 0.1,
            pause_share: 0.15,
            hold_share: 0.05,
            reversed_share: 0.0,
            recorder_nodes: 3,
            drift_ms: Vec::new(),
            codecs: vec![SourceCodec::Pcm, SourceCodec::Mulaw, SourceCodec::Alaw],
            bad_media: BadMedia::default(),
            expired: 0,
            mean_seconds: 3.0,
            from: "2024-01-08".to_owned(),
            to: "2026-06-30".to_owned(),
            site_zone: "Europe/London".to_owned(),
            fallback_user: true,
        }
    }
}

impl WorldSettings {
    /// The window, Unix ms, half open.
    pub(crate) fn window(&self) -> Result<(i64, i64), String> {
        let midnight = |text: &str, key: &str| {
            let date: Date = text.parse().map_err(|_| {
                format!("world.{key} must be a date such as 2024-01-08, not `{text}`")
            })?;
            let zoned = date
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map_err(|error| format!("world.{key}: {error}"))?;
            Ok::<i64, String>(zoned.timestamp().as_millisecond())
        };
        let (from, to) = (midnight(&self.from, "from")?, midnight(&self.to, "to")?);
        if from < to {
            Ok((from, to))
        } else {
            Err(format!(
                "world.from ({}) must lie before world.to ({})",
                self.from, self.to
            ))
        }
    }

    /// Moves the window by whole days, so that calls are as old on `day` as they are at `start`;
    /// left out, `start` is the window's end. An imported world stays: its times are a person's
    /// own.
    pub(crate) fn move_to(&mut self, day: Date, start: Option<Timestamp>) -> Result<(), String> {
        if self.file.is_some() {
            return Ok(());
        }
        let utc = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let ends: Date = self.to.parse().map_err(|_| {
            format!(
                "world.to must be a date such as 2024-01-08, not `{}`",
                self.to
            )
        })?;
        let by = start
            .map_or(ends, utc)
            .until(day)
            .map_err(|error| format!("the world cannot be moved to {day}: {error}"))?;
        for date in [&mut self.from, &mut self.to] {
            let moved = date.parse::<Date>().and_then(|date| date.checked_add(by));
            *date = moved
                .map_err(|error| format!("the world cannot be moved to {day}: {error}"))?
                .to_string();
        }
        Ok(())
    }

    /// What is wrong, in words; the caller adds the place.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.window()?;
        let shares = [
            ("transfer_share", self.transfer_share),
            ("no_recording_share", self.no_recording_share),
            ("stereo_share", self.stereo_share),
            ("masked_share", self.masked_share),
            ("pause_share", self.pause_share),
            ("hold_share", self.hold_share),
            ("reversed_share", self.reversed_share),
        ];
        if let Some((name, share)) = shares
            .iter()
            .find(|(_, share)| !(0.0..=1.0).contains(share))
        {
            return Err(format!("world.{name} must be 0..1, not {share}"));
        }
        let special = u64::from(self.unmapped_agents)
            + u64::from(self.invalid_agent_ids)
            + u64::from(self.re_used_agents);
        if self.agents == 0 || special > u64::from(self.agents) {
            return Err(format!(
                "unmapped_agents + invalid_agent_ids + re_used_agents = {special} must fit into \
                 agents = {}",
                self.agents
            ));
        }
        let special = u64::from(self.unmapped_queues) + u64::from(self.invalid_queue_ids);
        if self.queues == 0 || special > u64::from(self.queues) {
            return Err(format!(
                "unmapped_queues + invalid_queue_ids = {special} must fit into queues = {}",
                self.queues
            ));
        }
        let victims = self.bad_media.total() + self.expired;
        if victims > self.interactions {
            return Err(format!(
                "bad_media and expired ask for {victims} recordings of {} interactions",
                self.interactions
            ));
        }
        if victims > 0
            && (self.unmapped_agents + self.invalid_agent_ids >= self.agents
                || self.unmapped_queues + self.invalid_queue_ids >= self.queues)
        {
            return Err(
                "bad_media and expired need at least one mapped agent and one mapped queue"
                    .to_owned(),
            );
        }
        if self.recorder_nodes == 0 || self.codecs.is_empty() {
            return Err("world needs at least one recorder node and one codec".to_owned());
        }
        if !(0.4..=14_400.0).contains(&self.mean_seconds) {
            return Err(format!(
                "world.mean_seconds must be 0.4..14400, not {}",
                self.mean_seconds
            ));
        }
        if self.bad_media.truncated + self.bad_media.short + self.bad_media.incomplete > 0
            && self.mean_seconds < 2.5
        {
            return Err(
                "truncated, short and incomplete media need mean_seconds of 2.5 or more, or \
                they fall inside the usual tolerance"
                    .to_owned(),
            );
        }
        if self.interactions > 10_000_000_000 {
            return Err("world.interactions must be at most 10000000000".to_owned());
        }
        jiff::tz::TimeZone::get(&self.site_zone)
            .map(|_| ())
            .map_err(|_| {
                format!(
                    "world.site_zone `{}` is not a zone of the tz database",
                    self.site_zone
                )
            })
    }
}
