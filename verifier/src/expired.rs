//! Recordings whose retention has ended since they were sent.

use crate::expected::{Absence, Expectation, Presence, Rules};
use crate::matching::Pairing;
use crate::observed::TargetConversation;
use crate::utc_millis::UtcMillis;

/// A recording whose retention has ended since it was put there was rightly sent, and is still
/// rightly there.
pub(crate) fn forgive_expired(
    expectations: &mut [Expectation],
    pairings: &[Pairing],
    ours: &[TargetConversation],
    rules: &Rules,
) {
    let clamp = rules.clamp;
    let is_for = |presence: &Presence, reason| *presence == Presence::Absent(Absence::Rule(reason));
    for (expected, pairing) in expectations.iter_mut().zip(pairings) {
        let Some(conversation) = pairing.conversation.map(|at| &ours[at]) else {
            continue;
        };
        // A date brought forward has passed since: the call went while it had not.
        if clamp && is_for(&expected.presence, plan::Reason::RetentionOverMax) {
            expected.presence = Presence::Either;
        }
        for (recording, paired) in expected.recordings.iter_mut().zip(&pairing.recordings) {
            let actual = paired.map(|at| &conversation.read_recordings()[at]);
            let created = actual.and_then(|actual| actual.created);
            // A store that does not say when a file was put there cannot tell whether it was too
            // late then.
            let is_untold =
                !rules.capabilities.tells_when_stored && actual.is_some() && created.is_none();
            if is_untold && is_for(&recording.presence, plan::Reason::Expired) {
                recording.presence = Presence::Unknown(
                    "when a file was stored, for a recording whose retention has ended since"
                        .to_owned(),
                );
                continue;
            }
            let over = clamp && is_for(&recording.presence, plan::Reason::RetentionOverMax);
            let may = |created: UtcMillis| match recording.delete_at {
                Some(delete_at) => created < delete_at,
                // A sibling without a date was held by one whose date has passed.
                None => over,
            };
            if (over || is_for(&recording.presence, plan::Reason::Expired))
                && created.is_some_and(may)
            {
                recording.presence = Presence::Expected;
                if expected.presence == Presence::Either {
                    expected.presence = Presence::Expected;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{conversation, wanted};
    use crate::expected::testing::rules;
    use crate::matching::pair;

    #[test]
    fn a_call_that_went_while_its_date_had_not_passed_is_no_surplus_afterwards() {
        let absent = Presence::Absent(Absence::Rule(plan::Reason::RetentionOverMax));
        let mut late = wanted();
        let there = conversation(&late);
        late.presence = absent.clone();
        late.recordings
            .iter_mut()
            .for_each(|recording| recording.presence = absent.clone());
        let (pairings, _) = pair(std::slice::from_ref(&late), std::slice::from_ref(&there));
        let created = there.read_recordings()[0].created.expect("a creation");
        // Brought forward: sent before that date, sent after it, or no plan that brings anything
        // forward.
        for (delete_at, clamp, presence) in [
            (created.plus_ms(1), true, Presence::Expected),
            (created, true, absent.clone()),
            (created.plus_ms(1), false, absent.clone()),
        ] {
            let mut late = late.clone();
            late.recordings[0].delete_at = Some(delete_at);
            forgive_expired(
                std::slice::from_mut(&mut late),
                &pairings,
                std::slice::from_ref(&there),
                &Rules { clamp, ..rules() },
            );
            assert_eq!(late.recordings[0].presence, presence, "{delete_at} {clamp}");
        }
    }
}
