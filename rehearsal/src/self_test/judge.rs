//! What was planted, held against what was found.

use std::collections::BTreeMap;

use simulator::Planted;
use verifier::Finding;

use super::catalogue::Class;

/// A planted defect: the class its finding must have, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The class it is tried for.
    pub(super) class: &'static str,
    /// The class a finding of it has.
    pub(super) named: &'static str,
    /// A class that may be named beside it.
    beside: Option<&'static str>,
    pub(super) place: Place,
}

impl Wanted {
    /// Of a class whose damage is that of another one.
    pub(super) fn under(class: &'static Class, named: &'static str, place: Place) -> Wanted {
        Wanted {
            named,
            ..Wanted::of(class, place)
        }
    }

    /// Of a class at a place.
    pub(super) fn of(class: &'static Class, place: Place) -> Wanted {
        Wanted {
            class: class.code,
            named: class.named(),
            beside: class.beside(),
            place,
        }
    }
}

/// Where a finding stands. What has no source is known by its id in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) call: String,
    /// Empty: all of the call.
    pub(super) recording: String,
}

/// What became of a class.
#[derive(Debug, Default, Clone)]
pub(super) struct Judged {
    pub(super) planted: u64,
    pub(super) found: u64,
    pub(super) named: u64,
    pub(super) surplus: u64,
    /// What went wrong, in words.
    pub(super) wrong: Vec<String>,
}

impl Place {
    /// Of what was planted. A phantom has no source.
    pub(super) fn planted(named: &str, entry: &Planted) -> Place {
        if named == "D02" {
            return Place::in_target(&entry.target_id);
        }
        Place {
            call: entry.legacy_interaction_id.clone(),
            recording: entry.legacy_recording_id.clone().unwrap_or_default(),
        }
    }

    /// Of a recording of the source, or of all of a call where it has none.
    pub(super) fn in_source(call: &str, recording: Option<&str>) -> Place {
        Place {
            call: call.to_owned(),
            recording: recording.unwrap_or_default().to_owned(),
        }
    }

    /// Of something in the target.
    pub(super) fn in_target(id: &str) -> Place {
        Place {
            call: format!("target {id}"),
            recording: String::new(),
        }
    }

    fn found(finding: &Finding) -> Place {
        let target = || finding.target_id.clone().unwrap_or_default();
        match &finding.legacy_interaction_id {
            Some(call) if finding.defect.code() != "D02" => {
                Place::in_source(call, finding.legacy_recording_id.as_deref())
            }
            _ => Place::in_target(&target()),
        }
    }
}

/// Holds findings against what was planted; what became of each class, and the findings about calls
/// in which nothing was planted.
pub(super) fn judge(
    wanted: &[Wanted],
    findings: &[Finding],
) -> (BTreeMap<&'static str, Judged>, Vec<String>) {
    let mut judged: BTreeMap<&'static str, Judged> = BTreeMap::new();
    for one in wanted {
        judged.entry(one.class).or_default().planted += 1;
    }
    let mut left: Vec<&Wanted> = wanted.iter().collect();
    let mut others: Vec<(&Finding, Place)> = Vec::new();
    for finding in findings {
        let place = Place::found(finding);
        let at = left
            .iter()
            .position(|one| one.named == finding.defect.code() && one.place == place);
        match at {
            Some(at) => {
                let one = judged.entry(left.remove(at).class).or_default();
                one.found += 1;
                one.named += 1;
            }
            None => others.push((finding, place)),
        }
    }
    let mut alarms = Vec::new();
    for (finding, place) in others {
        // Found at its call, and not rightly named: told once, then the rest is surplus.
        let missed = left.iter().position(|one| {
            one.place.call == place.call && one.beside != Some(finding.defect.code())
        });
        if let Some(at) = missed {
            let missed = left.remove(at);
            let one = judged.entry(missed.class).or_default();
            one.found += 1;
            one.wrong.push(format!(
                "planted {} at {}, named {}",
                missed.named,
                in_words(&missed.place),
                told(finding)
            ));
        } else if let Some(of) = wanted.iter().find(|one| one.place.call == place.call) {
            if of.beside == Some(finding.defect.code()) && of.place == place {
                continue;
            }
            let one = judged.entry(of.class).or_default();
            one.surplus += 1;
            one.wrong.push(format!("also named: {}", told(finding)));
        } else {
            alarms.push(told(finding));
        }
    }
    for missed in left {
        let one = judged.entry(missed.class).or_default();
        one.wrong
            .push(format!("not found: {}", in_words(&missed.place)));
    }
    (judged, alarms)
}

pub(super) fn in_words(place: &Place) -> &str {
    if place.recording.is_empty() {
        &place.call
    } else {
        &place.recording
    }
}

fn told(finding: &Finding) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let place = finding
        .legacy_recording_id
        .clone()
        .or_else(|| finding.legacy_interaction_id.clone())
        .or_else(|| finding.target_id.clone());
    format!(
        "{} at {}, {}: expected {}, found {}",
        finding.defect.code(),
        text(&place),
        finding.field,
        text(&finding.expected),
        text(&finding.actual)
    )
}
