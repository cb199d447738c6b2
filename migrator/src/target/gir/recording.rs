//! The document of a call. Source: Insertion API; docs/reference/gir.md.

use std::collections::BTreeMap;

use jiff::Timestamp;
use plan::AgentRow;
use platforms::gir::wire::{Contact, Descriptor, Event, Mask, MediaFile, Parameters, Recording};

use super::names::{Names, time};
use super::state;
use crate::canonical::{Canonical, CanonicalRecording};
use crate::error::{RunError, StepError};
use crate::ledger::RecordingRow;
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::target::attributes::attributes;
use crate::upload_source::{codec_of, length_ms, recordings_to_send};

/// What stands where the source has no number: the fields are mandatory.
const UNKNOWN: &str = "Unknown";

/// Where a document goes, and by whose rules.
pub(crate) struct Place<'a> {
    pub(crate) names: Names<'a>,
    pub(crate) region: &'a str,
    pub(crate) resolver: &'a Resolver,
    pub(crate) phones: &'a PhoneRule,
}

/// The document of a call with the recordings of it that go.
pub(crate) fn recording(
    place: &Place<'_>,
    record: &Canonical,
    resolved: &Resolved,
    rows: &[RecordingRow],
) -> Result<Recording, StepError> {
    let protect = |number: &Option<String>| {
        number
            .as_deref()
            .and_then(|number| place.phones.apply(number))
    };
    let (ani, dnis) = (
        protect(&record.caller_number),
        protect(&record.dialled_number),
    );
    let going = recordings_to_send(record, rows);
    let call = Call {
        place,
        record,
        resolved,
        ani,
        dnis,
        uuid: place.names.call_uuid(&record.legacy_interaction_id),
    };
    Ok(Recording {
        id: place.names.recording(&record.legacy_interaction_id),
        caller_phone_number: Some(call.ani.clone().unwrap_or_else(|| UNKNOWN.to_owned())),
        dialed_phone_number: Some(call.dnis.clone().unwrap_or_else(|| UNKNOWN.to_owned())),
        region: Some(place.region.to_owned()),
        call_type: Some(call_type(record).to_owned()),
        media_files: going
            .iter()
            .map(|(recording, row)| call.media(recording, row))
            .collect::<Result<_, _>>()?,
        event_history: call.events()?,
        ..Recording::default()
    })
}

fn call_type(record: &Canonical) -> &'static str {
    match record
        .direction
        .as_deref()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("inbound") => "Inbound",
        Some("outbound") => "Outbound",
        Some(_) | None => UNKNOWN,
    }
}

/// A call on its way into a document.
struct Call<'a> {
    place: &'a Place<'a>,
    record: &'a Canonical,
    resolved: &'a Resolved,
    ani: Option<String>,
    dnis: Option<String>,
    uuid: String,
}

impl Call<'_> {
    fn media(
        &self,
        recording: &CanonicalRecording,
        row: &RecordingRow,
    ) -> Result<MediaFile, StepError> {
        let media_id = self.place.names.media(&recording.legacy_recording_id);
        let agent = self
            .agent_of(recording)
            .map(|agent| self.row_of(agent))
            .transpose()?;
        let path = row.file_id.clone().ok_or_else(|| {
            StepError::InteractionFailed(RunError::Storage(format!(
                "recording {}: no file was stored",
                row.legacy_id
            )))
        })?;
        let mime = if codec_of(row)? == audio::Codec::Mp3 {
            "audio/mp3"
        } else {
            "audio/wav"
        };
        let queue = self.record.queue_legacy_id.as_deref();
        let instant =
            |offset_ms: i64| recording.start + jiff::SignedDuration::from_millis(offset_ms);
        let masks = recording
            .pauses_ms
            .iter()
            .flat_map(|&(from, until)| [(from, "paused"), (until, "resume")]);
        let envelope = state::envelope(row)?;
        Ok(MediaFile {
            call_uuid: Some(self.uuid.clone()),
            start_time: Some(time(recording.start)),
            stop_time: Some(time(recording.end)),
            media_id: Some(media_id.clone()),
            mime: Some(mime.to_owned()),
            duration: Some(length_ms(row).to_string()),
            size: row.out_bytes.map(|bytes| bytes.to_string()),
            parameters: Parameters {
                username: agent.and_then(|agent| agent.gir_username().map(str::to_owned)),
                agent_id: agent.and_then(|agent| agent.gir_login().map(str::to_owned)),
                ani: self.ani.clone(),
                dnis: self.dnis.clone(),
                call_uuid: Some(self.uuid.clone()),
                id: Some(media_id),
                others: BTreeMap::new(),
            },
            masks: masks
                .map(|(offset, kind)| Mask {
                    time: time(instant(offset)),
                    kind: kind.to_owned(),
                })
                .collect(),
            cert_alias: envelope
                .iter()
                .flat_map(|envelope| envelope.cert_alias.lines())
                .map(str::to_owned)
                .collect(),
            pkcs7: envelope.map(|envelope| envelope.pkcs7),
            partitions: queue
                .and_then(|queue| self.place.resolver.queue_row(queue)?.gir_partition())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            access_groups: agent
                .and_then(|agent| agent.gir_access_group().map(str::to_owned))
                .into_iter()
                .collect(),
            media_descriptor: Some(Descriptor {
                storage: "webDAV".to_owned(),
                path,
            }),
            original_media_descriptor: None,
            media_uri: None,
        })
    }

    /// The source's agent on the leg a recording was made on; of the call, where it has no legs.
    fn agent_of(&self, recording: &CanonicalRecording) -> Option<&str> {
        if self.record.segments.is_empty() {
            return self.record.agent_legacy_id.as_deref();
        }
        let leg = recording.legacy_segment_id.as_ref()?;
        self.record
            .segments
            .iter()
            .find(|segment| segment.legacy_segment_id == *leg)?
            .agent_legacy_id
            .as_deref()
    }

    /// Who an agent is here. Preflight has looked for the names; a row without them is a plan that
    /// was changed under a run.
    fn row_of(&self, legacy_agent_id: &str) -> Result<&AgentRow, StepError> {
        let row = self
            .place
            .resolver
            .row_of(legacy_agent_id, self.record.legacy_start_time);
        row.filter(|row| row.gir_username().is_some() && row.gir_login().is_some())
            .ok_or_else(|| {
                let why = format!(
                    "agent {legacy_agent_id}: no row of the mapping gives gir_username \
                and gir_login at the call's date"
                );
                StepError::Run(RunError::Plan(why))
            })
    }

    /// Everything that happened, by time; what happened at once stands in this order.
    fn events(&self) -> Result<Vec<Event>, StepError> {
        let (start, end) = (self.record.legacy_start_time, self.record.legacy_end_time);
        let mut events: Vec<(Timestamp, Event)> = vec![
            (start, self.meta()),
            (start, self.event("Joined", start, self.customer())),
        ];
        for (agent, from, until) in self.legs() {
            let contact = user(self.row_of(agent)?);
            events.push((from, self.event("Joined", from, contact.clone())));
            events.push((until, self.event("Left", until, contact)));
        }
        events.push((end, self.event("Left", end, self.customer())));
        events.sort_by_key(|(at, _)| *at);
        Ok(events.into_iter().map(|(_, event)| event).collect())
    }

    /// Agents with the stretches they took; a source that lists no legs names one agent for all of
    /// it.
    fn legs(&self) -> Vec<(&str, Timestamp, Timestamp)> {
        let record = self.record;
        if record.segments.is_empty() {
            let alone = record.agent_legacy_id.as_deref();
            return alone
                .map(|agent| (agent, record.legacy_start_time, record.legacy_end_time))
                .into_iter()
                .collect();
        }
        record
            .segments
            .iter()
            .filter_map(|leg| Some((leg.agent_legacy_id.as_deref()?, leg.start, leg.end)))
            .collect()
    }

    fn event(&self, kind: &str, at: Timestamp, contact: Contact) -> Event {
        Event {
            occurred_at: Some(time(at)),
            event: Some(kind.to_owned()),
            call_uuid: Some(self.uuid.clone()),
            contact: Some(contact),
            ..Event::default()
        }
    }

    fn customer(&self) -> Contact {
        let outbound = self.record.is_outbound();
        let number = if outbound { &self.dnis } else { &self.ani };
        let phone_number = Some(number.clone().unwrap_or_else(|| UNKNOWN.to_owned()));
        Contact {
            kind: Some("External".to_owned()),
            phone_number,
            ..Contact::default()
        }
    }

    /// What no field carries.
    fn meta(&self) -> Event {
        let ids = [
            ("st.queue", self.resolved.queue),
            ("st.skill", self.resolved.skill),
            ("st.wrap_up", self.resolved.wrap_up),
        ];
        let mut added = attributes(None, self.record, self.resolved);
        added.extend(
            ids.into_iter()
                .filter_map(|(name, id)| Some((name.to_owned(), id?.to_string()))),
        );
        Event {
            occurred_at: Some(time(self.record.legacy_start_time)),
            event: Some("Data".to_owned()),
            call_uuid: Some(self.uuid.clone()),
            event_id: Some(
                self.place
                    .names
                    .meta_event(&self.record.legacy_interaction_id),
            ),
            data: Some(serde_json::json!({ "added": added })),
            contact: None,
        }
    }
}

/// An agent; the number is the login, because the source's extension is a shared desk.
fn user(row: &AgentRow) -> Contact {
    let name = row.genesys_user_name.trim();
    let (first, last) = name.split_once(' ').unwrap_or((name, "-"));
    Contact {
        kind: Some("User".to_owned()),
        phone_number: row.gir_login().map(str::to_owned),
        user_name: row.gir_username().map(str::to_owned),
        first_name: Some(if first.is_empty() { "-" } else { first }.to_owned()),
        last_name: Some(last.trim().to_owned()),
    }
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
