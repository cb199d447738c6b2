//! A scenario's expectations against what happened. What is left out of `[expect]` means zero:
//! nothing passes by silence.

use std::collections::BTreeMap;

use plan::Reason;
use serde::Serialize;
use verifier::{Defect, Verdict};

use crate::ending::Ending;
use crate::scenario::{Expect, ExpectedEnding};

/// One expectation, held or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expectation {
    /// What was expected about.
    pub what: String,
    /// As the scenario says.
    pub expected: String,
    /// As it happened.
    pub actual: String,
    /// Whether it held.
    pub pass: bool,
}

/// What happened, as far as a scenario can expect it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Observations {
    /// How the migrator ended.
    pub(crate) migrator: Option<Ending>,
    /// The verifier's verdict; absent where it came to none.
    pub(crate) verdict: Option<String>,
    /// Recordings by reason, as the verifier derived them.
    pub(crate) by_reason: BTreeMap<String, u64>,
    /// Recordings by reason, as the migrator put them aside and left them. Absent: it does not
    /// tell, as other people's do not.
    pub(crate) aside: Option<Aside>,
    /// Findings by defect class.
    pub(crate) by_defect: BTreeMap<String, u64>,
    /// Requests of the migrator to all platforms.
    pub(crate) requests: u64,
    /// Lines of a replayed log that did not strike.
    pub(crate) unmet_faults: u64,
    /// Interactions the migrator extracted.
    pub(crate) interactions: u64,
    /// Recordings of them.
    pub(crate) recordings: u64,
    /// Breaches of good conduct by the migrator, by rule.
    pub(crate) conduct: BTreeMap<String, u64>,
    /// The same of the verifier, which has none to expect.
    pub(crate) verifier_conduct: BTreeMap<String, u64>,
}

impl Observations {
    /// What the verifier says.
    pub(crate) fn found(&mut self, report: &verifier::Report) {
        let verdict = serde_json::to_value(report.summary.verdict).ok();
        self.verdict = verdict.and_then(|verdict| Some(verdict.as_str()?.to_owned()));
        self.by_reason = report.summary.by_reason.clone();
        self.by_defect = report
            .summary
            .by_defect
            .iter()
            .map(|(class, count)| (class.clone(), *count))
            .collect::<BTreeMap<_, _>>();
    }
}

/// What a migrator says it did not move: recordings by reason.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aside {
    pub(crate) quarantined: BTreeMap<String, u64>,
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Interactions left because of an error.
    pub(crate) left: u64,
}

/// Holds every expectation against what happened.
pub(crate) fn judge(expect: &Expect, observed: &Observations) -> Vec<Expectation> {
    let mut all = vec![
        row(
            "migrator",
            ending_name(expect.migrator).to_owned(),
            migrator_name(observed.migrator).to_owned(),
        ),
        row(
            "verdict",
            verdict_name(expect.verdict).to_owned(),
            observed
                .verdict
                .clone()
                .unwrap_or_else(|| "none".to_owned()),
        ),
        row(
            "findings",
            counts(&named(&expect.by_defect, Defect::code)),
            counts(&observed.by_defect),
        ),
    ];
    let [quarantined, skipped] =
        [&expect.quarantined, &expect.skipped].map(|by_reason| named(by_reason, Reason::as_str));
    if let Some(aside) = &observed.aside {
        all.push(row(
            "quarantined",
            counts(&quarantined),
            counts(&aside.quarantined),
        ));
        all.push(row("skipped", counts(&skipped), counts(&aside.skipped)));
        all.push(row("left", expect.left.to_string(), aside.left.to_string()));
    }
    // Nothing was quarantined or skipped where the migrator was refused; the verifier may still
    // derive what would have been.
    if observed.verdict.is_some() && expect.migrator != ExpectedEnding::Refused {
        let mut both = quarantined;
        for (reason, count) in skipped {
            *both.entry(reason).or_default() += count;
        }
        all.push(row(
            "reasons derived by the verifier",
            counts(&both),
            counts(&observed.by_reason),
        ));
    }
    if observed.unmet_faults > 0 {
        all.push(row(
            "faults of the log that did not strike",
            "0".to_owned(),
            observed.unmet_faults.to_string(),
        ));
    }
    if let Some(most) = expect.max_requests {
        let pass = observed.requests <= most;
        all.push(Expectation {
            what: "requests".to_owned(),
            expected: format!("at most {most}"),
            actual: observed.requests.to_string(),
            pass,
        });
    }
    all.push(at_most("conduct", expect.max_conduct, &observed.conduct));
    all.push(at_most(
        "the verifier's conduct",
        0,
        &observed.verifier_conduct,
    ));
    all
}

/// So many breaches of good conduct may be counted; which there were is told.
fn at_most(what: &str, most: u64, by_rule: &BTreeMap<String, u64>) -> Expectation {
    let expected = if most == 0 {
        "no breach".to_owned()
    } else {
        format!("at most {most} breaches")
    };
    let actual = if by_rule.is_empty() {
        "no breach".to_owned()
    } else {
        counts(by_rule)
    };
    Expectation {
        what: what.to_owned(),
        expected,
        actual,
        pass: by_rule.values().sum::<u64>() <= most,
    }
}

fn row(what: &str, expected: String, actual: String) -> Expectation {
    let pass = expected == actual;
    Expectation {
        what: what.to_owned(),
        expected,
        actual,
        pass,
    }
}

/// By the names that reports give.
fn named<T: Copy>(counts: &BTreeMap<T, u64>, name: fn(T) -> &'static str) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(one, count)| (name(*one).to_owned(), *count))
        .collect()
}

fn counts(map: &BTreeMap<String, u64>) -> String {
    let listed: Vec<String> = map
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if listed.is_empty() {
        "none".to_owned()
    } else {
        listed.join(", ")
    }
}

fn ending_name(ending: ExpectedEnding) -> &'static str {
    match ending {
        ExpectedEnding::Complete => "complete",
        ExpectedEnding::Quarantined => "quarantined",
        ExpectedEnding::Stopped => "stopped",
        ExpectedEnding::Refused => "refused",
    }
}

fn migrator_name(ending: Option<Ending>) -> &'static str {
    match ending {
        Some(Ending::Done) => "complete",
        Some(Ending::SetAside) => "quarantined",
        Some(Ending::Stopped | Ending::Source | Ending::Target) => "stopped",
        Some(Ending::BadCall) => "refused",
        Some(Ending::OurBug | Ending::Mismatch | Ending::CannotTell | Ending::Unexpected)
        | None => "broken",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "match",
        Verdict::Mismatch => "mismatch",
        Verdict::CannotTell => "cannot_tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect() -> Expect {
        Expect {
            migrator: ExpectedEnding::Quarantined,
            verdict: Verdict::Match,
            quarantined: [(Reason::AudioEmpty, 2)].into(),
            skipped: BTreeMap::new(),
            left: 0,
            by_defect: BTreeMap::new(),
            max_requests: Some(10),
            max_conduct: 0,
        }
    }

    fn observed() -> Observations {
        Observations {
            migrator: Some(Ending::SetAside),
            verdict: Some("match".to_owned()),
            by_reason: [("audio_empty".to_owned(), 2)].into(),
            aside: Some(Aside {
                quarantined: [("audio_empty".to_owned(), 2)].into(),
                skipped: BTreeMap::new(),
                left: 0,
            }),
            requests: 10,
            ..Observations::default()
        }
    }

    #[test]
    fn what_happened_as_expected_passes() {
        assert!(judge(&expect(), &observed()).iter().all(|row| row.pass));
    }

    #[test]
    fn each_difference_fails_alone() {
        type Damage = fn(&mut Observations);
        let damages: [(&str, Damage); 11] = [
            ("migrator", |h| h.migrator = Some(Ending::Done)),
            ("verdict", |h| h.verdict = None),
            ("quarantined", |h| {
                _ = h
                    .aside
                    .as_mut()
                    .and_then(|aside| aside.quarantined.insert("audio_short".to_owned(), 1))
            }),
            ("skipped", |h| {
                _ = h
                    .aside
                    .as_mut()
                    .and_then(|aside| aside.skipped.insert("expired".to_owned(), 1))
            }),
            ("left", |h| {
                h.aside.iter_mut().for_each(|aside| aside.left = 1)
            }),
            ("faults of the log that did not strike", |h| {
                h.unmet_faults = 1
            }),
            ("findings", |h| _ = h.by_defect.insert("D01".to_owned(), 1)),
            ("reasons derived by the verifier", |h| {
                _ = h.by_reason.insert("audio_empty".to_owned(), 1)
            }),
            ("requests", |h| h.requests = 11),
            ("conduct", |h| {
                _ = h.conduct.insert("retry_storm".to_owned(), 1)
            }),
            ("the verifier's conduct", |h| {
                _ = h.verifier_conduct.insert("small_pages".to_owned(), 1)
            }),
        ];
        for (what, damage) in damages {
            let mut observed = observed();
            damage(&mut observed);
            let failed: Vec<String> = judge(&expect(), &observed)
                .into_iter()
                .filter(|row| !row.pass)
                .map(|row| row.what)
                .collect();
            assert!(failed.contains(&what.to_owned()), "{what}: {failed:?}");
            assert!(what == "verdict" || failed == [what], "{what}: {failed:?}");
        }
    }
}
