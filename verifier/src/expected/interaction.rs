//! One interaction of the source to what must stand in the target.

use std::collections::BTreeMap;

use plan::Reason;

use super::attributes::{Repair, attributes};
use super::numbers::{Protected, protect};
use super::people::{AgentLeg, Resolved, resolve};
use super::{
    Absence, Expectation, ExpectedRecording, HoldsBeyond, Maximum, Pause, PauseRule, Presence,
    Recorded, Rules, SourceSound, Span, audio, padless, people, retention, time,
};
use crate::platform_facts::PlatformFacts;
use crate::sorted_map::SortedMap;
use crate::source::{
    RecordingDetails, SourceCall, SourceInteraction, SourceRecording, SourceSegment, SourceTime,
};
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// The least maximum an organisation can set. Source: help page on maximum interaction data
/// retention.
const SHORTEST_MAXIMUM_DAYS: u32 = 90;

/// What must be in the target for this interaction. `sounds` holds what is known of the source's
/// audio, by recording id; `as_of` is the instant at which a retention counts as ended.
pub(crate) fn expected(
    source: &SourceInteraction,
    rules: &Rules,
    sounds: &BTreeMap<String, SourceSound>,
    as_of: UtcMillis,
) -> Expectation {
    if let Some(why) = &source.unread {
        return unread(source, why);
    }
    let listed = &source.listed;
    let node = listed.recorder_node.as_deref();
    let reading = time::span(&listed.start_time, &listed.end_time, node, rules);
    let span = reading.map(|reading| reading.span);
    let legs = legs(source, span, rules);
    let numbers = [&listed.caller_number, &listed.dialled_number].map(|number| {
        number
            .as_deref()
            .map(|number| protect(number, &rules.phones))
    });
    let mut recordings: Vec<ExpectedRecording> = source
        .recordings
        .iter()
        .map(|recording| recording_alone(recording, node, span, rules, sounds))
        .collect();
    let hold = source.recordings.iter().any(|recording| {
        recording
            .details
            .as_ref()
            .is_ok_and(|details| details.legal_hold)
    });
    let reversed_inside = reversed_inside(source, rules);
    let repaired = reading.is_some_and(|reading| reading.swapped || listed.row_reversed);
    let repair = match (repaired, reversed_inside) {
        (true, _) => Repair::Interaction,
        (false, true) => Repair::Inside,
        (false, false) => Repair::None,
    };
    skip_expired(&mut recordings, hold, as_of, rules);
    held_back(&mut recordings, rules);
    if let Some(call) = span {
        within_maximum(&mut recordings, call.start, as_of, rules);
    }
    if let HoldsBeyond::Unknown(need) = &rules.holds_beyond
        && hold
    {
        let doubted = recordings
            .iter_mut()
            .filter(|recording| recording.presence == Presence::Expected);
        doubted.for_each(|recording| recording.doubt = Some(need.clone()));
    }
    let own = whole_reason(source, span, &legs, &numbers, rules);
    let mut presence = settle_presence(own, &mut recordings, rules);
    if let Some(call) = span {
        let agents = recordings.iter_mut().zip(&source.recordings);
        agents.for_each(|(recording, details)| {
            recording.agent = people::recorded(source, details, call.start, rules)
        });
    }
    if !rules.capabilities.takes_calls_without_recordings
        && source.recordings.is_empty()
        && presence == Presence::Expected
    {
        presence = Presence::NotCarried;
    }
    let [ani, dnis] = numbers.map(|number| match number {
        Some(Protected::As(number)) => Some(number),
        Some(Protected::Cannot) | None => None,
    });
    let legs = legs.unwrap_or_default();
    let queue = listed.queue_id.as_ref().and_then(|queue| {
        rules
            .queues
            .get(padless(queue))
            .copied()
            .or(rules.default_queue)
    });
    // Events tell a skill with the queue that asks for it, and reads show the wrap-up of an agent:
    // without them there is no place for either.
    let by_events = rules.capabilities.told_by_events;
    let (shows_skill, shows_wrap_up) = (
        !by_events || queue.is_some(),
        !by_events || !legs.is_empty(),
    );
    Expectation {
        legacy_id: listed.id.clone(),
        presence,
        unread: None,
        span,
        legs,
        direction: direction(listed.direction.as_deref()),
        ani,
        dnis,
        queue,
        skill: listed
            .skill
            .as_ref()
            .and_then(|skill| rules.skills.get(padless(skill)).copied())
            .filter(|_| shows_skill),
        wrap_up: listed
            .wrap_up_code
            .as_ref()
            .and_then(|code| rules.wrap_ups.get(padless(code)).copied())
            .filter(|_| shows_wrap_up),
        attributes: attributes(source, repair, rules),
        hold,
        recordings,
        platform: PlatformFacts::default(),
        stand_in_queue: listed.queue_id.clone().filter(|queue| {
            !rules.queues.contains_key(padless(queue)) && rules.default_queue.is_some()
        }),
        legacy_queue: listed.queue_id.clone(),
        legacy_agent: listed.agent_id.clone().or_else(|| {
            listed
                .segments
                .iter()
                .find_map(|segment| segment.agent_id.clone())
        }),
    }
}

/// When a call was. `None`: the source's times are unusable.
pub(crate) fn call_span(source: &SourceInteraction, rules: &Rules) -> Option<Span> {
    let listed = &source.listed;
    time::span(
        &listed.start_time,
        &listed.end_time,
        listed.recorder_node.as_deref(),
        rules,
    )
    .map(|reading| reading.span)
}

/// A call of which nothing is known but its id and those of its recordings.
fn unread(source: &SourceInteraction, why: &str) -> Expectation {
    let presence = Presence::Unknown(why.to_owned());
    Expectation {
        legacy_id: source.listed.id.clone(),
        presence: presence.clone(),
        unread: Some(why.to_owned()),
        span: None,
        legs: Vec::new(),
        direction: None,
        ani: None,
        dnis: None,
        queue: None,
        skill: None,
        wrap_up: None,
        attributes: SortedMap::default(),
        hold: false,
        recordings: source
            .recordings
            .iter()
            .map(|recording| blank(&recording.id, presence.clone()))
            .collect(),
        platform: PlatformFacts::default(),
        stand_in_queue: None,
        legacy_queue: None,
        legacy_agent: None,
    }
}

/// A recording of which nothing is known but its id.
fn blank(id: &str, presence: Presence) -> ExpectedRecording {
    ExpectedRecording {
        legacy_id: id.into(),
        presence,
        unread: true,
        held_back: None,
        span: None,
        delete_at: None,
        pauses: Vec::new(),
        doubt: None,
        agent: Recorded::Unsaid,
    }
}

/// Where one bad recording keeps its whole call back, one that could not be read may have done so.
fn held_back(recordings: &mut [ExpectedRecording], rules: &Rules) {
    let why = recordings
        .iter()
        .filter(|recording| recording.unread)
        .find_map(|recording| match &recording.presence {
            Presence::Unknown(why) => Some(why.clone()),
            _ => None,
        });
    if let Some(why) = why.filter(|_| rules.hold_partial) {
        recordings
            .iter_mut()
            .for_each(|recording| recording.held_back = Some(why.clone()));
    }
}

/// `inbound` or `outbound`; a word that is neither has no counterpart anywhere.
fn direction(stated: Option<&str>) -> Option<&'static str> {
    let stated = stated?;
    let known = ["inbound", "outbound"];
    known
        .into_iter()
        .find(|word| word.eq_ignore_ascii_case(stated))
}

/// Legs with an agent, by start. `None`: one of them has no mapping and the plan allows no
/// stand-in.
fn legs(source: &SourceInteraction, span: Option<Span>, rules: &Rules) -> Option<Vec<AgentLeg>> {
    let listed = &source.listed;
    let Some(call) = span else {
        return Some(Vec::new());
    };
    let node = listed.recorder_node.as_deref();
    let mut legs = Vec::new();
    for (agent, segment) in agents(listed) {
        let (row, fallback) = match resolve(agent, call.start, rules) {
            Resolved::Mapped(row) => (row, false),
            Resolved::Fallback(row) => (row, true),
            Resolved::Unmapped => return None,
        };
        let own = segment
            .and_then(|segment| time::span(&segment.start_time, &segment.end_time, node, rules))
            .map(|reading| reading.span);
        // A leg of which the source gives no times lasted as long as the call, as far as anybody
        // can say.
        let span = own.or(Some(call)).map(|own| {
            if rules.capabilities.told_by_events {
                own.within(&call)
            } else {
                own
            }
        });
        let recorded = recorded_on(source, segment.map(|segment| segment.id.as_str()), rules);
        let unread = has_unread_on(source, segment.map(|segment| segment.id.as_str()));
        let (user, login) = (row.user.clone(), row.login.clone());
        legs.push(AgentLeg {
            legacy_agent: agent.clone(),
            user,
            login,
            fallback,
            span,
            recorded,
            unread,
        });
    }
    legs.sort_by_key(|leg| leg.span.map(|span| span.start));
    Some(legs)
}

/// The agent of each segment; without segments the one agent of the call.
fn agents(listed: &SourceCall) -> impl Iterator<Item = (&Text, Option<&SourceSegment>)> {
    let of_call = listed.agent_id.iter().map(|agent| (agent, None));
    let of_segments = listed.segments.iter();
    let of_segments =
        of_segments.filter_map(|segment| Some((segment.agent_id.as_ref()?, Some(segment))));
    let is_whole = listed.segments.is_empty();
    of_call.filter(move |_| is_whole).chain(of_segments)
}

/// Times of the recordings made on a segment; without segments, of all of them.
fn recorded_on(source: &SourceInteraction, segment: Option<&str>, rules: &Rules) -> Vec<Span> {
    let node = source.listed.recorder_node.as_deref();
    let details = source
        .recordings
        .iter()
        .filter_map(|recording| recording.details.as_ref().ok());
    let here =
        details.filter(|details| segment.is_none() || details.segment_id.as_deref() == segment);
    here.filter_map(|details| {
        time::span(
            &details.start_time,
            &details.end_time,
            details.recorder_node.as_deref().or(node),
            rules,
        )
    })
    .map(|reading| reading.span)
    .collect()
}

/// Whether a recording may have been made on a segment of which nobody knows when: its record could
/// not be read.
fn has_unread_on(source: &SourceInteraction, segment: Option<&str>) -> bool {
    let leg_of = |id: &str| {
        source
            .listed
            .recordings
            .iter()
            .find(|(listed, _)| listed == id)
            .and_then(|(_, leg)| leg.as_deref())
    };
    let mut unread = source
        .recordings
        .iter()
        .filter(|recording| recording.details.is_err())
        .map(|recording| leg_of(&recording.id));
    unread.any(|on| on.is_none() || segment.is_none() || on == segment)
}

fn reversed_inside(source: &SourceInteraction, rules: &Rules) -> bool {
    let node = source.listed.recorder_node.as_deref();
    let swapped = |start, end, node| {
        time::span(start, end, node, rules).is_some_and(|reading| reading.swapped)
    };
    let details = source
        .recordings
        .iter()
        .filter_map(|recording| recording.details.as_ref().ok());
    source
        .listed
        .segments
        .iter()
        .any(|segment| swapped(&segment.start_time, &segment.end_time, node))
        || details.into_iter().any(|details| {
            swapped(
                &details.start_time,
                &details.end_time,
                details.recorder_node.as_deref().or(node),
            )
        })
}

/// A recording by itself, before its siblings and its interaction have a say.
fn recording_alone(
    recording: &SourceRecording,
    interaction_node: Option<&str>,
    call: Option<Span>,
    rules: &Rules,
    sounds: &BTreeMap<String, SourceSound>,
) -> ExpectedRecording {
    let details = match &recording.details {
        Ok(details) => details,
        Err(why) => {
            let agreed = rules
                .exclusions
                .get(recording.id.as_str())
                .map(|words| Presence::Absent(Absence::Agreed(words.clone())));
            return blank(
                &recording.id,
                agreed.unwrap_or_else(|| Presence::Unknown(why.clone())),
            );
        }
    };
    let node = details.recorder_node.as_deref().or(interaction_node);
    let span =
        time::span(&details.start_time, &details.end_time, node, rules).map(|reading| reading.span);
    let ends = details
        .pauses
        .iter()
        .map(|pause| pause.start_offset_ms.zip(pause.end_offset_ms));
    let pauses: Vec<Pause> = ends
        .flatten()
        .map(|(start_ms, end_ms)| Pause { start_ms, end_ms })
        .collect();
    let all_told = pauses.len() == details.pauses.len() || rules.pauses == PauseRule::Keep;
    let sound = sounds
        .get(recording.id.as_str())
        .unwrap_or(&SourceSound::NotRead);
    let delete_at = match &details.delete_at {
        SourceTime::Absent => None,
        stated => Some(time::instant(stated, None, rules)),
    };
    let presence = if let Some(words) = rules.exclusions.get(padless(&recording.id)) {
        Presence::Absent(Absence::Agreed(words.clone()))
    } else if let Some(reason) = details.kept_back.0 {
        Presence::Absent(Absence::Rule(reason))
    } else if let Some(reason) = audio::absence(sound, details.duration_ms, rules) {
        Presence::Absent(Absence::Rule(reason))
    } else if span.is_none() || delete_at == Some(None) {
        Presence::Absent(Absence::Rule(Reason::TimeUnusable))
    } else if !all_told || !audio::pauses_placeable(&pauses, sound, rules.pauses) {
        Presence::Absent(Absence::Rule(Reason::PiiUnprotectable))
    } else if let SourceSound::Unreadable(why) = sound {
        Presence::Unknown(why.clone())
    } else {
        Presence::Expected
    };
    let by_class = || {
        let class = details.retention_class.as_deref().map(padless);
        call.and_then(|call| retention::delete_at(class, call.end, rules))
    };
    let delete_at = match delete_at {
        Some(date) => date,
        None => by_class(),
    };
    ExpectedRecording {
        unread: false,
        span,
        delete_at,
        pauses,
        agent: Recorded::Nobody,
        ..blank(&recording.id, presence)
    }
}

/// A retention that has ended keeps a recording back, unless the conversation is held.
fn skip_expired(recordings: &mut [ExpectedRecording], hold: bool, as_of: UtcMillis, rules: &Rules) {
    if !rules.skip_expired || hold {
        return;
    }
    // One that could not be read may be held, and a hold reaches the whole call.
    let maybe_held = recordings
        .iter()
        .filter(|recording| recording.unread)
        .find_map(|recording| match &recording.presence {
            Presence::Unknown(why) => Some(why.clone()),
            _ => None,
        });
    for recording in recordings
        .iter_mut()
        .filter(|recording| recording.presence == Presence::Expected)
    {
        if recording.delete_at.is_some_and(|at| at <= as_of) {
            recording.presence = match &maybe_held {
                Some(why) => Presence::Unknown(why.clone()),
                None => Presence::Absent(Absence::Rule(Reason::Expired)),
            };
        }
    }
}

/// A deletion date beyond the organisation's maximum keeps a recording back, or is brought forward
/// where the plan says so and the call is not older than that. Source: platform API,
/// recording.recording.analytics.retention.violation; counted from the call's start, assumed.
fn within_maximum(
    recordings: &mut [ExpectedRecording],
    start: UtcMillis,
    as_of: UtcMillis,
    rules: &Rules,
) {
    for recording in recordings
        .iter_mut()
        .filter(|recording| recording.presence == Presence::Expected)
    {
        let Some(date) = recording.delete_at else {
            continue;
        };
        let last = |days: u32| start.plus_ms(i64::from(days) * DAY_MS);
        match &rules.maximum {
            Maximum::Days(days) if date > last(*days) => {
                if rules.clamp {
                    recording.delete_at = Some(last(*days));
                }
                if !rules.clamp || last(*days) <= as_of {
                    recording.presence = Presence::Absent(Absence::Rule(Reason::RetentionOverMax));
                }
            }
            Maximum::Unread(need) if date > last(SHORTEST_MAXIMUM_DAYS) => {
                recording.doubt = Some(need.clone())
            }
            Maximum::None | Maximum::Days(_) | Maximum::Unread(_) => {}
        }
    }
    // One that stays behind would hold its siblings.
    if let Some(doubt) = recordings
        .iter()
        .find_map(|recording| recording.doubt.clone())
        .filter(|_| rules.hold_partial)
    {
        recordings
            .iter_mut()
            .for_each(|recording| recording.doubt = Some(doubt.clone()));
    }
}

/// Why all of an interaction stays behind, whatever its recordings.
fn whole_reason(
    source: &SourceInteraction,
    span: Option<Span>,
    legs: &Option<Vec<AgentLeg>>,
    numbers: &[Option<Protected>; 2],
    rules: &Rules,
) -> Option<Reason> {
    let queue = source.listed.queue_id.as_ref();
    let names_another = |details: &RecordingDetails| details.interaction_id != source.listed.id;
    if source.collided
        || source
            .recordings
            .iter()
            .any(|recording| recording.details.as_ref().is_ok_and(names_another))
    {
        return Some(Reason::IdCollision);
    }
    if span.is_none() {
        return Some(Reason::TimeUnusable);
    }
    if queue.is_some_and(|queue| !rules.queues.contains_key(padless(queue)))
        && rules.default_queue.is_none()
    {
        return Some(Reason::UnmappedQueue);
    }
    if legs.is_none() {
        return Some(Reason::UnmappedAgent);
    }
    if numbers.contains(&Some(Protected::Cannot)) {
        return Some(Reason::PiiUnprotectable);
    }
    let is_beyond = matches!(&rules.holds_beyond, HoldsBeyond::Calls(calls) if calls.contains(source.listed.id.as_str()));
    is_beyond.then_some(Reason::HoldOverMax)
}

/// Lets interaction and recordings agree: a reason for all reaches each; a quarantined recording
/// holds its siblings where the plan says so.
fn settle_presence(
    own: Option<Reason>,
    recordings: &mut [ExpectedRecording],
    rules: &Rules,
) -> Presence {
    let held_by = recordings
        .iter()
        .find_map(|recording| match &recording.presence {
            Presence::Absent(absence) if !absence.is_skip() && rules.hold_partial => {
                Some(absence.clone())
            }
            _ => None,
        });
    // What keeps the whole call back outranks what is wrong with one of its recordings; an
    // agreement about one outranks both.
    if let Some(reason) = own {
        for recording in recordings
            .iter_mut()
            .filter(|recording| !matches!(recording.presence, Presence::Absent(Absence::Agreed(_))))
        {
            recording.presence = Presence::Absent(Absence::Rule(reason));
        }
        return Presence::Absent(Absence::Rule(reason));
    }
    if let Some(absence) = held_by {
        for recording in recordings
            .iter_mut()
            .filter(|recording| !matches!(recording.presence, Presence::Absent(_)))
        {
            recording.presence = Presence::Absent(absence.clone());
        }
        return Presence::Absent(absence);
    }
    if recordings.is_empty()
        || recordings
            .iter()
            .any(|recording| recording.presence == Presence::Expected)
    {
        return Presence::Expected;
    }
    match recordings
        .iter()
        .find(|recording| matches!(recording.presence, Presence::Unknown(_)))
    {
        Some(recording) => recording.presence.clone(),
        None => Presence::Either,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::testing::{AS_OF, good_sound, interaction, rules};
    use crate::source::SourcePause;

    fn sounds(reason: Option<Reason>) -> BTreeMap<String, SourceSound> {
        let first = reason.map_or_else(good_sound, SourceSound::Bad);
        BTreeMap::from([
            ("100001-1".to_owned(), first),
            ("100001-2".to_owned(), good_sound()),
        ])
    }

    #[test]
    fn a_plain_call_is_expected_with_everything_it_has() {
        let wanted = expected(&interaction(), &rules(), &sounds(None), AS_OF);
        assert_eq!(wanted.presence, Presence::Expected);
        assert_eq!(
            wanted.span.map(|span| span.start.to_string()).as_deref(),
            Some("2023-10-27T10:00:00.000Z")
        );
        assert_eq!(wanted.direction, Some("inbound"));
        assert_eq!(wanted.legs.len(), 2);
        assert!(
            !wanted.legs[0].fallback && wanted.legs[1].fallback,
            "the second agent has no mapping"
        );
        let attributes: Vec<String> = wanted
            .attributes
            .iter()
            .map(|(name, value)| format!("{name}={}", value.any_of[0]))
            .collect();
        assert_eq!(
            attributes,
            [
                "st.disposition=RESOLVED",
                "st.file_name=a.wav;b.wav",
                "st.ivr_node=IVR-12",
                "st.raw_start=1698400800000",
                "st.skill_group=Billing Tier 1",
                "st.talk_ms=281000",
                "st.wait_ms=12000"
            ]
        );
        assert_eq!(
            wanted.recordings[0]
                .delete_at
                .map(|at| at.to_string())
                .as_deref(),
            Some("2030-10-27T10:05:00.000Z")
        );
    }

    #[test]
    fn what_a_source_cannot_mean_is_told_by_the_source_alone() {
        let change = |change: fn(&mut SourceInteraction)| {
            let mut call = interaction();
            change(&mut call);
            expected(&call, &rules(), &sounds(None), AS_OF)
        };
        let internal = change(|call| call.listed.direction = Some("INTERNAL".into()));
        assert_eq!(
            (internal.direction, internal.presence),
            (None, Presence::Expected),
            "no target has a word for it"
        );
        let anothers = change(|call| {
            if let Ok(details) = &mut call.recordings[0].details {
                details.interaction_id = "100002".into();
            }
        });
        assert_eq!(
            anothers.presence,
            Presence::Absent(Absence::Rule(Reason::IdCollision))
        );
        let endless = change(|call| {
            if let Ok(details) = &mut call.recordings[0].details {
                details.pauses = vec![SourcePause {
                    start_offset_ms: Some(100),
                    end_offset_ms: None,
                }];
            }
        });
        assert_eq!(
            endless.presence,
            Presence::Absent(Absence::Rule(Reason::PiiUnprotectable))
        );
        let timeless = change(|call| {
            (
                call.listed.segments[0].start_time,
                call.listed.segments[0].end_time,
            ) = Default::default()
        });
        let whole = timeless.span;
        assert!(
            timeless.legs.iter().any(|leg| leg.span == whole),
            "a leg without times is as long as the call"
        );
    }

    #[test]
    fn one_bad_recording_holds_its_siblings_only_where_the_plan_says_so() {
        let held = expected(
            &interaction(),
            &rules(),
            &sounds(Some(Reason::AudioNotAudio)),
            AS_OF,
        );
        assert_eq!(
            held.presence,
            Presence::Absent(Absence::Rule(Reason::AudioNotAudio))
        );
        assert!(
            held.recordings
                .iter()
                .all(|recording| recording.presence == held.presence)
        );
        let mut send_rest = rules();
        send_rest.hold_partial = false;
        let rest = expected(
            &interaction(),
            &send_rest,
            &sounds(Some(Reason::AudioNotAudio)),
            AS_OF,
        );
        assert_eq!(rest.presence, Presence::Expected);
        assert_eq!(rest.recordings[1].presence, Presence::Expected);
    }

    #[test]
    fn reasons_for_all_of_an_interaction_are_derived_from_the_plan() {
        let mut skip = rules();
        skip.default_queue = None;
        skip.queues.clear();
        let mut strict = rules();
        strict.fallback_agent = None;
        let mut hashed = rules();
        hashed.phones = crate::expected::PhoneRule::Hash(b"k".to_vec());
        let mut timeless = interaction();
        timeless.listed.end_time = SourceTime::Absent;
        let mut collided = interaction();
        collided.collided = true;
        let mut anonymous = interaction();
        anonymous.listed.caller_number = Some("anonymous".into());
        let rows = [
            (interaction(), skip, Reason::UnmappedQueue),
            (interaction(), strict, Reason::UnmappedAgent),
            (timeless, rules(), Reason::TimeUnusable),
            (collided, rules(), Reason::IdCollision),
            (anonymous, hashed, Reason::PiiUnprotectable),
        ];
        for (source, rules, reason) in rows {
            let wanted = expected(&source, &rules, &sounds(None), AS_OF);
            assert_eq!(wanted.presence, Presence::Absent(Absence::Rule(reason)));
            assert!(
                wanted
                    .recordings
                    .iter()
                    .all(|recording| recording.presence == wanted.presence),
                "{reason}"
            );
        }
    }

    #[test]
    fn an_ended_retention_is_skipped_unless_the_call_is_held() {
        let later = UtcMillis::parse("2031-01-01T00:00:00Z").expect("an instant");
        let skipped = expected(&interaction(), &rules(), &sounds(None), later);
        assert_eq!(
            skipped.recordings[0].presence,
            Presence::Absent(Absence::Rule(Reason::Expired))
        );
        let mut held = interaction();
        if let Ok(details) = &mut held.recordings[1].details {
            details.legal_hold = true;
        }
        let wanted = expected(&held, &rules(), &sounds(None), later);
        assert!(wanted.hold);
        assert!(
            wanted
                .recordings
                .iter()
                .all(|recording| recording.presence == Presence::Expected)
        );
    }

    #[test]
    fn a_date_beyond_the_organisations_maximum_stays_behind_or_is_brought_forward() {
        let absent = Presence::Absent(Absence::Rule(Reason::RetentionOverMax));
        // A call of 27 October 2023, to be deleted in October 2030, looked at in November 2026.
        let rows = [
            (
                Maximum::None,
                false,
                Presence::Expected,
                "2030-10-27T10:05:00.000Z",
            ),
            (
                Maximum::Days(3_000),
                false,
                Presence::Expected,
                "2030-10-27T10:05:00.000Z",
            ),
            (
                Maximum::Days(2_000),
                false,
                absent.clone(),
                "2030-10-27T10:05:00.000Z",
            ),
            (
                Maximum::Days(2_000),
                true,
                Presence::Expected,
                "2029-04-18T10:00:00.000Z",
            ),
            // Brought forward it would be deleted at once.
            (
                Maximum::Days(1_000),
                true,
                absent,
                "2026-07-23T10:00:00.000Z",
            ),
            (
                Maximum::Unread("a permission".into()),
                true,
                Presence::Expected,
                "2030-10-27T10:05:00.000Z",
            ),
        ];
        for (maximum, clamp, presence, date) in rows {
            let rules = Rules {
                maximum: maximum.clone(),
                clamp,
                ..rules()
            };
            let wanted = expected(&interaction(), &rules, &sounds(None), AS_OF);
            assert_eq!(wanted.recordings[0].presence, presence, "{maximum:?}");
            assert_eq!(
                wanted.recordings[0]
                    .delete_at
                    .map(|at| at.to_string())
                    .as_deref(),
                Some(date),
                "{maximum:?}"
            );
            let doubts = wanted
                .recordings
                .iter()
                .filter(|recording| recording.doubt.is_some())
                .count();
            assert_eq!(
                doubts,
                if matches!(maximum, Maximum::Unread(_)) {
                    wanted.recordings.len()
                } else {
                    0
                },
                "{maximum:?}"
            );
        }
    }

    #[test]
    fn reversed_ends_are_repaired_and_the_raw_start_is_kept() {
        let mut source = interaction();
        std::mem::swap(&mut source.listed.start_time, &mut source.listed.end_time);
        let wanted = expected(&source, &rules(), &sounds(None), AS_OF);
        assert_eq!(
            wanted.span.map(|span| span.start.to_string()).as_deref(),
            Some("2023-10-27T10:00:00.000Z")
        );
        assert_eq!(
            wanted.attributes["st.repair"],
            super::super::Wanted::exactly("ends_swapped")
        );
        assert_eq!(
            wanted.attributes["st.raw_start"],
            super::super::Wanted::exactly("1698401100000")
        );
    }

    #[test]
    fn an_agreed_exclusion_leaves_the_rest_of_the_call_expected() {
        let mut rules = rules();
        rules
            .exclusions
            .insert("100001-1".into(), "erased on request".into());
        let wanted = expected(&interaction(), &rules, &sounds(None), AS_OF);
        assert_eq!(wanted.presence, Presence::Expected);
        assert_eq!(
            wanted.recordings[0].presence,
            Presence::Absent(Absence::Agreed("erased on request".into()))
        );
        assert_eq!(wanted.recordings[1].presence, Presence::Expected);
    }

    #[test]
    fn an_unmapped_wrap_up_code_is_carried_as_an_attribute() {
        let mut source = interaction();
        source.listed.wrap_up_code = Some("W-999".into());
        let wanted = expected(&source, &rules(), &sounds(None), AS_OF);
        assert_eq!(wanted.wrap_up, None);
        assert_eq!(
            wanted.attributes["st.wrap_up_code"],
            super::super::Wanted::exactly("W-999")
        );
    }

    #[test]
    fn events_tell_a_call_as_far_as_it_goes_and_no_skill_or_wrap_up_without_who_had_it() {
        let mut rules = rules();
        rules.capabilities.told_by_events = true;
        let told = |change: fn(&mut SourceInteraction)| {
            let mut call = interaction();
            change(&mut call);
            expected(&call, &rules, &sounds(None), AS_OF)
        };
        let whole = told(|_| ());
        assert!(whole.skill.is_some() && whole.wrap_up.is_some() && whole.queue.is_some());
        let unqueued = told(|call| call.listed.queue_id = None);
        assert_eq!(
            (unqueued.skill, unqueued.queue, unqueued.wrap_up),
            (None, None, whole.wrap_up)
        );
        let unattended = told(|call| {
            call.listed.agent_id = None;
            call.listed
                .segments
                .iter_mut()
                .for_each(|segment| segment.agent_id = None);
        });
        assert_eq!((unattended.wrap_up, unattended.skill), (None, whole.skill));
        let instant = told(|call| call.listed.end_time = call.listed.start_time.clone());
        assert!(
            !instant.legs.is_empty() && instant.legs.iter().all(|leg| leg.span == instant.span),
            "{:?}",
            instant.legs
        );
    }
}
