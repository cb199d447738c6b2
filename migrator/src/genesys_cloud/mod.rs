//! Genesys Cloud. Here by the guide's surface: files, then the interaction with its links and retention in one request, then a read back;
//! by the vendor's public ingestion in [`public`].
//!
//! Two requests a call count against the token's limit: creating and confirming. Linking and retaining are part of creating; the
//! confirming read finds what is missing and an update puts it right, so a lost answer costs a look and not a duplicate.

mod organisation;
mod payload;
mod preflight;
mod public;

use std::sync::Arc;
use std::time::Duration;

use plan::{LoadedPlan, Reason};
use platforms::CallError;
use platforms::Counts;
use platforms::Upload;
use platforms::clock::Clock;
use platforms::genesys_cloud::{GuideClient, ReadClient, wire};

use crate::ledger::{Ledger, RecordingRow};
use crate::outcome::{Stop, Trouble};
use crate::outgoing::{self, codec_of, name_of, short_hash, staged};
use crate::staging::Staging;

pub(crate) use payload::{Names, attributes, going, interaction, is_outbound};
pub(crate) use preflight::{lacking, look};
pub(crate) use public::{Public, Story, story};

/// One of its two ingestion surfaces.
pub(crate) enum Surface {
    Guide(GuideClient),
    Public(Box<Public>),
}

impl Surface {
    /// The reads both have.
    pub(crate) fn read(&self) -> &ReadClient {
        match self {
            Surface::Guide(client) => client.read(),
            Surface::Public(public) => public.client().read(),
        }
    }

    /// The mapping of agents, where plan and surface let it be written.
    pub(crate) async fn write_external_ids(&self, plan: &LoadedPlan, ledger: &Ledger) -> Result<(), Stop> {
        match self {
            Surface::Guide(_) => Ok(()),
            Surface::Public(public) => public::write_external_ids(plan, public.client(), ledger).await,
        }
    }

    pub(crate) fn counts(&self) -> Arc<Counts> {
        self.read().counts()
    }
}

/// Sends one recording's file under the name that makes a repeat the same file.
pub(crate) async fn upload(target: &GuideClient, staging: &Staging, namespace: &str, row: &mut RecordingRow) -> Result<(), Trouble> {
    let (path, length) = staged(row)?;
    let container = codec_of(row)?.container();
    // A slash or a control character stands in no file's name. Source: guide.file_name of the simulator, assumed.
    let id = name_of(&row.legacy_id, |c| !matches!(c, '/' | '\\') && !c.is_control());
    let name = format!("st-{namespace}-{id}.{}.{}", short_hash(row), container.extension());
    let open = outgoing::open(staging, row, path, length).await?;
    let upload = Upload { name: name.clone(), content_type: container.mime(), length, open };
    let answer = target.upload_file(&upload).await.map_err(Trouble::target)?;
    if let Some(counted) = answer.size_bytes.filter(|counted| *counted != length) {
        let why = format!("{name}: the target counted {counted} bytes of {length}");
        return Err(Trouble::Left(Stop::Target(CallError::Malformed { what: "POST /api/v2/files".to_owned(), why })));
    }
    row.file_name = Some(name);
    row.file_id = Some(answer.id);
    Ok(())
}

/// How often an unknown outcome is looked up and the request repeated before the interaction is left.
const LOOKS: u32 = 8;

/// Creates the interaction, or finds that it is there.
pub(crate) async fn ingest(target: &GuideClient, clock: &Clock, wanted: &wire::Interaction) -> Result<(), Trouble> {
    for look in 0..LOOKS {
        match target.create_interaction(wanted).await {
            Ok(()) => return Ok(()),
            // There, under our id or another's; or not shown yet, which the confirming read waits for.
            Err(CallError::Refused { status: 409, .. }) => return is_ours(target, wanted).await.map(drop),
            Err(CallError::OutcomeUnknown { .. }) => {
                if is_ours(target, wanted).await? {
                    return Ok(());
                }
                clock.sleep(Duration::from_millis(250 << look)).await;
            }
            Err(error) => return Err(Trouble::target(error)),
        }
    }
    let what = "POST /api/v2/interactions".to_owned();
    Err(Trouble::Left(Stop::Target(CallError::OutcomeUnknown { what, why: format!("still absent after {LOOKS} tries") })))
}

/// Whether our interaction is there; another one under its id is a collision.
async fn is_ours(target: &GuideClient, wanted: &wire::Interaction) -> Result<bool, Trouble> {
    match target.get_interaction(&wanted.id).await.map_err(Trouble::target)? {
        None => Ok(false),
        Some(there) if there.external_tag == wanted.external_tag => Ok(true),
        Some(_) => Err(taken(&wanted.id)),
    }
}

fn taken(id: &str) -> Trouble {
    Trouble::aside(Reason::IdCollision, format!("the target holds another interaction under the id {id}"))
}

/// How often the read back is repeated where the target does not show, or does not keep, what it took.
const CONFIRMS: u32 = 5;

/// Reads the interaction back; an update links and retains what is missing. `is_redo`: it is written once whatever this read shows, because what a
/// finding names (audio that is gone, times of a recording) need not show here. Answers what was read, `None` where it is not there.
pub(crate) async fn confirm(
    target: &GuideClient,
    clock: &Clock,
    wanted: &wire::Interaction,
    is_redo: bool,
) -> Result<Option<wire::Interaction>, Trouble> {
    let (mut there, mut is_written) = (None, !is_redo);
    for round in 0..CONFIRMS {
        there = target.get_interaction(&wanted.id).await.map_err(Trouble::target)?;
        match &there {
            Some(there) if is_written && holds(there, wanted) => return Ok(Some(there.clone())),
            Some(there) if there.external_tag != wanted.external_tag => return Err(taken(&wanted.id)),
            Some(_) => {
                target.update_interaction(wanted).await.map_err(Trouble::target)?;
                is_written = true;
            }
            // Visible a little later, perhaps.
            None => clock.sleep(Duration::from_secs(1 << round)).await,
        }
    }
    let what = format!("GET /api/v2/interactions/{}", wanted.id);
    match there {
        None => Ok(None),
        Some(_) => Err(Trouble::Left(Stop::Target(CallError::Malformed { what, why: "it does not keep what was sent".to_owned() }))),
    }
}

/// Whether everything that was sent stands there. A target may add names and attributes of its own, write times with fewer zeros and
/// list participants in its own order; none of that is a difference.
fn holds(there: &wire::Interaction, wanted: &wire::Interaction) -> bool {
    let attributes = wanted.attributes.iter().all(|(name, value)| there.attributes.get(name) == Some(value));
    attributes && plain(there) == plain(wanted)
}

/// The same interaction with nothing left in it that a target may write differently.
fn plain(interaction: &wire::Interaction) -> wire::Interaction {
    let time = |text: &String| text.parse().map_or_else(|_| text.clone(), crate::time::iso);
    let mut plain = interaction.clone();
    plain.attributes.clear();
    plain.created_time = time(&plain.created_time);
    plain.updated_time = time(&plain.updated_time);
    if let Some(queue) = &mut plain.routing.queue {
        queue.name = None;
    }
    for segment in &mut plain.segments {
        (segment.start, segment.end) = (time(&segment.start), time(&segment.end));
        let date = segment.recording.as_mut().and_then(|recording| recording.retention.as_mut()?.delete_date.as_mut());
        if let Some(date) = date {
            *date = time(date);
        }
    }
    plain.participants.sort_by(|a, b| (&a.kind, &a.id).cmp(&(&b.kind, &b.id)));
    plain.segments.sort_by(|a, b| a.id.cmp(&b.id));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> wire::Interaction {
        let text = include_str!("../../../scenarios/contracts/genesys_cloud/create_interaction.json");
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
        assert!(holds(&there, &sent()));
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
        assert!(holds(&serde_json::from_value(answer).expect("an interaction"), &wanted));
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
            assert!(!holds(&there, &sent()), "damage {n}");
        }
    }
}
