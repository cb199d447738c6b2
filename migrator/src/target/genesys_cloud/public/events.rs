//! A call as the public ingestion is told it: events of its communications, and what is written on
//! it afterwards. Source: platform API, BatchConversationEventRequest; docs/reference/identity.md
//! and fields.md.

use std::collections::BTreeMap;

use jiff::Timestamp;
use platforms::genesys_cloud::public::{
    Disposition, Ended, Established, Event, Head, InitialConfiguration, SourceConfiguration,
};

use super::super::names::Names;
use crate::canonical::{Canonical, CanonicalRecording};
use crate::ledger::RecordingRow;
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::target::attributes::attributes;
use crate::time::iso;
use crate::upload_source::recordings_to_send;

/// Everything that is sent of one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConversationEvents {
    /// Conversation id, chosen here.
    pub(crate) conversation: String,
    /// Becomes the conversation's external tag.
    pub(crate) tag: String,
    /// In the order they happened.
    pub(crate) events: Vec<Event>,
    /// Of the customer's participant.
    pub(crate) attributes: BTreeMap<String, String>,
    /// A hold on one recording protects the whole conversation: a declared widening.
    pub(crate) protect: bool,
    /// Those that go.
    pub(crate) recordings: Vec<RecordingUpload>,
}

/// A recording as its upload describes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecordingUpload {
    /// Source's id.
    pub(crate) legacy_id: String,
    /// Recording id, chosen here.
    pub(crate) id: String,
    /// The communication it was made on.
    pub(crate) communication: String,
    pub(crate) start: String,
    pub(crate) end: String,
    /// Absent: never deleted.
    pub(crate) delete_date: Option<String>,
    /// First millisecond and length of each pause, from the recording's start.
    pub(crate) pauses_ms: Vec<(i64, i64)>,
}

/// Tells a call.
pub(crate) fn build_events(
    names: &Names<'_>,
    resolver: &Resolver,
    phones: &PhoneRule,
    record: &Canonical,
    resolved: &Resolved,
    rows: &[RecordingRow],
) -> ConversationEvents {
    let mut teller = EventBuilder {
        names,
        record,
        events: Vec::new(),
    };
    let customer = teller.customer(phones);
    let legs = teller.legs(resolved);
    teller.queue(resolved, &legs);
    teller.wrap_up(resolved, &legs, &customer);
    teller.events.sort_by(|a, b| order(a).cmp(&order(b)));
    let upload = |recording: &CanonicalRecording| RecordingUpload {
        legacy_id: recording.legacy_recording_id.clone(),
        id: names.random_id("recording", &recording.legacy_recording_id),
        communication: communication_of(record, recording, &legs)
            .unwrap_or(&customer)
            .to_owned(),
        start: iso(recording.start),
        end: iso(recording.end),
        delete_date: resolver.delete_date(record, recording).map(iso),
        pauses_ms: recording
            .pauses_ms
            .iter()
            .map(|(start, end)| (*start, end - start))
            .collect(),
    };
    ConversationEvents {
        conversation: conversation_id(names, record),
        tag: names.external_tag(&record.legacy_interaction_id),
        events: teller.events,
        attributes: attributes(Some(names.carrier), record, resolved),
        protect: record.is_held(),
        recordings: recordings_to_send(record, rows)
            .into_iter()
            .map(|(recording, _)| upload(recording))
            .collect(),
    }
}

fn conversation_id(names: &Names<'_>, record: &Canonical) -> String {
    names.random_id("interaction", &record.legacy_interaction_id)
}

/// At the same instant what begins comes before what is said of it, and what ends comes last.
fn order(event: &Event) -> (&str, u8) {
    let rank = match event {
        Event::External(_) | Event::Routing(_) | Event::User(_) => 0,
        Event::Disposition(_) => 1,
        Event::Ended(_) => 2,
    };
    (&event.head().event_date_time, rank)
}

/// An agent's leg that was told.
struct Leg {
    communication: String,
    /// Which of the source's; absent where it lists none.
    segment: Option<usize>,
    start: Timestamp,
}

/// The leg a recording was made on: its own, else the first agent's.
fn communication_of<'a>(
    record: &Canonical,
    recording: &CanonicalRecording,
    legs: &'a [Leg],
) -> Option<&'a str> {
    let segment = recording.legacy_segment_id.as_ref().and_then(|id| {
        record
            .segments
            .iter()
            .position(|leg| leg.legacy_segment_id == *id)
    });
    match segment {
        // A leg without an agent is not told: what was recorded on it hangs on the customer's side.
        Some(at) => legs.iter().find(|leg| leg.segment == Some(at)),
        None => legs.first(),
    }
    .map(|leg| leg.communication.as_str())
}

struct EventBuilder<'a> {
    names: &'a Names<'a>,
    record: &'a Canonical,
    events: Vec<Event>,
}

impl EventBuilder<'_> {
    fn head(&self, what: &str, communication: &str, at: Timestamp) -> Head {
        Head {
            event_id: self
                .names
                .random_id("event", &format!("{what}:{communication}")),
            event_date_time: iso(at),
            conversation_id: conversation_id(self.names, self.record),
            communication_id: communication.to_owned(),
        }
    }

    fn communication(&self, what: &str) -> String {
        self.names.random_id(
            "communication",
            &format!("{}:{what}", self.record.legacy_interaction_id),
        )
    }

    fn established(&self, communication: &str, at: Timestamp, is_recorded: bool) -> Established {
        Established {
            head: self.head("established", communication, at),
            ani: None,
            dnis: None,
            queue_id: None,
            skill_ids: Vec::new(),
            user_id: None,
            initial_configuration: InitialConfiguration {
                alerting: false,
                inbound: !self.record.is_outbound(),
                recording_active: is_recorded,
            },
            source_configuration: SourceConfiguration {
                source_id: self.names.namespace().to_owned(),
                interaction_id: self.record.legacy_interaction_id.clone(),
                tag_id: self.names.external_tag(&self.record.legacy_interaction_id),
            },
        }
    }

    fn ended(&mut self, communication: &str, at: Timestamp, disconnect_type: &'static str) {
        let head = self.head("ended", communication, at);
        self.events.push(Event::Ended(Ended {
            head,
            disconnect_type,
        }));
    }

    /// The customer's side, as long as the call.
    fn customer(&mut self, phones: &PhoneRule) -> String {
        let protect =
            |number: &Option<String>| number.as_deref().and_then(|number| phones.apply(number));
        let communication = self.communication("customer");
        let event = Established {
            ani: protect(&self.record.caller_number),
            dnis: protect(&self.record.dialled_number),
            ..self.established(&communication, self.record.legacy_start_time, false)
        };
        self.events.push(Event::External(event));
        self.ended(&communication, self.record.legacy_end_time, "Self");
        communication
    }

    /// The legs that have an agent; a source that lists none names one agent for all of the call.
    /// None is told beyond the call: the conversation is as long as its events, and what is said at
    /// the call's end would come before a leg that begins later.
    fn legs(&mut self, resolved: &Resolved) -> Vec<Leg> {
        let mut spans: Vec<(Option<usize>, String, String, Timestamp, Timestamp)> = Vec::new();
        let (start, end) = (self.record.legacy_start_time, self.record.legacy_end_time);
        for (at, segment) in self.record.segments.iter().enumerate() {
            if let Some(agent) = resolved.segment_agents.get(at).copied().flatten() {
                let key = self.communication(&format!("leg:{}", segment.legacy_segment_id));
                spans.push((
                    Some(at),
                    agent.user().to_string(),
                    key,
                    segment.start.clamp(start, end),
                    segment.end.clamp(start, end),
                ));
            }
        }
        if let Some(agent) = resolved.agent.filter(|_| self.record.segments.is_empty()) {
            spans.push((
                None,
                agent.user().to_string(),
                self.communication("agent"),
                start,
                end,
            ));
        }
        let last = spans.iter().map(|span| span.4).max();
        let mut legs = Vec::new();
        for (segment, user, communication, start, end) in spans {
            let event = Established {
                user_id: Some(user),
                ..self.established(&communication, start, true)
            };
            self.events.push(Event::User(event));
            self.ended(
                &communication,
                end,
                if Some(end) == last {
                    "Peer"
                } else {
                    "TransferUser"
                },
            );
            legs.push(Leg {
                communication,
                segment,
                start,
            });
        }
        legs
    }

    /// The queue, from the call's start until an agent took it.
    fn queue(&mut self, resolved: &Resolved, legs: &[Leg]) {
        let Some(queue) = resolved.queue else { return };
        let communication = self.communication("queue");
        let (start, end) = (self.record.legacy_start_time, self.record.legacy_end_time);
        let taken = legs.iter().map(|leg| leg.start).min().unwrap_or(end);
        let event = Established {
            queue_id: Some(queue.to_string()),
            skill_ids: resolved.skill.iter().map(ToString::to_string).collect(),
            ..self.established(&communication, start, false)
        };
        self.events.push(Event::Routing(event));
        self.ended(
            &communication,
            taken.clamp(start, end),
            if legs.is_empty() {
                "Peer"
            } else {
                "TransferUser"
            },
        );
    }

    /// The wrap-up code, with the first agent; the customer's side where there is none.
    fn wrap_up(&mut self, resolved: &Resolved, legs: &[Leg], customer: &str) {
        let Some(code) = resolved.wrap_up else { return };
        let communication = legs.first().map_or(customer, |leg| &leg.communication);
        let head = self.head("disposition", communication, self.record.legacy_end_time);
        self.events.push(Event::Disposition(Disposition {
            head,
            code: code.to_string(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plan::LoadedPlan;
    use platforms::legacy::wire;
    use serde_json::json;

    use super::*;
    use crate::ledger::Disposition;
    use crate::source::legacy::normalise;

    const PLAN: &str = r#"
plan_version = 1
[identity]
namespace = "acme"
[source]
kind = "legacy"
base_url = "http://127.0.0.1:1"
client_id = "a"
client_secret = { env = "NOBODY" }
[target]
kind = "genesys_cloud"
ingest = "public"
base_url = "http://127.0.0.1:2"
client_id = "b"
client_secret = { env = "NOBODY" }
[mapping]
agents = "agents.csv"
queues = "queues.csv"
wrapups = "wrapups.csv"
[rules]
unmapped_agent = "quarantine"
unmapped_queue = "skip"
[time]
unit = "ms"
[audio]
format = "mp3"
[pii]
phones = "keep"
pauses = "keep"
[retention.class."7-Year Retention"]
years = 7
[staging]
url = "staging"
[ledger]
url = "ledger.db"
"#;

    fn plan() -> (tempfile::TempDir, Arc<LoadedPlan>) {
        let dir = tempfile::tempdir().expect("a folder");
        let files = [
            ("plan.toml", PLAN),
            (
                "agents.csv",
                "legacy_agent_id,genesys_user_id,genesys_user_name\nA1,550e8400-e29b-41d4-a716-446655440001,One\nA2,550e8400-e29b-41d4-a716-446655440002,Two\n",
            ),
            (
                "queues.csv",
                "legacy_queue_id,genesys_queue_id\nQ1,0a0b0000-0000-4000-8000-0000000000d1\n",
            ),
            (
                "wrapups.csv",
                "legacy_code,genesys_wrapup_id\nW1,7f3c0000-0000-4000-8000-00000000a017\n",
            ),
        ];
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("a file");
        }
        let plan = LoadedPlan::read(&dir.path().join("plan.toml")).expect("a plan");
        (dir, Arc::new(plan))
    }

    /// A call of two agents with a queue, a wrap-up, a hold and a pause; the second leg's recording
    /// stays behind.
    fn sent_events() -> ConversationEvents {
        told_of(1_698_401_100_000)
    }

    fn told_of(end_ms: i64) -> ConversationEvents {
        let (_dir, plan) = plan();
        let interaction: wire::Interaction = serde_json::from_value(json!({
            "id": 100001, "startTime": 1_698_400_800_000_i64, "endTime": end_ms, "direction": "INBOUND",
            "queueId": "Q1", "wrapUpCode": "W1", "callerNumber": "+15550100199", "dialledNumber": "+18005550123", "agentId": "A1",
            "segments": [
                {"id": "s1", "startTime": 1_698_400_812_000_i64, "endTime": 1_698_400_960_000_i64, "agentId": "A1"},
                {"id": "s2", "startTime": 1_698_400_960_000_i64, "endTime": 1_698_401_100_000_i64, "agentId": "A2"},
            ],
            "recordings": [],
        }))
        .expect("an interaction");
        let recording = |id: &str, segment: &str, hold: bool| -> wire::Recording {
            serde_json::from_value(json!({
                "id": id, "interactionId": "100001", "segmentId": segment, "startTime": 1_698_400_812_000_i64, "endTime": 1_698_400_960_000_i64,
                "retentionClass": "7-Year Retention", "legalHold": hold, "pauses": [{"startOffsetMs": 61_000, "endOffsetMs": 74_500, "reason": "card"}],
                "channels": 1, "channelRoles": [],
            }))
            .expect("a recording")
        };
        let recordings = [
            recording("100001-1", "s1", false),
            recording("100001-2", "s2", true),
        ];
        let record = normalise(&interaction, &recordings, &plan.plan.time).expect("a record");
        let resolver = Resolver::new(plan.clone(), None);
        let resolved = resolver.resolve(&record).expect("resolved");
        let row = |id: &str, outcome: Option<Disposition>| RecordingRow {
            legacy_id: id.to_owned(),
            outcome,
            ..RecordingRow::default()
        };
        let rows = [
            row("100001-1", None),
            row("100001-2", Some(Disposition::Quarantined)),
        ];
        let phones = PhoneRule::of(&plan).expect("a rule");
        build_events(
            &Names::new(&plan.plan.identity),
            &resolver,
            &phones,
            &record,
            &resolved,
            &rows,
        )
    }

    #[test]
    fn a_transferred_call_is_told_in_the_order_it_happened() {
        let wanted = sent_events();
        let shown: Vec<(&str, &str)> = wanted
            .events
            .iter()
            .map(|event| {
                let what = match event {
                    Event::External(_) => "customer",
                    Event::Routing(_) => "queue",
                    Event::User(leg) => leg
                        .user_id
                        .as_deref()
                        .map_or("", |user| &user[user.len() - 1..]),
                    Event::Disposition(_) => "wrap-up",
                    Event::Ended(ended) => ended.disconnect_type,
                };
                (&event.head().event_date_time[14..19], what)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("00:00", "customer"),
                ("00:00", "queue"),
                ("00:12", "1"),
                ("00:12", "TransferUser"),
                ("02:40", "2"),
                ("02:40", "TransferUser"),
                ("05:00", "wrap-up"),
                ("05:00", "Self"),
                ("05:00", "Peer"),
            ]
        );
        assert_eq!(wanted.tag, "st:acme:100001");
        assert!(
            wanted.protect,
            "the hold of one recording is the conversation's"
        );
    }

    #[test]
    fn a_call_that_ends_as_it_begins_is_told_in_one_instant_and_its_wrap_up_after_its_agents() {
        let wanted = told_of(1_698_400_800_000);
        let at: std::collections::BTreeSet<&str> = wanted
            .events
            .iter()
            .map(|event| event.head().event_date_time.as_str())
            .collect();
        assert_eq!(at.len(), 1, "{at:?}");
        let place =
            |is_it: fn(&Event) -> bool| wanted.events.iter().position(is_it).expect("it is there");
        assert!(
            place(|event| matches!(event, Event::Disposition(_)))
                > place(|event| matches!(event, Event::User(_)))
        );
    }

    #[test]
    fn what_stays_behind_is_not_told_and_what_goes_hangs_on_its_own_leg() {
        let wanted = sent_events();
        let [recording] = wanted.recordings.as_slice() else {
            panic!("one recording goes: {:?}", wanted.recordings)
        };
        let first = wanted
            .events
            .iter()
            .find(|event| matches!(event, Event::User(_)))
            .expect("an agent");
        assert_eq!(recording.communication, first.head().communication_id);
        assert_eq!(
            recording.delete_date.as_deref(),
            Some("2030-10-27T10:05:00.000Z"),
            "seven years from the call's end"
        );
        assert_eq!(recording.pauses_ms, [(61_000, 13_500)]);
    }

    #[test]
    fn ids_are_of_version_4_each_its_own_and_the_same_each_time() {
        let (wanted, again) = (sent_events(), sent_events());
        assert_eq!(wanted, again);
        let mut events: Vec<&str> = wanted
            .events
            .iter()
            .map(|event| event.head().event_id.as_str())
            .collect();
        for id in events.iter().copied().chain([
            wanted.conversation.as_str(),
            wanted.recordings[0].id.as_str(),
        ]) {
            let id: uuid::Uuid = id.parse().expect("a UUID");
            assert_eq!(
                (id.get_version_num(), id.get_variant()),
                (4, uuid::Variant::RFC4122)
            );
        }
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), wanted.events.len());
    }
}
