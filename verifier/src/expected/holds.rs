//! Which calls under legal hold stay behind because the organisation protects no more
//! conversations. Source: docs/reference/match.md, "Holds".

use std::collections::BTreeSet;

use super::{Rules, call_span, padless};
use crate::run_error::RunError;
use crate::source::SourceInteraction;
use crate::text::Text;
use crate::utc_millis::UtcMillis;

/// The calls behind the first `room` ones under hold, by start and id, whatever else becomes of
/// them. A call that is agreed to stay behind with all of its recordings takes no place.
pub(crate) fn beyond(
    interactions: impl Iterator<Item = Result<SourceInteraction, RunError>>,
    rules: &Rules,
    room: u64,
) -> Result<BTreeSet<String>, RunError> {
    let is_held = |interaction: &SourceInteraction| {
        let recordings = || interaction.recordings.iter();
        let is_under_hold = recordings().any(|recording| {
            let details = recording.details.as_ref();
            details.is_ok_and(|details| details.legal_hold)
        });
        let goes =
            recordings().any(|recording| !rules.exclusions.contains_key(padless(&recording.id)));
        is_under_hold && goes
    };
    let mut held: Vec<(UtcMillis, Text)> = Vec::new();
    for interaction in interactions {
        let interaction = interaction?;
        if is_held(&interaction)
            && let Some(span) = call_span(&interaction, rules)
        {
            held.push((span.start, interaction.listed.id));
        }
    }
    held.sort_unstable();
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    Ok(held
        .into_iter()
        .skip(room)
        .map(|(_, id)| id.into())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::testing::{interaction, rules};
    use crate::source::SourceTime;

    /// A call under hold with this id and start.
    fn held(id: &str, start: i64) -> SourceInteraction {
        let mut call = interaction();
        call.listed.id = id.into();
        call.listed.start_time = SourceTime::Number(start);
        call.listed.end_time = SourceTime::Number(start + 1000);
        for (at, recording) in call.recordings.iter_mut().enumerate() {
            recording.id = format!("{id}-{}", at + 1).into();
            if let Ok(details) = &mut recording.details {
                details.legal_hold = at == 0;
            }
        }
        call
    }

    #[test]
    fn the_earliest_are_protected_and_what_is_agreed_takes_no_place() {
        let start = 1_698_400_800_000;
        let calls = [held("3", start + 2), held("2", start), held("1", start)];
        let mut rules = rules();
        let names = |rules: &Rules, room| -> Vec<String> {
            let calls = calls.iter().cloned().map(Ok);
            let beyond = beyond(calls, rules, room).expect("read");
            beyond.into_iter().collect()
        };
        assert_eq!(names(&rules, 3), Vec::<String>::new());
        assert_eq!(names(&rules, 2), ["3"]);
        assert_eq!(names(&rules, 1), ["2", "3"]);
        let recordings: Vec<String> = calls[2]
            .recordings
            .iter()
            .map(|recording| String::from(&recording.id))
            .collect();
        for (at, id) in recordings.iter().enumerate() {
            rules.exclusions.insert(id.clone(), "agreed".to_owned());
            let is_whole = at + 1 == recordings.len();
            let left = if is_whole { Vec::new() } else { vec!["3"] };
            assert_eq!(names(&rules, 2), left, "without {id}");
        }
    }
}
