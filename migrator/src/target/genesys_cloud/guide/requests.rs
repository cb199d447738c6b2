//! The requests of a call, each until its outcome is known.

use std::time::Duration;

use bytes::Bytes;
use plan::Reason;
use platforms::clock::Clock;
use platforms::genesys_cloud::{GuideClient, wire};
use platforms::{CallError, Upload};

use super::equivalence::matches;
use crate::error::{RunError, StepError};
use crate::file_name::name_of;
use crate::ledger::RecordingRow;
use crate::staging::Staging;
use crate::upload_source::{self, codec_of, short_hash, staged};

/// Sends one recording's file under the name that makes a repeat the same file.
pub(crate) async fn upload(
    target: &GuideClient,
    staging: &Staging,
    namespace: &str,
    row: &mut RecordingRow,
    cached: Option<Bytes>,
) -> Result<(), StepError> {
    let (path, length) = staged(row)?;
    let container = codec_of(row)?.container();
    // A slash or a control character stands in no file's name. Source: guide.file_name of the
    // simulator, assumed.
    let id = name_of(&row.legacy_id, |c| {
        !matches!(c, '/' | '\\') && !c.is_control()
    });
    let name = format!(
        "st-{namespace}-{id}.{}.{}",
        short_hash(row),
        container.extension()
    );
    let open = upload_source::open(staging, cached, path, length).await?;
    let upload = Upload {
        name: name.clone(),
        content_type: container.mime(),
        length,
        open,
    };
    let answer = target
        .upload_file(&upload)
        .await
        .map_err(StepError::target)?;
    if let Some(counted) = answer.size_bytes.filter(|counted| *counted != length) {
        let why = format!("{name}: the target counted {counted} bytes of {length}");
        return Err(StepError::InteractionFailed(RunError::Target(
            CallError::Malformed {
                what: "POST /api/v2/files".to_owned(),
                why,
            },
        )));
    }
    row.file_name = Some(name);
    row.file_id = Some(answer.id);
    Ok(())
}

/// How often an unknown outcome is looked up and the request repeated before the interaction is
/// left.
const MAX_LOOKUPS: u32 = 8;

/// Creates the interaction, or finds that it is there.
pub(super) async fn ingest(
    target: &GuideClient,
    clock: &Clock,
    wanted: &wire::Interaction,
) -> Result<(), StepError> {
    for round in 0..MAX_LOOKUPS {
        match target.create_interaction(wanted).await {
            Ok(()) => return Ok(()),
            // There, under our id or another's; or not shown yet, which the confirming read waits
            // for.
            Err(CallError::Refused { status: 409, .. }) => {
                return is_ours(target, wanted).await.map(drop);
            }
            Err(CallError::OutcomeUnknown { .. }) => {
                if is_ours(target, wanted).await? {
                    return Ok(());
                }
                clock.sleep(Duration::from_millis(250 << round)).await;
            }
            Err(error) => return Err(StepError::target(error)),
        }
    }
    let what = "POST /api/v2/interactions".to_owned();
    Err(StepError::InteractionFailed(RunError::Target(
        CallError::OutcomeUnknown {
            what,
            why: format!("still absent after {MAX_LOOKUPS} tries"),
        },
    )))
}

/// Whether our interaction is there; another one under its id is a collision.
async fn is_ours(target: &GuideClient, wanted: &wire::Interaction) -> Result<bool, StepError> {
    match target
        .get_interaction(&wanted.id)
        .await
        .map_err(StepError::target)?
    {
        None => Ok(false),
        Some(there) if there.external_tag == wanted.external_tag => Ok(true),
        Some(_) => Err(taken(&wanted.id)),
    }
}

fn taken(id: &str) -> StepError {
    StepError::aside(
        Reason::IdCollision,
        format!("the target holds another interaction under the id {id}"),
    )
}

/// How often the read back is repeated where the target does not show, or does not keep, what it
/// took.
const CONFIRMS: u32 = 5;

/// Reads the interaction back; an update links and retains what is missing. `is_redo`: it is
/// written once whatever this read shows, because what a finding names (audio that is gone, times
/// of a recording) need not show here. Answers what was read, `None` where it is not there.
pub(super) async fn confirm(
    target: &GuideClient,
    clock: &Clock,
    wanted: &wire::Interaction,
    is_redo: bool,
) -> Result<Option<wire::Interaction>, StepError> {
    let (mut there, mut is_written) = (None, !is_redo);
    for round in 0..CONFIRMS {
        there = target
            .get_interaction(&wanted.id)
            .await
            .map_err(StepError::target)?;
        match &there {
            Some(there) if is_written && matches(there, wanted) => return Ok(Some(there.clone())),
            Some(there) if there.external_tag != wanted.external_tag => {
                return Err(taken(&wanted.id));
            }
            Some(_) => {
                target
                    .update_interaction(wanted)
                    .await
                    .map_err(StepError::target)?;
                is_written = true;
            }
            // Visible a little later, perhaps.
            None => clock.sleep(Duration::from_secs(1 << round)).await,
        }
    }
    let what = format!("GET /api/v2/interactions/{}", wanted.id);
    match there {
        None => Ok(None),
        Some(_) => Err(StepError::InteractionFailed(RunError::Target(
            CallError::Malformed {
                what,
                why: "it does not keep what was sent".to_owned(),
            },
        ))),
    }
}
