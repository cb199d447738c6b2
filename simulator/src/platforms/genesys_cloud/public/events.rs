//! `POST /api/v2/events/conversations`: a batch of events, each taken or refused by itself.

use std::collections::BTreeSet;

use axum::response::Response;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    ReusedEventId,
    event::{self, Event, Raw, Refused, What},
    rules,
    stores::Repeats,
};
use crate::{
    http::reply::Reply,
    operations,
    pipeline::{ItemFault, ItemFaults},
    platforms::genesys_cloud::{
        GenesysCloud,
        conversation::Conversation,
        endpoint::IncomingRequest,
        errors::ApiError,
        settings::{Entry, holds},
        state::State as Held,
        validate::{DAY_MS, uuid},
    },
    rules::Rule,
    seed::Seed,
};

/// Things of a batch, each with its place in it.
type Placed<T> = Vec<(usize, T)>;

/// POST /api/v2/events/conversations.
pub(super) async fn inject(incoming: IncomingRequest) -> Response {
    incoming
        .answer_batch(
            ItemFaults::Reported,
            event_keys,
            |site, _, batch, struck| take_batch(site, &batch, struck),
        )
        .await
}

/// An event that was not taken.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventError {
    event_id: String,
    message: String,
    retryable: bool,
}

/// The business key of each event: its id and the tag of its conversation, where the event, the
/// batch or the organisation knows one.
fn event_keys(site: &GenesysCloud, body: &[u8]) -> Vec<String> {
    let Ok(batch) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Vec::new();
    };
    let Ok(events) = event::of_batch(&batch) else {
        return Vec::new();
    };
    let state = site.state();
    let key = |one: &Raw<'_>| {
        let beside = || {
            events
                .iter()
                .filter(|other| other.conversation() == one.conversation())
                .find_map(Raw::tag)
        };
        let log = || state.public.events.key_of(uuid(one.conversation())?);
        let subject = one
            .tag()
            .or_else(log)
            .or_else(beside)
            .unwrap_or(one.conversation());
        format!("{}:{subject}", one.id())
    };
    events.iter().map(key).collect()
}

fn take_batch(
    site: &GenesysCloud,
    batch: &Map<String, Value>,
    struck: &[Option<ItemFault>],
) -> Result<Reply, ApiError> {
    let raw = event::of_batch(batch).inspect_err(|_| site.mark(&rules::EVENT_BATCH))?;
    let (readable, mut errors) = read_events(site, &raw);
    let touched: BTreeSet<Uuid> = readable
        .iter()
        .map(|(_, event)| event.conversation)
        .collect();
    let mut state = site.state();
    for (at, event) in readable {
        let meets = struck.get(at).and_then(Option::as_ref);
        let met = meet(site, &mut state, event, &raw[at].content(), meets);
        errors.extend(met.err().map(|refused| (at, refused)));
    }
    for conversation in touched {
        tell_anew(site, &mut state, conversation);
    }
    drop(state);
    errors.sort_by_key(|(at, _)| *at);
    if !errors.is_empty() {
        site.mark(&rules::EVENT_ERRORS);
    }
    let error = |(at, refused): (usize, Refused)| EventError {
        event_id: raw[at].id().to_owned(),
        message: refused.message,
        retryable: refused.is_retryable,
    };
    Ok(Reply::json(
        200,
        &json!({"errors": errors.into_iter().map(error).collect::<Vec<_>>()}),
    ))
}

/// The events of a batch in the order they are taken in, each with its place in the batch, and what
/// is wrong with those that cannot be read.
fn read_events(site: &GenesysCloud, raw: &[Raw<'_>]) -> (Placed<Event>, Placed<Refused>) {
    site.mark(&rules::EVENT_ORDER);
    let (mut readable, mut errors) = (Vec::new(), Vec::new());
    for (at, one) in raw.iter().enumerate() {
        match one.read() {
            Ok(event) => readable.push((at, event)),
            Err(refused) => {
                site.mark(if one.is_email() {
                    &rules::EVENT_EMAIL
                } else {
                    &rules::EVENT_MALFORMED
                });
                errors.push((at, refused));
            }
        }
    }
    readable.sort_by_key(|(_, event)| event.place());
    (readable, errors)
}

/// Takes an event, unless a fault is in the way.
fn meet(
    site: &GenesysCloud,
    state: &mut Held,
    event: Event,
    content: &str,
    meets: Option<&ItemFault>,
) -> Result<(), Refused> {
    match meets {
        None => take_event(site, state, event, content),
        Some(ItemFault::Refused { is_passing: true }) => {
            Err(Refused::passing("the event could not be taken; try again"))
        }
        Some(ItemFault::Refused { is_passing: false }) => {
            Err(Refused::final_("the event was refused"))
        }
        Some(ItemFault::FailsAfterCommit) => {
            take_event(site, state, event, content)?;
            Err(Refused::passing("the event could not be taken; try again"))
        }
    }
}

fn take_event(
    site: &GenesysCloud,
    state: &mut Held,
    event: Event,
    content: &str,
) -> Result<(), Refused> {
    let content = Seed::new(0).child(content).value();
    if let Some(repeats) = state.public.events.repeats(event.id, content) {
        return repeated(site, &repeats);
    }
    check_age(site, &event)?;
    check_references(site, &event)?;
    let is_foreign = state.conversations.contains(event.conversation)
        && !state.public.events.has_conversation(event.conversation);
    if is_foreign {
        site.mark(&rules::EVENT_CONTRADICTION);
        return Err(Refused::final_(format!(
            "the conversation {} was not injected",
            event.conversation
        )));
    }
    state.public.events.judge(&event).inspect_err(|refused| {
        site.mark(if refused.is_retryable {
            &rules::EVENT_UNKNOWN_LEG
        } else {
            &rules::EVENT_CONTRADICTION
        });
    })?;
    note(site, &event);
    let (id, conversation) = (event.id, event.conversation);
    state.public.events.keep(event, content);
    let subject = state
        .public
        .events
        .key_of(conversation)
        .map_or_else(|| conversation.to_string(), str::to_owned);
    site.core.journal.record_side_effect(
        &operations::GENESYS_CLOUD_INJECT_EVENTS,
        &format!("{id}:{subject}"),
        "taken",
    );
    Ok(())
}

fn repeated(site: &GenesysCloud, repeats: &Repeats) -> Result<(), Refused> {
    site.mark(&rules::EVENT_REPEATED);
    match repeats {
        Repeats::Same => return Ok(()),
        Repeats::Another => {}
    }
    site.mark(&rules::EVENT_REUSED);
    match site.settings.public.reused_event_id {
        ReusedEventId::Ignore => Ok(()),
        ReusedEventId::Refuse => Err(Refused::final_("the eventId was used for another event")),
    }
}

fn check_age(site: &GenesysCloud, event: &Event) -> Result<(), Refused> {
    let age_ms = site.now_ms().saturating_sub(event.at_ms);
    if age_ms > DAY_MS {
        site.mark(&rules::EVENT_BACKDATED);
    }
    match site.settings.public.max_event_age_days {
        Some(days) if age_ms > i64::from(days) * DAY_MS => Err(Refused::final_(format!(
            "eventDateTime is more than {days} days ago"
        ))),
        _ => Ok(()),
    }
}

fn check_references(site: &GenesysCloud, event: &Event) -> Result<(), Refused> {
    let directory = site.directory();
    // This organisation has no languages.
    let languages: &[Entry] = &[];
    let (users, queues, skills) = (&directory.users, &directory.queues, &directory.skills);
    match &event.what {
        What::Established(said) => {
            known(site, "userId", said.user.as_deref(), users)?;
            known(site, "queueId", said.queue.as_deref(), queues)?;
            known(site, "languageId", said.language.as_deref(), languages)?;
            said.skills
                .iter()
                .try_for_each(|skill| known(site, "skillIds", Some(skill), skills))
        }
        What::Transfer(step) => {
            known(site, "destinationUserId", step.user.as_deref(), users)?;
            known(site, "destinationQueueId", step.queue.as_deref(), queues)?;
            known(site, "languageId", step.language.as_deref(), languages)?;
            step.skills
                .iter()
                .try_for_each(|skill| known(site, "skillIds", Some(skill), skills))
        }
        What::Disposition { code, .. } => known(site, "code", code.as_deref(), &directory.wrapups),
        What::Answered | What::Hold(_) | What::Audio | What::Ended { .. } => Ok(()),
    }
}

fn known(
    site: &GenesysCloud,
    field: &str,
    sent: Option<&str>,
    entries: &[Entry],
) -> Result<(), Refused> {
    let Some(text) = sent else { return Ok(()) };
    if uuid(text).is_some_and(|id| holds(entries, id)) {
        return Ok(());
    }
    site.mark(&rules::EVENT_UNKNOWN_REFERENCE);
    Err(Refused::final_(format!("{field} [{text}] is unknown")))
}

/// Notes the rules that an event relies on.
fn note(site: &GenesysCloud, event: &Event) {
    let told: &[&'static Rule] = match &event.what {
        What::Established(said) => {
            if said.tag.is_some() {
                site.mark(&rules::EVENT_TAG);
            }
            if !said.additional.is_empty() {
                site.mark(&rules::EVENT_KEPT);
            }
            &[
                &rules::EVENT_DIRECTION,
                &rules::EVENT_CUSTOMER,
                &rules::EVENT_QUEUE,
                &rules::EVENT_PARTICIPANT,
            ]
        }
        What::Audio | What::Transfer(_) => &[&rules::EVENT_AUDIO],
        What::Ended {
            is_merged: true, ..
        } => &[&rules::EVENT_MERGE],
        What::Ended {
            is_merged: false, ..
        } => &[],
        What::Answered | What::Hold(_) | What::Disposition { .. } => &[],
    };
    told.iter()
        .chain(&[&rules::EVENT_IDS])
        .for_each(|rule| site.mark(rule));
}

/// Tells a conversation anew from its log, and looks after the uploads that waited for it.
fn tell_anew(site: &GenesysCloud, state: &mut Held, id: Uuid) {
    let Some(told) = state.public.events.conversation(id, site.now_ms()) else {
        return;
    };
    let is_tag_replaced = state.public.events.is_tag_replaced(id);
    if state.conversations.contains(id) {
        state.conversations.change(id, |held| {
            let external_tag = if is_tag_replaced {
                held.external_tag.take()
            } else {
                told.external_tag
            };
            held.external_tag = external_tag;
            (held.direction, held.start_ms, held.end_ms) =
                (told.direction, told.start_ms, told.end_ms);
            (held.participants, held.segments) = (told.participants, told.segments);
            (held.queue, held.skills) = (told.queue, told.skills);
        });
    } else {
        let key = told.external_tag.clone().unwrap_or_else(|| id.to_string());
        let shown_from_ms = site.shown_from_ms(&operations::GENESYS_CLOUD_SHOW_CONVERSATION, &key);
        state.conversations.put(Conversation {
            shown_from_ms,
            ..told
        });
    }
    site.look_at_waiting(state, id);
}
