//! Which call meets what: exact counts and named calls, spread over a world nobody lists.

use std::collections::BTreeMap;

use super::defects::DomainKind;
use super::generated::FIRST_ID;
use super::settings::WorldSettings;
use super::shuffle::Shuffle;
use crate::seed::Seed;

/// Wrong data that is planted in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Planted {
    pub(crate) kind: DomainKind,
    /// The rule's knob, where it has one.
    pub(crate) ms: i64,
}

/// Wrong data that a world is to have: a `[[fault]]` on a place of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planting {
    pub(crate) kind: DomainKind,
    pub(crate) ms: Option<u64>,
    /// Interactions it is planted in, exactly. Absent: `share` or `keys` say, or all of them.
    pub(crate) count: Option<u64>,
    pub(crate) share: Option<f64>,
    /// Ids of interactions. Empty: any.
    pub(crate) keys: Vec<String>,
}

/// A call has one fate at most, so that the outcomes of several faults add up.
pub(super) struct FaultPlacement {
    order: Shuffle,
    /// Planted in the ranks below this one and above the entry before.
    ranks: Vec<(u64, Planted)>,
    /// Calls that a rule names, by index. A handful: they are looked through at every question.
    named: BTreeMap<u64, Planted>,
}

impl FaultPlacement {
    /// The knobs of the world come first, in the order they always had, then the rules in theirs.
    pub(super) fn new(
        seed: Seed,
        settings: &WorldSettings,
        plantings: &[Planting],
    ) -> FaultPlacement {
        let mut named = BTreeMap::new();
        let mut counts = by_knobs(settings);
        for rule in plantings {
            let planted = Planted {
                kind: rule.kind,
                ms: i64::try_from(rule.ms.unwrap_or(1000)).unwrap_or(i64::MAX),
            };
            if rule.keys.is_empty() {
                counts.push((victims(rule, settings.interactions), planted));
            }
            named.extend(
                rule.keys
                    .iter()
                    .filter_map(|key| index_of_key(key, settings.interactions))
                    .map(|i| (i, planted)),
            );
        }
        let mut below = 0;
        let ranks = counts.into_iter().map(|(count, planted)| {
            below += count;
            (below, planted)
        });
        FaultPlacement {
            order: Shuffle::new(seed, settings.interactions - named.len() as u64),
            ranks: ranks.collect(),
            named,
        }
    }

    /// What is planted in the `i`-th call. Pure, and without a look at any other.
    pub(super) fn of(&self, i: u64) -> Option<Planted> {
        if self.ranks.is_empty() && self.named.is_empty() {
            return None;
        }
        if let Some(planted) = self.named.get(&i) {
            return Some(*planted);
        }
        let rank = self.order.rank(i - self.named.range(..i).count() as u64);
        self.ranks
            .iter()
            .find(|(below, _)| rank < *below)
            .map(|(_, planted)| *planted)
    }

    /// Everything that is planted somewhere.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Planted> {
        self.ranks
            .iter()
            .map(|(_, planted)| *planted)
            .chain(self.named.values().copied())
    }
}

/// `bad_media` and `expired` are the same faults under older names.
fn by_knobs(settings: &WorldSettings) -> Vec<(u64, Planted)> {
    let bad = &settings.bad_media;
    let counts = [
        (bad.empty, DomainKind::EmptyMedia),
        (bad.html, DomainKind::HtmlMedia),
        (bad.noise, DomainKind::NoiseMedia),
        (bad.undecodable, DomainKind::UndecodableMedia),
        (bad.unsupported, DomainKind::UnsupportedMedia),
        (bad.incomplete, DomainKind::IncompleteMedia),
        (bad.truncated, DomainKind::TruncatedMedia),
        (bad.short, DomainKind::ShortMedia),
        (settings.expired, DomainKind::Expired),
    ];
    counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| (count, Planted { kind, ms: 0 }))
        .collect()
}

/// How many calls a rule without names takes.
fn victims(rule: &Planting, interactions: u64) -> u64 {
    match (rule.count, rule.share) {
        (Some(count), _) => count,
        (None, Some(share)) => (share * interactions as f64).round() as u64,
        (None, None) => interactions,
    }
}

/// Index of the call with that id, if the world has it.
fn index_of_key(key: &str, interactions: u64) -> Option<u64> {
    let index = key.parse::<u64>().ok()?.checked_sub(FIRST_ID)?;
    (index < interactions).then_some(index)
}

impl WorldSettings {
    /// What is wrong with the rules for the source's data, given this world; in words.
    pub(crate) fn check_planted(&self, plantings: &[Planting]) -> Result<(), String> {
        if self.file.is_some() {
            return Err(
                "the source's own data can be made wrong in a generated world only; an imported \
                 one is what its files say"
                    .to_owned(),
            );
        }
        let mut named: Vec<&String> = plantings.iter().flat_map(|rule| &rule.keys).collect();
        if let Some(stranger) = named
            .iter()
            .find(|key| index_of_key(key, self.interactions).is_none())
        {
            return Err(format!(
                "there is no interaction `{stranger}`; ids run from {FIRST_ID} to {}",
                FIRST_ID + self.interactions - 1
            ));
        }
        named.sort_unstable();
        if let Some(twice) = named.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!(
                "interaction {} is named twice; one call meets one fault of the source's data",
                twice[0]
            ));
        }
        let counted = plantings
            .iter()
            .filter(|rule| rule.keys.is_empty())
            .map(|rule| victims(rule, self.interactions));
        let all = counted.sum::<u64>() + named.len() as u64 + self.bad_media.total() + self.expired;
        if all > self.interactions {
            return Err(format!(
                "faults of the source's data ask for {all} of {} interactions; one call meets one \
                 of them",
                self.interactions
            ));
        }
        if self.unmapped_agents + self.invalid_agent_ids >= self.agents
            || self.unmapped_queues + self.invalid_queue_ids >= self.queues
        {
            return Err(
                "faults of the source's data need at least one mapped agent and one mapped queue"
                    .to_owned(),
            );
        }
        if self.mean_seconds < 2.5 {
            return Err(
                "faults of the source's data need mean_seconds of 2.5 or more, or they fall \
                inside the usual tolerance"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planting(kind: DomainKind) -> Planting {
        Planting {
            kind,
            ms: None,
            count: None,
            share: None,
            keys: Vec::new(),
        }
    }

    fn named(kind: DomainKind, keys: &[&str]) -> Planting {
        Planting {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..planting(kind)
        }
    }

    #[test]
    fn counts_shares_and_names_are_exact_and_never_meet() {
        let settings = WorldSettings {
            interactions: 200,
            expired: 3,
            ..WorldSettings::default()
        };
        let rules = [
            Planting {
                count: Some(5),
                ..planting(DomainKind::ZeroTime)
            },
            Planting {
                share: Some(0.1),
                ..planting(DomainKind::Emoji)
            },
            named(DomainKind::Mojibake, &["100001", "100077", "100200"]),
        ];
        assert_eq!(settings.check_planted(&rules), Ok(()));
        for seed in 0..20 {
            let fault_placement = FaultPlacement::new(Seed::new(seed), &settings, &rules);
            let count = |kind| {
                (0..200)
                    .filter(|i| {
                        fault_placement
                            .of(*i)
                            .is_some_and(|planted| planted.kind == kind)
                    })
                    .count()
            };
            let kinds = [
                DomainKind::Expired,
                DomainKind::ZeroTime,
                DomainKind::Emoji,
                DomainKind::Mojibake,
            ];
            assert_eq!(kinds.map(count), [3, 5, 20, 3]);
            assert_eq!(
                fault_placement.of(76).map(|planted| planted.kind),
                Some(DomainKind::Mojibake)
            );
        }
    }

    #[test]
    fn rules_that_cannot_be_met_are_refused() {
        let settings = WorldSettings {
            interactions: 10,
            ..WorldSettings::default()
        };
        for (planting, expected) in [
            (
                Planting {
                    count: Some(11),
                    ..planting(DomainKind::ZeroTime)
                },
                "ask for 11 of 10",
            ),
            (
                named(DomainKind::ZeroTime, &["100011"]),
                "ids run from 100001 to 100010",
            ),
            (
                named(DomainKind::ZeroTime, &["100001", "100001"]),
                "named twice",
            ),
        ] {
            let error = settings.check_planted(&[planting]).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
        let brief = WorldSettings {
            mean_seconds: 1.0,
            ..settings
        };
        assert!(
            brief
                .check_planted(&[planting(DomainKind::ZeroTime)])
                .is_err_and(|error| error.contains("mean_seconds"))
        );
    }
}
