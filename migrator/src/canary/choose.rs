//! Which interactions make a canary. Pure: rows in, row numbers out, the same for ever.

use std::collections::{BTreeMap, BTreeSet};

/// Something a recording or its call can be, and that may go wrong on the way for all of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feature {
    /// Codec as the source declares it, upper case. Absent: it declares none.
    Codec(Option<String>),
    /// Retention class. Absent: none.
    Class(Option<String>),
    /// How a call was passed on: its legs, and its recordings.
    Shape {
        legs: usize,
        recordings: usize,
    },
    Age(Age),
    Paused,
    Unpaused,
    Held,
    NotHeld,
    /// As the source names it, upper case. Absent: it does not say.
    Direction(Option<String>),
}

/// How old a call is, cut where the target's own search changes. Source: Genesys Cloud's help,
/// "Retention period for analytics data and recording".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// Less than 18 months: everything is shown.
    Young,
    /// 18 months to 5 years: details and playback may be restricted.
    Middle,
    /// More: stored, and perhaps not found by the user interface.
    Old,
}

impl std::fmt::Display for Feature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "not given".to_owned());
        match self {
            Feature::Codec(codec) => write!(f, "codec {}", named(codec)),
            Feature::Class(class) => write!(f, "retention class {}", named(class)),
            Feature::Shape { legs, recordings } => write!(
                f,
                "call of {} with {}",
                number(*legs, "leg"),
                number(*recordings, "recording")
            ),
            Feature::Age(Age::Young) => f.write_str("younger than 1.5 years"),
            Feature::Age(Age::Middle) => f.write_str("1.5 to 5 years old"),
            Feature::Age(Age::Old) => f.write_str("older than 5 years"),
            Feature::Paused => f.write_str("with a pause"),
            Feature::Unpaused => f.write_str("without a pause"),
            Feature::Held => f.write_str("under legal hold"),
            Feature::NotHeld => f.write_str("not under legal hold"),
            Feature::Direction(direction) => write!(f, "direction {}", named(direction)),
        }
    }
}

pub(super) fn number(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// An interaction that would go, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Place in extraction order.
    pub(crate) seq: i64,
    /// Recordings of it that go; one or more.
    pub(crate) recordings: usize,
    pub(crate) features: BTreeSet<Feature>,
    /// Everybody who took it.
    pub(crate) agents: BTreeSet<String>,
    pub(crate) start_ms: i64,
}

/// So many recordings cannot show everything there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooFew {
    /// Recordings that would do.
    pub(crate) needed: usize,
    /// What would not be covered.
    pub(crate) left: Vec<Feature>,
}

/// Interactions of at most `wanted` recordings in which everything occurs that occurs in any
/// candidate: those in `kept` whatever else is chosen, then whatever shows most that is new for
/// each recording it takes, then far apart in time and by agents not chosen yet. Ties go by
/// extraction order. A whole interaction is chosen or nothing of it, so there may be a few
/// recordings fewer than wanted.
pub(crate) fn choose(
    candidates: &[Candidate],
    kept: &BTreeSet<i64>,
    wanted: usize,
) -> Result<Vec<i64>, TooFew> {
    let mut candidates: Vec<&Candidate> = candidates.iter().collect();
    candidates.sort_unstable_by_key(|candidate| candidate.seq);
    let mut chosen = cover(&candidates, kept);
    let needed = recordings_of(&chosen);
    if needed > wanted {
        return Err(TooFew {
            needed,
            left: left_over(&chosen, wanted),
        });
    }
    fill(&candidates, &mut chosen, wanted);
    let mut seqs: Vec<i64> = chosen.iter().map(|candidate| candidate.seq).collect();
    seqs.sort_unstable();
    Ok(seqs)
}

fn recordings_of(chosen: &[&Candidate]) -> usize {
    chosen.iter().map(|candidate| candidate.recordings).sum()
}

/// Those kept, and greedily what shows the rest; picks that others make superfluous are given back.
fn cover<'a>(candidates: &[&'a Candidate], kept: &BTreeSet<i64>) -> Vec<&'a Candidate> {
    let mut chosen: Vec<&Candidate> = candidates
        .iter()
        .copied()
        .filter(|candidate| kept.contains(&candidate.seq))
        .collect();
    let first_free = chosen.len();
    let mut missing: BTreeSet<&Feature> = candidates
        .iter()
        .flat_map(|candidate| &candidate.features)
        .collect();
    chosen
        .iter()
        .flat_map(|candidate| &candidate.features)
        .for_each(|feature| _ = missing.remove(feature));
    while !missing.is_empty() {
        let new = |candidate: &Candidate| {
            candidate
                .features
                .iter()
                .filter(|feature| missing.contains(feature))
                .count()
        };
        let mut best: Option<(&Candidate, usize)> = None;
        for candidate in candidates {
            let news = new(candidate);
            // More that is new for each recording; of two alike the one that shows more; else the
            // first.
            let better = best.is_none_or(|(other, most)| {
                let (this, that) = (news * other.recordings, most * candidate.recordings);
                this > that || (this == that && news > most)
            });
            if news > 0 && better {
                best = Some((candidate, news));
            }
        }
        // Each missing feature is some candidate's.
        let Some((candidate, _)) = best else { break };
        candidate
            .features
            .iter()
            .for_each(|feature| _ = missing.remove(feature));
        chosen.push(candidate);
    }
    for at in (first_free..chosen.len()).rev() {
        let others: BTreeSet<&Feature> = chosen
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .flat_map(|(_, candidate)| &candidate.features)
            .collect();
        if chosen[at]
            .features
            .iter()
            .all(|feature| others.contains(feature))
        {
            chosen.remove(at);
        }
    }
    chosen
}

/// What the first picks that fit leave uncovered.
fn left_over(chosen: &[&Candidate], wanted: usize) -> Vec<Feature> {
    let mut room = wanted;
    let mut covered: BTreeSet<&Feature> = BTreeSet::new();
    for candidate in chosen {
        if candidate.recordings <= room {
            room -= candidate.recordings;
            covered.extend(&candidate.features);
        }
    }
    let all: BTreeSet<&Feature> = chosen
        .iter()
        .flat_map(|candidate| &candidate.features)
        .collect();
    all.difference(&covered)
        .map(|feature| (*feature).clone())
        .collect()
}

/// Fills up: an agent seen seldom first, then far in time from what is chosen.
fn fill<'a>(candidates: &[&'a Candidate], chosen: &mut Vec<&'a Candidate>, wanted: usize) {
    let mut room = wanted - recordings_of(chosen);
    let mut taken: BTreeSet<i64> = chosen.iter().map(|candidate| candidate.seq).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let note = |seen: &mut BTreeMap<&'a str, usize>, candidate: &'a Candidate| {
        candidate
            .agents
            .iter()
            .for_each(|agent| *seen.entry(agent).or_default() += 1);
    };
    chosen
        .iter()
        .for_each(|candidate| note(&mut seen, candidate));
    let nearest = |chosen: &[&Candidate], candidate: &Candidate| {
        chosen
            .iter()
            .map(|other| other.start_ms.abs_diff(candidate.start_ms))
            .min()
            .unwrap_or(u64::MAX)
    };
    let mut distance: Vec<u64> = candidates
        .iter()
        .map(|candidate| nearest(chosen, candidate))
        .collect();
    loop {
        let seldom = |candidate: &Candidate| {
            candidate
                .agents
                .iter()
                .map(|agent| seen.get(agent.as_str()).copied().unwrap_or(0))
                .min()
        };
        let fits = candidates.iter().enumerate().filter(|(_, candidate)| {
            candidate.recordings <= room && !taken.contains(&candidate.seq)
        });
        let best = fits.min_by_key(|(at, candidate)| {
            (
                seldom(candidate).unwrap_or(usize::MAX),
                u64::MAX - distance[*at],
                candidate.seq,
            )
        });
        let Some((_, candidate)) = best else { return };
        room -= candidate.recordings;
        taken.insert(candidate.seq);
        note(&mut seen, candidate);
        chosen.push(candidate);
        for (at, other) in candidates.iter().enumerate() {
            distance[at] = distance[at].min(other.start_ms.abs_diff(candidate.start_ms));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codec(name: &str) -> Feature {
        Feature::Codec(Some(name.to_owned()))
    }

    /// A row: seq, recordings, features as words, agent, start.
    fn row(seq: i64, recordings: usize, codecs: &str, agent: &str, start_ms: i64) -> Candidate {
        let features = codecs.split_whitespace().map(codec).collect();
        Candidate {
            seq,
            recordings,
            features,
            agents: [agent.to_owned()].into(),
            start_ms,
        }
    }

    #[test]
    fn a_canary_covers_with_few_and_fills_up_far_apart() {
        let rows = [
            row(1, 1, "pcm", "A", 0),
            row(2, 1, "pcm", "A", 10),
            row(3, 2, "pcm gsm", "A", 20),
            row(4, 1, "gsm mp3", "A", 30),
            row(5, 1, "pcm", "B", 31),
            row(6, 1, "pcm", "A", 1000),
        ];
        let none = BTreeSet::new();
        let too_few = |needed, left: &[&str]| {
            Err(TooFew {
                needed,
                left: left.iter().map(|name| codec(name)).collect(),
            })
        };
        type Row<'a> = (&'a str, BTreeSet<i64>, usize, Result<Vec<i64>, TooFew>);
        let table: [Row<'_>; 7] = [
            ("exactly the cover", none.clone(), 2, Ok(vec![1, 4])),
            ("an agent not seen yet", none.clone(), 3, Ok(vec![1, 4, 5])),
            (
                "then far away in time",
                none.clone(),
                4,
                Ok(vec![1, 4, 5, 6]),
            ),
            (
                "more than there is",
                none.clone(),
                99,
                Ok(vec![1, 2, 3, 4, 5, 6]),
            ),
            ("too few", none.clone(), 1, too_few(2, &["pcm"])),
            ("what is kept stays", [3].into(), 3, Ok(vec![3, 4])),
            ("what is kept counts", [3].into(), 2, too_few(3, &["mp3"])),
        ];
        for (what, kept, wanted, expected) in table {
            assert_eq!(choose(&rows, &kept, wanted), expected, "{what}");
        }
        assert_eq!(
            choose(&[], &none, 3),
            Ok(Vec::new()),
            "nothing to choose from"
        );
    }

    #[test]
    fn a_whole_interaction_is_chosen_or_nothing_of_it() {
        let rows = [
            row(1, 1, "pcm", "A", 0),
            row(2, 3, "pcm", "B", 5),
            row(3, 3, "pcm", "C", 9),
        ];
        assert_eq!(
            choose(&rows, &BTreeSet::new(), 3),
            Ok(vec![1]),
            "no room for three beside one"
        );
        assert_eq!(choose(&rows, &BTreeSet::new(), 4), Ok(vec![1, 3]));
    }

    #[test]
    fn every_feature_reads_as_words() {
        let shape = Feature::Shape {
            legs: 2,
            recordings: 1,
        };
        assert_eq!(
            [
                codec("GSM"),
                Feature::Class(None),
                shape,
                Feature::Age(Age::Old)
            ]
            .map(|feature| feature.to_string()),
            [
                "codec GSM",
                "retention class not given",
                "call of 2 legs with 1 recording",
                "older than 5 years"
            ]
        );
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (
            1_usize..4,
            prop::collection::btree_set(0_u8..12, 0..5),
            0_u8..5,
            0_i64..100_000,
        );
        prop::collection::vec(one, 0..40).prop_map(|rows| {
            let candidate = |(seq, (recordings, codecs, agent, start_ms)): (
                usize,
                (usize, BTreeSet<u8>, u8, i64),
            )| Candidate {
                seq: i64::try_from(seq).unwrap(),
                recordings,
                features: codecs
                    .into_iter()
                    .map(|number| codec(&number.to_string()))
                    .collect(),
                agents: [agent.to_string()].into(),
                start_ms,
            };
            rows.into_iter().enumerate().map(candidate).collect()
        })
    }

    fn features<'a>(candidates: impl Iterator<Item = &'a Candidate>) -> BTreeSet<&'a Feature> {
        candidates
            .flat_map(|candidate| &candidate.features)
            .collect()
    }

    proptest! {
        #[test]
        fn everything_present_is_covered_whenever_the_canary_is_large_enough(
            rows in candidates(), kept in prop::collection::btree_set(0_i64..40, 0..4), wanted in 0_usize..80, turn in 0_usize..40,
        ) {
            let kept: BTreeSet<i64> = kept.into_iter().filter(|seq| rows.iter().any(|row| row.seq == *seq)).collect();
            let of = |seqs: &[i64]| rows.iter().filter(|row| seqs.contains(&row.seq)).cloned().collect::<Vec<_>>();
            match choose(&rows, &kept, wanted) {
                Ok(seqs) => {
                    let chosen = of(&seqs);
                    prop_assert_eq!(features(chosen.iter()), features(rows.iter()));
                    prop_assert!(chosen.iter().map(|row| row.recordings).sum::<usize>() <= wanted);
                    prop_assert!(kept.iter().all(|seq| seqs.contains(seq)));
                    let room = wanted - chosen.iter().map(|row| row.recordings).sum::<usize>();
                    prop_assert!(rows.iter().all(|row| seqs.contains(&row.seq) || row.recordings > room), "it is full");
                }
                Err(few) => {
                    prop_assert!(few.needed > wanted);
                    prop_assert!(choose(&rows, &kept, few.needed).is_ok(), "what is said to do \
                        does");
                }
            }
            let mut turned = rows.clone();
            turned.rotate_left(turn.min(rows.len()));
            prop_assert_eq!(choose(&turned, &kept, wanted), choose(&rows, &kept, wanted), "the order of the rows says nothing");
        }
    }
}
