//! Whether what stands in RWS is what was sent.

use jiff::Timestamp;
use platforms::gir::wire::{Event, MediaFile, Recording};

/// Whether everything that was sent stands there, and nothing of ours twice. What the service adds
/// or writes differently is no difference; neither is a personal field that its privacy settings
/// hide from us.
pub(super) fn matches(there: &Recording, wanted: &Recording) -> bool {
    let mut there = normalized(there.clone());
    let mut wanted = normalized(wanted.clone());
    if there.media_files.len() != wanted.media_files.len()
        || there.event_history.len() != wanted.event_history.len()
    {
        return false;
    }
    forget_hidden(&mut there, &mut wanted);
    there == wanted
}

/// Whether it is this migration's record of the same call, in whatever form.
pub(super) fn is_ours(there: &Recording, wanted: &Recording) -> bool {
    let meta = |recording: &Recording| {
        recording
            .event_history
            .iter()
            .find_map(|event| event.event_id.clone())
    };
    meta(wanted).is_some_and(|meta| {
        there
            .event_history
            .iter()
            .any(|event| event.event_id.as_ref() == Some(&meta))
    })
}

/// The same with nothing left in it that the service may write differently.
fn normalized(mut recording: Recording) -> Recording {
    (
        recording.start_time,
        recording.stop_time,
        recording.non_delete,
    ) = (None, None, None);
    recording.labels.clear();
    for file in &mut recording.media_files {
        file.media_descriptor = file
            .original_media_descriptor
            .take()
            .or(file.media_descriptor.take());
        file.media_uri = None;
        instant(&mut file.start_time);
        instant(&mut file.stop_time);
        file.masks.iter_mut().for_each(|mask| {
            let mut time = Some(std::mem::take(&mut mask.time));
            instant(&mut time);
            mask.time = time.unwrap_or_default();
        });
    }
    recording
        .event_history
        .iter_mut()
        .for_each(|event| instant(&mut event.occurred_at));
    recording
}

/// A time as an instant, whatever its shape; what is none stays as it is.
fn instant(text: &mut Option<String>) {
    if let Some(at) = text
        .as_deref()
        .and_then(|text| text.parse::<Timestamp>().ok())
    {
        *text = Some(at.as_millisecond().to_string());
    }
}

/// Takes out of both what the service does not show of what was sent.
fn forget_hidden(there: &mut Recording, wanted: &mut Recording) {
    hide(&there.caller_phone_number, &mut wanted.caller_phone_number);
    hide(&there.dialed_phone_number, &mut wanted.dialed_phone_number);
    for (there, wanted) in there.media_files.iter().zip(&mut wanted.media_files) {
        forget_in_file(there, wanted);
    }
    for (there, wanted) in there.event_history.iter().zip(&mut wanted.event_history) {
        forget_in_event(there, wanted);
    }
}

fn forget_in_file(there: &MediaFile, wanted: &mut MediaFile) {
    let (there, wanted) = (&there.parameters, &mut wanted.parameters);
    hide(&there.username, &mut wanted.username);
    hide(&there.agent_id, &mut wanted.agent_id);
    hide(&there.ani, &mut wanted.ani);
    hide(&there.dnis, &mut wanted.dnis);
}

fn forget_in_event(there: &Event, wanted: &mut Event) {
    if let (Some(there), Some(wanted)) = (&there.contact, &mut wanted.contact) {
        hide(&there.phone_number, &mut wanted.phone_number);
        hide(&there.user_name, &mut wanted.user_name);
        hide(&there.first_name, &mut wanted.first_name);
        hide(&there.last_name, &mut wanted.last_name);
    }
}

fn hide(there: &Option<String>, wanted: &mut Option<String>) {
    if there.is_none() {
        *wanted = None;
    }
}
