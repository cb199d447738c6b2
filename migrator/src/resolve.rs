//! Legacy ids to target ids, by the mapping tables as they were valid at the call's date; never by
//! phone number or extension.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Span, Timestamp, tz::TimeZone};
use plan::{
    AgentRow, Expired, LoadedPlan, OverMax, QueueRow, Reason, UnmappedAgent, UnmappedQueue,
};
use uuid::Uuid;

use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::Aside;
use crate::ledger::StandIn;
use crate::legacy_id::key;

/// Who an agent is in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agent {
    Mapped(Uuid),
    Fallback(Uuid),
}

impl Agent {
    pub(crate) fn user(self) -> Uuid {
        match self {
            Agent::Mapped(user) | Agent::Fallback(user) => user,
        }
    }
}

/// What a table of agents says of one at a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// A row holds.
    Valid,
    /// It has rows, and none of them holds at that date.
    NotValidThen,
    /// It has none.
    NoRow,
}

/// The mapping tables, ready to be asked.
pub(crate) struct Resolver {
    plan: Arc<LoadedPlan>,
    /// What the target keeps at most, in days from the call's start. Absent: no maximum is known.
    maximum_days: Option<u32>,
    agents: HashMap<String, Vec<AgentRow>>,
    queues: HashMap<String, Uuid>,
    skills: HashMap<String, Uuid>,
    wrapups: HashMap<String, Uuid>,
}

/// An interaction's ids in the target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolved {
    /// Agent of each leg, in the canonical order; `None` where no agent took it.
    pub(crate) segment_agents: Vec<Option<Agent>>,
    /// The agent of a call without legs.
    pub(crate) agent: Option<Agent>,
    pub(crate) queue: Option<Uuid>,
    pub(crate) skill: Option<Uuid>,
    pub(crate) wrap_up: Option<Uuid>,
    /// A wrap-up code that stands in no table: carried as text.
    pub(crate) wrap_up_without_mapping: Option<String>,
    /// Agents without a valid row at the call's date, in whose place the plan's stand-in goes. Each
    /// once.
    pub(crate) stand_in_agents: Vec<String>,
    /// A queue without a row, in whose place the plan's default goes.
    pub(crate) stand_in_queue: Option<String>,
    /// A skill that stands in no table: not carried.
    pub(crate) skill_without_mapping: bool,
    /// A recording's retention class stands nowhere in the plan: no deletion date is sent, it is
    /// kept until somebody decides.
    pub(crate) class_without_years: bool,
}

impl Resolved {
    /// Everybody who took the call, leg by leg; a source that lists no legs names one agent for all
    /// of it.
    pub(crate) fn agents(&self) -> impl Iterator<Item = Agent> {
        let alone = if self.segment_agents.is_empty() {
            self.agent
        } else {
            None
        };
        self.segment_agents.iter().copied().flatten().chain(alone)
    }
}

impl Resolved {
    /// Whom the plan's stand-in replaces, as JSON. Absent: nobody.
    pub(crate) fn stand_in(&self) -> Option<String> {
        if self.stand_in_agents.is_empty() && self.stand_in_queue.is_none() {
            return None;
        }
        serde_json::to_string(&StandIn {
            agents: self.stand_in_agents.clone(),
            queue: self.stand_in_queue.clone(),
        })
        .ok()
    }
}

impl Resolver {
    pub(crate) fn new(plan: Arc<LoadedPlan>, maximum_days: Option<u32>) -> Resolver {
        let mut agents: HashMap<String, Vec<AgentRow>> = HashMap::new();
        for row in &plan.mapping.agents {
            agents
                .entry(key(&row.legacy_agent_id).to_owned())
                .or_default()
                .push(row.clone());
        }
        let mapping = &plan.mapping;
        Resolver {
            agents,
            queues: mapping
                .queues
                .iter()
                .map(|row| (key(&row.legacy_queue_id).to_owned(), row.genesys_queue_id))
                .collect(),
            skills: mapping
                .skills
                .iter()
                .map(|row| (key(&row.legacy_skill).to_owned(), row.genesys_skill_id))
                .collect(),
            wrapups: mapping
                .wrapups
                .iter()
                .map(|row| (key(&row.legacy_code).to_owned(), row.genesys_wrapup_id))
                .collect(),
            plan,
            maximum_days,
        }
    }

    /// All ids of an interaction, or the reason it stays behind.
    pub(crate) fn resolve(&self, record: &Canonical) -> Result<Resolved, Aside> {
        let at = record.legacy_start_time;
        let queue = self.queue(record.queue_legacy_id.as_deref())?;
        let first = record
            .agent_legacy_id
            .as_deref()
            .filter(|_| record.segments.is_empty());
        let agent = first.map(|agent| self.agent(agent, at)).transpose()?;
        let agents = record.segments.iter().map(|segment| {
            segment
                .agent_legacy_id
                .as_deref()
                .map(|agent| self.agent(agent, at))
                .transpose()
        });
        let wrap_up = record
            .wrap_up_code
            .as_deref()
            .map(|code| self.wrapups.get(key(code)).copied().ok_or(code));
        let skill = record
            .skill_legacy
            .as_deref()
            .map(|skill| self.skills.get(key(skill)).copied());
        let segment_agents: Vec<Option<Agent>> = agents.collect::<Result<_, _>>()?;
        let legs = record
            .segments
            .iter()
            .map(|segment| segment.agent_legacy_id.as_deref())
            .zip(&segment_agents);
        let everybody = legs.chain(std::iter::once((first, &agent)));
        let replaced = everybody
            .filter(|(_, agent)| matches!(agent, Some(Agent::Fallback(_))))
            .filter_map(|(legacy, _)| legacy);
        let mut stand_in_agents: Vec<String> = replaced.map(str::to_owned).collect();
        stand_in_agents.sort_unstable();
        stand_in_agents.dedup();
        let no_row = |queue: &&String| !self.queues.contains_key(key(queue));
        Ok(Resolved {
            stand_in_agents,
            stand_in_queue: record.queue_legacy_id.as_ref().filter(no_row).cloned(),
            segment_agents,
            agent,
            queue,
            skill: skill.flatten(),
            wrap_up: wrap_up.and_then(Result::ok),
            wrap_up_without_mapping: wrap_up.and_then(Result::err).map(str::to_owned),
            skill_without_mapping: skill == Some(None),
            class_without_years: record.recordings.iter().any(|recording| {
                recording.delete_at.is_none()
                    && recording
                        .retention_class
                        .as_ref()
                        .is_some_and(|class| !self.plan.plan.retention.class.contains_key(class))
            }),
        })
    }

    fn agent(&self, legacy: &str, at: Timestamp) -> Result<Agent, Aside> {
        let row = self
            .agents
            .get(key(legacy))
            .and_then(|rows| rows.iter().find(|row| is_valid(row, at)));
        match (row, self.plan.plan.rules.unmapped_agent) {
            (Some(row), _) => Ok(Agent::Mapped(row.genesys_user_id)),
            (None, UnmappedAgent::Fallback(user)) => Ok(Agent::Fallback(user)),
            (None, UnmappedAgent::Quarantine) => {
                let known = if self.agents.contains_key(key(legacy)) {
                    "no row that is valid"
                } else {
                    "no row"
                };
                Err(Aside::new(
                    Reason::UnmappedAgent,
                    format!("agent {legacy} has {known} on {at:.0} in mapping.agents"),
                ))
            }
        }
    }

    /// What the table says of an agent at a date.
    pub(crate) fn lookup(&self, legacy: &str, at: Timestamp) -> Lookup {
        match self.agents.get(key(legacy)) {
            None => Lookup::NoRow,
            Some(rows) if rows.iter().any(|row| is_valid(row, at)) => Lookup::Valid,
            Some(_) => Lookup::NotValidThen,
        }
    }

    /// Whether a queue has a row.
    pub(crate) fn has_queue(&self, legacy: &str) -> bool {
        self.queues.contains_key(key(legacy))
    }

    /// The row that says who an agent is at a date; for one without a mapping, that of the user who
    /// stands in.
    pub(crate) fn row_of(&self, legacy: &str, at: Timestamp) -> Option<&AgentRow> {
        match self.agent(legacy, at).ok()? {
            Agent::Mapped(user) => self
                .agents
                .get(key(legacy))?
                .iter()
                .find(|row| row.genesys_user_id == user && is_valid(row, at)),
            Agent::Fallback(user) => self
                .plan
                .mapping
                .agents
                .iter()
                .find(|row| row.genesys_user_id == user),
        }
    }

    /// The row of a queue.
    pub(crate) fn queue_row(&self, legacy_queue_id: &str) -> Option<&QueueRow> {
        self.plan
            .mapping
            .queues
            .iter()
            .find(|row| key(&row.legacy_queue_id) == key(legacy_queue_id))
    }

    fn queue(&self, legacy: Option<&str>) -> Result<Option<Uuid>, Aside> {
        let Some(legacy) = legacy else {
            return Ok(None);
        };
        match (
            self.queues.get(key(legacy)),
            self.plan.plan.rules.unmapped_queue,
        ) {
            (Some(queue), _) => Ok(Some(*queue)),
            (None, UnmappedQueue::Default(queue)) => Ok(Some(queue)),
            (None, UnmappedQueue::Skip) => Err(Aside::new(
                Reason::UnmappedQueue,
                format!("queue {legacy} has no row in mapping.queues"),
            )),
        }
    }

    /// When a recording is to be deleted: the date the source states, else its class's years from
    /// the call's end, and under
    /// `over_max = "clamp"` no later than the target keeps anything. Absent: no class, or one the
    /// plan does not know.
    pub(crate) fn delete_date(
        &self,
        record: &Canonical,
        recording: &CanonicalRecording,
    ) -> Option<Timestamp> {
        let date = self.stated_date(record, recording)?;
        let last = self
            .last_date(record)
            .filter(|_| self.plan.plan.retention.over_max == OverMax::Clamp);
        Some(last.map_or(date, |last| date.min(last)))
    }

    /// The date the source states, else its class's years from the call's end.
    fn stated_date(&self, record: &Canonical, recording: &CanonicalRecording) -> Option<Timestamp> {
        if recording.delete_at.is_some() {
            return recording.delete_at;
        }
        let class = self
            .plan
            .plan
            .retention
            .class
            .get(recording.retention_class.as_deref()?)?;
        let end = record.legacy_end_time.to_zoned(TimeZone::UTC);
        end.checked_add(Span::new().try_years(class.years).ok()?)
            .ok()
            .map(|date| date.timestamp())
    }

    /// The latest deletion date the target takes for a call. Source: platform API,
    /// recording.recording.analytics.retention.violation; counted from the call's start, assumed.
    fn last_date(&self, record: &Canonical) -> Option<Timestamp> {
        let days = self.maximum_days?;
        record
            .legacy_start_time
            .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
            .ok()
    }

    /// Why a recording's retention keeps it behind, if it does. A held call always goes whole: the
    /// hold outranks the expiry. What would be deleted at once when its date is brought forward
    /// stays behind like what may not be brought forward.
    pub(crate) fn retention_exclusion(
        &self,
        record: &Canonical,
        recording: &CanonicalRecording,
        now: Timestamp,
    ) -> Option<Aside> {
        let date = self.stated_date(record, recording)?;
        let held = record.is_held();
        if date <= now && !held && self.plan.plan.retention.expired == Expired::Skip {
            return Some(Aside::new(
                Reason::Expired,
                format!("its retention ended on {date:.0}"),
            ));
        }
        let last = self.last_date(record).filter(|last| date > *last)?;
        let goes = self.plan.plan.retention.over_max == OverMax::Clamp && last > now;
        (!goes).then(|| {
            let what = format!(
                "its retention ends on {date:.0}, and the target keeps it until {last:.0} at most"
            );
            Aside::new(Reason::RetentionOverMax, what)
        })
    }
}

/// Where the ledger keeps the target's maximum retention as the last run read it, for who has no
/// target at hand; empty: none.
pub(crate) const MAXIMUM_DAYS: &str = "maximum_days";

/// Validity is half open.
fn is_valid(row: &AgentRow, at: Timestamp) -> bool {
    row.valid_from.is_none_or(|from| from <= at) && row.valid_to.is_none_or(|to| at < to)
}
