//! The plan as the verifier reads it: indexed, secrets resolved, zones opened. Meaning is added nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use audio::Ffmpeg;
use jiff::tz::TimeZone;
use plan::{
    AudioFormat, Expired, FfmpegUse, Ingest, LoadedPlan, OverMax, Partial, Pauses, Phones, ShortSource, TimeUnit, UnmappedAgent,
    UnmappedQueue,
};
use uuid::Uuid;

use crate::moment::Moment;
use crate::stop::Stop;

/// What the plan demands.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) seconds: bool,
    pub(crate) naive_zone: Option<TimeZone>,
    pub(crate) site_zone: Option<TimeZone>,
    pub(crate) node_offset_ms: BTreeMap<String, i64>,
    pub(crate) agents: BTreeMap<String, Vec<AgentRow>>,
    pub(crate) queues: BTreeMap<String, Uuid>,
    pub(crate) skills: BTreeMap<String, Uuid>,
    pub(crate) wrap_ups: BTreeMap<String, Uuid>,
    pub(crate) fallback_agent: Option<AgentRow>,
    pub(crate) default_queue: Option<Uuid>,
    pub(crate) hold_partial: bool,
    pub(crate) exclusions: BTreeMap<String, String>,
    pub(crate) format: AudioFormat,
    pub(crate) short_tolerance_ms: u64,
    pub(crate) quarantine_short: bool,
    /// Whether ffmpeg reads sources that are not read here.
    pub(crate) ffmpeg: Ffmpeg,
    pub(crate) phones: PhoneRule,
    pub(crate) pauses: PauseRule,
    pub(crate) class_years: BTreeMap<String, i64>,
    pub(crate) skip_expired: bool,
    /// The target's maximum retention; read there, since no plan can know it.
    pub(crate) maximum: Maximum,
    /// Whether a date beyond it is brought forward.
    pub(crate) clamp: bool,
    /// The target was told of each call by events (the public ingestion), and shows no more of it than events can say.
    pub(crate) by_events: bool,
    /// What only Interaction Recording needs. Absent: the target is another.
    pub(crate) gir: Option<GirRules>,
    /// Agents behind one extension; from the source, for naming a damage and never for resolving an agent.
    pub(crate) extensions: BTreeMap<String, BTreeSet<String>>,
}

/// One mapping of an agent, valid in a half-open interval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AgentRow {
    /// Who it is in the target: a user id in lower case, or a user name of Interaction Recording. Empty: the row does not say.
    pub(crate) user: String,
    /// Interaction Recording: login. Absent: none.
    pub(crate) login: Option<String>,
    /// Interaction Recording: access group of recordings. Absent: none.
    pub(crate) access_group: Option<String>,
    pub(crate) from: Option<Moment>,
    pub(crate) to: Option<Moment>,
    /// Line in the file, counted from 1; 0: no row is there.
    pub(crate) line: u64,
}

/// What Interaction Recording needs. Source: docs/gir.md.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GirRules {
    /// Region of every recording.
    pub(crate) region: String,
    /// `st-batch-<namespace>`.
    pub(crate) batch_label: String,
    /// Partition by queue of the source; queues without one are left out.
    pub(crate) partitions: BTreeMap<String, String>,
    /// The site's purge rules, as declared.
    pub(crate) purge: Vec<PurgeRule>,
    /// Whether files are encrypted.
    pub(crate) encrypted: bool,
}

/// A purge rule of the site, as declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PurgeRule {
    /// Age at which it deletes. Days of 24 hours.
    pub(crate) after_days: i64,
    /// Only calls of this type. Absent: any.
    pub(crate) call_type: Option<String>,
    /// Only calls with this label. Absent: any.
    pub(crate) label: Option<String>,
}

/// The organisation's maximum retention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maximum {
    /// There is none.
    None,
    /// So many days from the start of the call.
    Days(u32),
    /// It could not be read, and what would be needed.
    Unread(String),
}

/// What becomes of phone numbers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PhoneRule {
    Keep,
    Mask,
    Hash(Vec<u8>),
}

/// What must be audible inside a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseRule {
    Keep,
    Silence,
    Tone,
}

/// What an id is looked up by, in the tables and in the source alike: blanks and control characters around it are padding. Zeros are not.
pub(crate) fn padless(id: &str) -> &str {
    id.trim_matches(|c: char| c.is_control() || c.is_whitespace())
}

impl Rules {
    /// Reads the plan. The error names what cannot be used.
    pub(crate) fn new(loaded: &LoadedPlan) -> Result<Rules, Stop> {
        let plan = &loaded.plan;
        let mapping = &loaded.mapping;
        let is_gir = plan.target.gir().is_some();
        let mut agents: BTreeMap<String, Vec<AgentRow>> = BTreeMap::new();
        // A row for `*` is for nobody but the fallback.
        for row in mapping.agents.iter().filter(|row| !is_gir || row.legacy_agent_id != "*") {
            agents.entry(padless(&row.legacy_agent_id).to_owned()).or_default().push(agent_row(row, is_gir));
        }
        Ok(Rules {
            seconds: plan.time.unit == TimeUnit::S,
            by_events: plan.target.genesys_cloud().is_some_and(|cloud| cloud.ingest == Ingest::Public),
            naive_zone: zone("time.naive_zone", plan.time.naive_zone.as_deref())?,
            site_zone: zone("time.site_zone", plan.time.site_zone.as_deref())?,
            node_offset_ms: plan.time.node.iter().map(|(node, time)| (node.clone(), time.offset_ms)).collect(),
            agents,
            queues: mapping.queues.iter().map(|row| (padless(&row.legacy_queue_id).to_owned(), row.genesys_queue_id)).collect(),
            skills: mapping.skills.iter().map(|row| (padless(&row.legacy_skill).to_owned(), row.genesys_skill_id)).collect(),
            wrap_ups: mapping.wrapups.iter().map(|row| (padless(&row.legacy_code).to_owned(), row.genesys_wrapup_id)).collect(),
            fallback_agent: match plan.rules.unmapped_agent {
                UnmappedAgent::Fallback(user) if is_gir => Some(fallback(user, &mapping.agents)),
                UnmappedAgent::Fallback(user) => Some(AgentRow { user: user.to_string(), ..AgentRow::default() }),
                UnmappedAgent::Quarantine => None,
            },
            default_queue: match plan.rules.unmapped_queue {
                UnmappedQueue::Default(queue) => Some(queue),
                UnmappedQueue::Skip => None,
            },
            hold_partial: plan.rules.partial == Partial::Hold,
            exclusions: loaded.exclusions.iter().map(|row| (row.legacy_recording_id.clone(), row.reason.clone())).collect(),
            format: plan.audio.format,
            short_tolerance_ms: plan.audio.short_tolerance_ms,
            quarantine_short: plan.audio.short_source == ShortSource::Quarantine,
            ffmpeg: if plan.audio.ffmpeg == FfmpegUse::Never { Ffmpeg::Never } else { Ffmpeg::Auto },
            phones: match &plan.pii.phones {
                Phones::Keep => PhoneRule::Keep,
                Phones::Mask => PhoneRule::Mask,
                Phones::Hash(key) => PhoneRule::Hash(loaded.secret(key, "pii.phones")?.expose_the_secret().as_bytes().to_vec()),
            },
            pauses: match plan.pii.pauses {
                Pauses::Keep => PauseRule::Keep,
                Pauses::Silence | Pauses::Seal(_) => PauseRule::Silence,
                Pauses::Tone => PauseRule::Tone,
            },
            class_years: plan.retention.class.iter().map(|(name, class)| (name.clone(), class.years)).collect(),
            skip_expired: plan.retention.expired == Expired::Skip,
            maximum: Maximum::None,
            clamp: plan.retention.over_max == OverMax::Clamp,
            gir: plan.target.gir().map(|gir| gir_rules(gir, loaded)),
            extensions: BTreeMap::new(),
        })
    }
}

fn agent_row(row: &plan::AgentRow, is_gir: bool) -> AgentRow {
    AgentRow {
        user: if is_gir { row.gir_username().unwrap_or_default().to_owned() } else { row.genesys_user_id.to_string() },
        login: row.gir_login().map(str::to_owned),
        access_group: row.gir_access_group().map(str::to_owned),
        from: row.valid_from.map(Moment::from),
        to: row.valid_to.map(Moment::from),
        line: row.line,
    }
}

/// Who the plan's stand-in is in Interaction Recording: the row with its id.
fn fallback(user: Uuid, rows: &[plan::AgentRow]) -> AgentRow {
    let row = rows.iter().find(|row| row.genesys_user_id == user);
    row.map(|row| AgentRow { from: None, to: None, ..agent_row(row, true) }).unwrap_or_default()
}

fn gir_rules(gir: &plan::target::Gir, loaded: &LoadedPlan) -> GirRules {
    let plan = &loaded.plan;
    let partitions =
        loaded.mapping.queues.iter().filter_map(|row| Some((padless(&row.legacy_queue_id).to_owned(), row.gir_partition()?.to_owned())));
    let purge = plan.retention.gir_rule.iter();
    GirRules {
        region: gir.region.clone(),
        batch_label: format!("st-batch-{}", plan.identity.namespace),
        partitions: partitions.collect(),
        purge: purge
            .map(|rule| PurgeRule { after_days: rule.after_days, call_type: rule.call_type.clone(), label: rule.label.clone() })
            .collect(),
        encrypted: !gir.certificates.is_empty(),
    }
}

fn zone(key: &str, name: Option<&str>) -> Result<Option<TimeZone>, Stop> {
    let Some(name) = name else { return Ok(None) };
    TimeZone::get(name)
        .map(Some)
        .map_err(|_| Stop::Plan(format!("{key} `{name}` is not a known time zone; use an IANA name such as Europe/London")))
}
