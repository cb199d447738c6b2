//! The one sentence a manager reads.

use std::collections::{BTreeMap, BTreeSet};

use super::{Counts, Interactions, SampleBound, Verdict};
use crate::defect::Defect;

/// What the sentence is made of.
pub(crate) struct SentenceInputs<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) counts: &'a Counts,
    pub(crate) interactions: Interactions,
    /// Recordings left behind by an entry in the exclusions file.
    pub(crate) agreed: u64,
    pub(crate) by_defect: &'a BTreeMap<Defect, u64>,
    /// What would be needed to judge the rest.
    pub(crate) needs: &'a BTreeSet<String>,
    pub(crate) audio: AudioRead<'a>,
    /// Interactions the verification was restricted to. Absent: it was not.
    pub(crate) only: Option<u64>,
    pub(crate) staged: bool,
    /// The first control total that the source does not come to, in words. Absent: there is none.
    pub(crate) total_off: Option<&'a str>,
    /// The first difference from a signed manifest, in words. Absent: there is none.
    pub(crate) manifest_off: Option<&'a str>,
    /// Who says what there is at the source. Absent: there is no manifest.
    pub(crate) manifest: Option<&'a str>,
    /// Recordings among those not judged that a running migration is still at.
    pub(crate) in_flight: u64,
    /// The target, as people name it.
    pub(crate) target: &'a str,
    /// What to say of stores that were handed over or are absent; mostly empty.
    pub(crate) stores: &'a str,
}

/// How much audio was compared.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AudioRead<'a> {
    All,
    Sample(&'a SampleBound),
    None,
}

pub(crate) fn sentence(inputs: &SentenceInputs<'_>) -> String {
    let told = match inputs.verdict {
        Verdict::Match => matched(inputs),
        Verdict::Mismatch => mismatched(inputs),
        Verdict::CannotTell => unknown(inputs),
    };
    format!("{}: {told}{}", inputs.verdict.words(), scope(inputs))
}

fn matched(inputs: &SentenceInputs<'_>) -> String {
    let counts = inputs.counts;
    let set_aside = set_aside(inputs);
    let whole = if counts.matched == counts.source_recordings {
        ""
    } else {
        " that belong there"
    };
    format!(
        "all {}{whole} of {} are in {} as they should be{set_aside}",
        number(counts.matched, "recording"),
        number(counts.source_interactions, "call"),
        inputs.target
    )
}

/// `, with 3 agreed exclusions and 12 quarantined by rule`.
fn set_aside(inputs: &SentenceInputs<'_>) -> String {
    let mut parts = Vec::new();
    if inputs.agreed > 0 {
        parts.push(number(inputs.agreed, "agreed exclusion"));
    }
    if inputs.counts.quarantined > 0 {
        parts.push(format!("{} quarantined by rule", inputs.counts.quarantined));
    }
    let skipped = inputs.counts.skipped.saturating_sub(inputs.agreed);
    if skipped > 0 {
        parts.push(format!("{skipped} skipped by rule"));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!(", with {}", list(&parts))
    }
}

fn mismatched(inputs: &SentenceInputs<'_>) -> String {
    let counts = inputs.counts;
    let mut parts = Vec::new();
    let wrong = counts.missing + counts.different;
    if wrong > 0 {
        let mut kinds = Vec::new();
        if counts.missing > 0 {
            kinds.push(format!("{} missing{}", counts.missing, pattern(inputs)));
        }
        if counts.different > 0 {
            kinds.push(format!("{} different{}", counts.different, causes(inputs)));
        }
        parts.push(format!(
            "{wrong} of {} {} wrong: {}",
            number(counts.source_recordings, "recording"),
            if wrong == 1 { "is" } else { "are" },
            kinds.join(", ")
        ));
    }
    if counts.extra > 0 {
        parts.push(format!(
            "{} in {} should not be there",
            number(counts.extra, "recording"),
            inputs.target
        ));
    }
    if inputs.interactions.wrong > 0 {
        parts.push(format!(
            "{} without a recording to carry it {} wrong",
            number(inputs.interactions.wrong, "call"),
            if inputs.interactions.wrong == 1 {
                "is"
            } else {
                "are"
            }
        ));
    }
    if inputs.interactions.policies > 0 {
        let policies = if inputs.interactions.policies == 1 {
            "1 retention policy"
        } else {
            &format!("{} retention policies", inputs.interactions.policies)
        };
        parts.push(format!(
            "by {policies} of {} what was migrated is deleted at once",
            inputs.target
        ));
    }
    if let Some(first) = inputs.total_off {
        let off = inputs.interactions.totals_off;
        parts.push(format!(
            "{} {} not met: {first}",
            number(off, "control total"),
            if off == 1 { "is" } else { "are" }
        ));
    }
    if let Some(first) = inputs.manifest_off {
        let off = inputs.interactions.manifest_off;
        parts.push(format!(
            "{} from the signed manifest: {first}",
            number(off, "difference")
        ));
    }
    if inputs.interactions.custody_off > 0 {
        let off = inputs.interactions.custody_off;
        parts.push(format!(
            "in {} the chain of custody and the target do not agree{}",
            number(off, "case"),
            by_custody(inputs)
        ));
    }
    if counts.not_verifiable > 0 {
        parts.push(format!(
            "{} could not be judged{}",
            number(counts.not_verifiable, "recording"),
            flight(inputs)
        ));
    }
    format!("{}{}", parts.join("; "), set_aside(inputs))
}

/// What the missing ones have in common; mostly nothing.
fn pattern(inputs: &SentenceInputs<'_>) -> String {
    let named: Vec<&str> = [Defect::EveryNthMissing, Defect::KindOfCallMissing]
        .iter()
        .filter(|defect| inputs.by_defect.contains_key(defect))
        .map(|defect| defect.title())
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" ({})", named.join(", "))
    }
}

const BY_CUSTODY: [Defect; 2] = [Defect::LedgerSaysFailed, Defect::VersionChanged];

/// What the chain of custody adds, in plain words.
fn by_custody(inputs: &SentenceInputs<'_>) -> String {
    let named = BY_CUSTODY
        .iter()
        .filter(|defect| inputs.by_defect.contains_key(defect))
        .map(|defect| defect.title());
    format!(" ({})", named.collect::<Vec<_>>().join(", "))
}

/// The most frequent causes of what is different, in plain words.
fn causes(inputs: &SentenceInputs<'_>) -> String {
    let presence = [
        Defect::MissingRecording,
        Defect::RecordWithoutSource,
        Defect::UploadedTwice,
        Defect::EveryNthMissing,
        Defect::KindOfCallMissing,
    ];
    let mut causes: Vec<(&Defect, &u64)> = inputs
        .by_defect
        .iter()
        .filter(|(defect, _)| !presence.contains(defect) && !BY_CUSTODY.contains(defect))
        .collect();
    causes.sort_by_key(|(defect, count)| (std::cmp::Reverse(**count), **defect));
    let named: Vec<&str> = causes
        .iter()
        .take(3)
        .map(|(defect, _)| defect.title())
        .collect();
    match (named.is_empty(), causes.len() > named.len()) {
        (true, _) => String::new(),
        (false, false) => format!(" ({})", named.join(", ")),
        (false, true) => format!(
            " ({} and {} more kinds)",
            named.join(", "),
            causes.len() - named.len()
        ),
    }
}

fn unknown(inputs: &SentenceInputs<'_>) -> String {
    let counts = inputs.counts;
    if counts.source_interactions == 0 {
        return "the source has no call in this window; check source.from, source.to and the \
            source's credentials"
            .to_owned();
    }
    let mut parts = Vec::new();
    if counts.not_verifiable > 0 {
        parts.push(format!(
            "{} of {}{}",
            counts.not_verifiable,
            number(counts.source_recordings, "recording"),
            flight(inputs)
        ));
    }
    if inputs.interactions.not_verifiable > 0 {
        parts.push(number(inputs.interactions.not_verifiable, "call"));
    }
    let needs: Vec<&str> = inputs.needs.iter().take(3).map(String::as_str).collect();
    let needed = if needs.is_empty() {
        String::new()
    } else {
        format!("; needed: {}", needs.join("; "))
    };
    if parts.is_empty() {
        return format!("{}, as far as they were staged{needed}", matched(inputs));
    }
    format!(
        "nothing wrong was found, but {} could not be judged{needed}{}",
        list(&parts),
        set_aside(inputs)
    )
}

/// ` (3 in flight)`; mostly nothing.
fn flight(inputs: &SentenceInputs<'_>) -> String {
    match inputs.in_flight {
        0 => String::new(),
        count => format!(" ({count} in flight)"),
    }
}

fn scope(inputs: &SentenceInputs<'_>) -> String {
    let mut scope = match inputs.audio {
        AudioRead::All => String::new(),
        AudioRead::None => "; audio was not compared".to_owned(),
        AudioRead::Sample(bound) => format!(
            "; audio was compared for {} of {}, so at most {} of all can be wrong (95 % \
             confidence)",
            bound.size,
            bound.of,
            percent(bound.upper_95)
        ),
    };
    if let Some(only) = inputs.only {
        let chosen = number(only, "chosen call");
        scope.push_str(&format!(
            "; only {chosen} {} looked at, nothing is said of any other",
            if only == 1 { "was" } else { "were" }
        ));
    }
    if inputs.staged {
        scope.push_str("; judged against staged data");
        // Of chosen calls, and beside control totals, there is nothing to add.
        if inputs.interactions.is_population_unknown {
            scope.push_str(", so whether all of the source was staged is not known");
        }
    }
    if let Some(manifest) = inputs.manifest {
        scope.push_str(&format!("; {manifest}"));
    }
    scope.push_str(inputs.stores);
    scope
}

fn percent(share: f64) -> String {
    format!("{:.2} %", (share * 10_000.0).ceil() / 100.0)
}

fn number(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts, findings by class, agreed exclusions, audio, and the sentence.
    type Row<'a> = (
        Counts,
        &'a BTreeMap<Defect, u64>,
        u64,
        AudioRead<'a>,
        &'a str,
    );

    #[test]
    fn a_manager_understands_each_ending() {
        let all = Counts {
            source_interactions: 240,
            source_recordings: 312,
            matched: 312,
            ..Counts::default()
        };
        let needs = BTreeSet::from(["permission recording:recording:view".to_owned()]);
        let bound = SampleBound {
            size: 300,
            of: 312,
            seed: 1,
            wrong: 0,
            upper_95: 0.009_936,
        };
        let silent = BTreeMap::from([(Defect::MissingRecording, 1), (Defect::AudioSilent, 1)]);
        let none = BTreeMap::new();
        let rows: [Row<'_>; 6] = [
            (
                all,
                &none,
                0,
                AudioRead::All,
                "match: all 312 recordings of 240 calls are in Genesys Cloud as they should be",
            ),
            (
                Counts {
                    matched: 297,
                    skipped: 3,
                    quarantined: 12,
                    ..all
                },
                &none,
                3,
                AudioRead::All,
                "match: all 297 recordings that belong there of 240 calls are in Genesys Cloud as \
                 they should be, with 3 agreed exclusions and 12 quarantined by rule",
            ),
            (
                Counts {
                    matched: 310,
                    missing: 1,
                    different: 1,
                    ..all
                },
                &silent,
                0,
                AudioRead::All,
                "mismatch: 2 of 312 recordings are wrong: 1 missing, 1 different (audio is silent)",
            ),
            (
                Counts {
                    matched: 309,
                    not_verifiable: 3,
                    ..all
                },
                &none,
                0,
                AudioRead::All,
                "cannot tell: nothing wrong was found, but 3 of 312 recordings could not be \
                 judged; needed: permission recording:recording:view",
            ),
            (
                all,
                &none,
                0,
                AudioRead::Sample(&bound),
                "match: all 312 recordings of 240 calls are in Genesys Cloud as they should be; \
                 audio was compared for 300 of 312, so at most 1.00 % of all can be wrong (95 % \
                 confidence)",
            ),
            (
                Counts::default(),
                &none,
                0,
                AudioRead::None,
                "cannot tell: the source has no call in this window; check source.from, source.to \
                 and the source's credentials; audio was not compared",
            ),
        ];
        for (counts, by_defect, agreed, audio, wanted) in rows {
            let interactions = Interactions::default();
            let verdict = super::super::verdict(&counts, interactions);
            let inputs = SentenceInputs {
                verdict,
                counts: &counts,
                interactions,
                agreed,
                by_defect,
                needs: &needs,
                audio,
                only: None,
                staged: false,
                total_off: None,
                manifest_off: None,
                manifest: None,
                in_flight: 0,
                target: "Genesys Cloud",
                stores: "",
            };
            assert_eq!(sentence(&inputs), wanted);
        }
        let part = Counts {
            source_interactions: 9,
            source_recordings: 12,
            matched: 12,
            ..Counts::default()
        };
        let (interactions, verdict, by_defect) = (Interactions::default(), Verdict::Match, &none);
        let audio = AudioRead::All;
        let inputs = SentenceInputs {
            verdict,
            counts: &part,
            interactions,
            agreed: 0,
            by_defect,
            needs: &needs,
            audio,
            only: Some(9),
            staged: false,
            total_off: None,
            manifest_off: None,
            manifest: None,
            in_flight: 0,
            target: "Genesys Cloud",
            stores: "",
        };
        assert_eq!(
            sentence(&inputs),
            "match: all 12 recordings of 9 calls are in Genesys Cloud as they should be; only 9 \
             chosen calls were looked at, nothing is said of any other"
        );
    }
}
