//! An organisation that recordings are moved from: its calls are those of a world, as if they had
//! been taken and recorded here, and some of them had been imported from elsewhere before.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{
        Annotation, Conversation, Direction, FileState, Participant, QueueNamed, Recording, Role,
        Segment,
    },
    rules,
    settings::{Directory, Entry},
    stores::StoredFile,
};
use crate::seed::Seed;
use crate::world::{self, Interaction, Mapped, PhoneNumber, World};

/// Share of calls that were imported from another platform before, and carry its tag.
const IMPORTED_SHARE: f64 = 0.25;
/// Share of legs in which the customer was put on hold for a while.
const HOLD_SHARE: f64 = 0.2;
/// No leg shorter than this is put on hold. Milliseconds.
const HOLD_LEG_MS: i64 = 1_000;

impl Directory {
    /// The people, queues, codes and skills of a world whose ids are an organisation's own.
    pub(crate) fn of_source(world: &World, seed: Seed, site_zone: &str) -> Directory {
        let own = seed.child("source_organisation");
        let entries = |mapped: &[Mapped]| {
            let entry = |one: &Mapped| Some(Entry::new(one.id.parse().ok()?, &*one.name, "active"));
            sorted(mapped.iter().filter_map(entry).collect())
        };
        let user = |agent: &world::Agent| {
            let state = if agent.active { "active" } else { "inactive" };
            Some(Entry::new(agent.id.parse().ok()?, &*agent.name, state))
        };
        Directory {
            agents: Vec::new(),
            users: sorted(world.agents().iter().filter_map(user).collect()),
            queues: entries(world.queues()),
            wrapups: entries(world.wrapups()),
            skills: entries(world.skills()),
            divisions: Vec::new(),
            placed: BTreeMap::new(),
            retention_tags: Vec::new(),
            site_zone: site_zone.to_owned(),
            client_id: own.child("client").uuid().to_string(),
            client_secret: format!(
                "gcs-{:016x}{:016x}",
                own.child("secret/a").value(),
                own.child("secret/b").value()
            ),
        }
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| entry.id);
    entries
}

impl GenesysCloud {
    /// Takes in every call of a world, with the bytes of its recordings.
    pub(crate) fn fill(&self, world: &World) -> std::io::Result<()> {
        self.mark(&rules::NATIVE_CALLS);
        let years: BTreeMap<String, i64> = world.retention_classes().into_iter().collect();
        for i in 0..world.count() {
            let call = world.interaction(i);
            let held = self.native(world, &call, &years)?;
            self.state.lock().conversations.put(held);
        }
        Ok(())
    }

    fn native(
        &self,
        world: &World,
        call: &Interaction,
        years: &BTreeMap<String, i64>,
    ) -> std::io::Result<Conversation> {
        let own = self.seed().child("native").index(call.id);
        // What the recorder's clock said to what was true.
        let drift_ms = call.true_start_ms - call.start_ms.min(call.end_ms);
        let (start_ms, end_ms) = (call.true_start_ms, call.true_end_ms);
        let legs = Legs::of(call, own, drift_ms);
        let mut recordings = Vec::new();
        for one in &call.recordings {
            let media = world
                .media(one)
                .map_err(|error| std::io::Error::other(error.to_string()))?;
            let file = own.child("file").child(&one.id).uuid();
            let stored = StoredFile {
                name: one.file_name.clone(),
                content_type: one.content_type.clone(),
                bytes: media.bytes.len() as u64,
                sha256: self.spool.store(&media.bytes)?,
            };
            self.state.lock().files.put(file, stored);
            let (from, to) = (one.start_ms.min(one.end_ms), one.start_ms.max(one.end_ms));
            let class = one.retention_class.as_ref();
            let kept = class.and_then(|class| years.get(class));
            recordings.push(Recording {
                id: own.child("recording").child(&one.id).uuid(),
                segment: legs.of_recording(one),
                status: None,
                url: None,
                file: Some(file),
                duration_ms: u64::try_from(to - from).ok(),
                start_ms: from + one.drift_ms,
                end_ms: to + one.drift_ms,
                tag: None,
                delete_at_ms: kept.and_then(|years| years_after(end_ms, *years)),
                annotations: one.pauses.iter().map(pause).collect(),
                file_state: FileState::Available,
                created_at_ms: end_ms,
                shown_from_ms: 0,
                originating_id: None,
                archive_at_ms: None,
                export_at_ms: None,
                restored_at_ms: None,
            });
        }
        recordings.sort_by_key(|one| (one.start_ms, one.id));
        let is_imported = own.child("imported").chance(IMPORTED_SHARE);
        Ok(Conversation {
            id: own.child("conversation").uuid(),
            external_tag: is_imported.then(|| format!("old-platform:{}", call.id)),
            direction: if call.inbound {
                Direction::Inbound
            } else {
                Direction::Outbound
            },
            start_ms,
            end_ms,
            participants: legs.participants,
            queue: uuid(call.queue_id.as_ref()).map(|id| QueueNamed { id, name: None }),
            skills: uuid(call.skill.as_ref()).into_iter().collect(),
            attributes: attributes(call),
            protected: call.recordings.iter().any(|one| one.legal_hold),
            segments: legs.segments,
            recordings,
            created_at_ms: end_ms,
            shown_from_ms: 0,
            other_attributes: BTreeMap::new(),
        })
    }
}

/// Who took part, each by a communication of their own.
struct Legs {
    participants: Vec<Participant>,
    segments: Vec<Segment>,
    /// The customer's communication.
    customer: Uuid,
    /// Communication of each leg of the world.
    of_world: BTreeMap<String, Uuid>,
}

impl Legs {
    fn of(call: &Interaction, own: Seed, drift_ms: i64) -> Legs {
        let full = |number: &Option<PhoneNumber>| {
            number.as_ref().map(|number| number.in_full().to_owned())
        };
        let (ani, dnis) = (full(&call.caller_number), full(&call.dialled_number));
        let customer = own.child("customer").uuid();
        let whole = (call.true_start_ms, call.true_end_ms);
        let mut legs = Legs {
            participants: vec![Participant {
                phone: if call.inbound {
                    ani.clone()
                } else {
                    dnis.clone()
                },
                ani,
                dnis,
                ..somebody(customer, Role::Customer, customer)
            }],
            segments: vec![segment(customer, customer, whole)],
            customer,
            of_world: BTreeMap::new(),
        };
        if call.queue_id.is_some() {
            let queue = own.child("acd").uuid();
            legs.participants.push(somebody(queue, Role::Acd, queue));
            let waited = (whole.0, (whole.0 + call.wait_ms.max(0)).min(whole.1));
            legs.segments.push(segment(queue, queue, waited));
        }
        let count = call.segments.len();
        for (at, leg) in call.segments.iter().enumerate() {
            let Some(user) = uuid(leg.agent_id.as_ref()) else {
                continue;
            };
            let communication = own.child("leg").child(&leg.id).uuid();
            legs.of_world.insert(leg.id.clone(), communication);
            let wrap_up = uuid(call.wrap_up_code.as_ref()).filter(|_| at + 1 == count);
            legs.participants.push(Participant {
                wrap_up,
                ..somebody(user, Role::Agent, communication)
            });
            let span = (
                leg.start_ms.min(leg.end_ms) + drift_ms,
                leg.start_ms.max(leg.end_ms) + drift_ms,
            );
            let length = span.1 - span.0;
            let is_held =
                length >= HOLD_LEG_MS && own.child("hold").index(at as u64).chance(HOLD_SHARE);
            let hold = (span.0 + length / 3, span.0 + length / 2);
            legs.segments.push(Segment {
                holds: is_held.then_some(hold).into_iter().collect(),
                ..segment(communication, user, span)
            });
        }
        legs
    }

    /// The leg a recording was made on; the trunk's where it is of no agent.
    fn of_recording(&self, one: &world::Recording) -> Uuid {
        let leg = one.segment_id.as_ref();
        leg.and_then(|leg| self.of_world.get(leg))
            .copied()
            .unwrap_or(self.customer)
    }
}

fn somebody(id: Uuid, role: Role, communication: Uuid) -> Participant {
    Participant {
        id,
        role,
        name: None,
        wrap_up: None,
        phone: None,
        ani: None,
        dnis: None,
        communication: Some(communication),
        wrap_up_words: None,
    }
}

fn segment(communication: Uuid, participant: Uuid, (start_ms, end_ms): (i64, i64)) -> Segment {
    Segment {
        id: communication,
        participant: Some(participant),
        start_ms,
        end_ms,
        answered_ms: start_ms,
        holds: Vec::new(),
        how_ended: Some("peer"),
        is_open: false,
    }
}

fn pause(pause: &world::Pause) -> Annotation {
    Annotation {
        kind: "pause".to_owned(),
        reason: Some("SecurePause".to_owned()),
        location_ms: pause.start_offset_ms,
        duration_ms: pause.end_offset_ms.saturating_sub(pause.start_offset_ms),
        ..Annotation::default()
    }
}

fn uuid(text: Option<&String>) -> Option<Uuid> {
    text?.parse().ok()
}

fn years_after(at_ms: i64, years: i64) -> Option<i64> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let span = jiff::Span::new().try_years(years).ok()?;
    let then = at.checked_add(span).ok()?;
    Some(then.timestamp().as_millisecond())
}

/// What flows and scripts set on a customer.
fn attributes(call: &Interaction) -> BTreeMap<String, String> {
    let stated = [
        ("CustomerReference", Some(format!("C-{}", call.id))),
        ("Flow", call.ivr_node_id.clone()),
        ("Outcome", call.disposition_code.clone()),
    ];
    let set = stated.into_iter();
    set.filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
