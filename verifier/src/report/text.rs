//! The summary a terminal shows.

use output::thousands;

use super::Report;
use crate::causes::Group;
use crate::decoded_twice::DecodedTwice;
use crate::finding::Finding;

/// More than this nobody reads in a terminal; all of them are in `findings.jsonl`.
const SHOWN: usize = 10;

impl Report {
    /// Some lines for a person, the verdict's sentence last.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// The same line by line: a text from a platform with a line end in it is still one line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let summary = &self.summary;
        let counts = &summary.counts;
        let mut lines = vec![
            format!(
                "source  {:>8} recordings of {} calls",
                counts.source_recordings, counts.source_interactions
            ),
            format!(
                "target  {:>8} recordings of {} calls",
                counts.target_recordings, counts.target_interactions
            ),
        ];
        let rows = [
            ("matched", counts.matched),
            ("different", counts.different),
            ("missing", counts.missing),
            ("quarantined", counts.quarantined),
            ("skipped", counts.skipped),
            ("not verifiable", counts.not_verifiable),
            ("extra", counts.extra),
        ];
        lines.extend(
            rows.into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(name, count)| format!("  {name:<15}{count:>7}")),
        );
        if let Some(in_flight) = summary.scope.while_migrating.filter(|told| told.calls > 0) {
            lines.push(format!("    in flight    {:>7}", in_flight.recordings));
        }
        let as_read = match summary.scope.source.as_str() {
            "staged" => "staged",
            _ => "in the source",
        };
        let off = summary.totals.iter().flat_map(|totals| &totals.differences);
        lines.extend(
            off.clone()
                .take(SHOWN)
                .map(|off| format!("  control total of {}", off.words(as_read))),
        );
        if off.clone().count() > SHOWN {
            lines.push(format!(
                "  ... and {} more control totals, all in summary.json",
                off.count() - SHOWN
            ));
        }
        let differ = summary.manifest.iter();
        let differ = differ.flat_map(|manifest| &manifest.examples);
        lines.extend(differ.map(|differ| format!("  manifest: {}", differ.words(as_read))));
        let more = summary.manifest.as_ref().map_or(0, |manifest| {
            manifest.differences() - manifest.examples.len() as u64
        });
        if more > 0 {
            lines.push(format!(
                "  ... and {} more differences from the manifest, all in manifest.jsonl",
                thousands(more)
            ));
        }
        lines.extend(summary.by_reason.iter().map(|(reason, count)| {
            format!("  stays behind: {} ({count})", reason.replace('_', " "))
        }));
        lines.extend(summary.groups.iter().flat_map(cause));
        lines.extend(self.findings.iter().take(SHOWN).map(line));
        if self.findings.len() > SHOWN {
            lines.push(format!(
                "  ... and {} more findings, all in findings.jsonl",
                self.findings.len() - SHOWN
            ));
        }
        lines.extend(
            self.changes
                .iter()
                .take(SHOWN)
                .map(|change| format!("  changed since the earlier report: {}", change.words())),
        );
        if self.changes.len() > SHOWN {
            lines.push(format!(
                "  ... and {} more changes, all in changes.jsonl",
                self.changes.len() - SHOWN
            ));
        }
        let twice = summary.second_decoder.iter();
        let otherwise = twice.flat_map(DecodedTwice::lines);
        lines.extend(
            otherwise
                .clone()
                .take(SHOWN)
                .map(|line| format!("  {line}")),
        );
        if otherwise.clone().count() > SHOWN {
            lines.push(format!(
                "  ... and {} more files, all in summary.json",
                otherwise.count() - SHOWN
            ));
        }
        lines.extend(
            summary
                .notices
                .iter()
                .map(|notice| format!("  note: {notice}")),
        );
        lines.push(summary.sentence.clone());
        lines
    }
}

/// A root cause, and below it how good the rule is and what to open.
fn cause(group: &Group) -> Vec<String> {
    let mut lines = vec![format!(
        "  one cause, {} findings: {}",
        thousands(group.count),
        group.rule
    )];
    if !group.evidence.is_empty() {
        lines.push(format!("    {}", group.evidence));
    }
    lines.extend(
        group
            .example
            .iter()
            .map(|example| format!("    for example {}: {}", example.id, example.show)),
    );
    lines
}

pub(super) fn line(finding: &Finding) -> String {
    let ids = [
        &finding.legacy_recording_id,
        &finding.legacy_interaction_id,
        &finding.target_id,
    ];
    let subject = ids.into_iter().flatten().next().map_or("", String::as_str);
    let told = match (&finding.expected, &finding.actual) {
        (Some(expected), Some(actual)) => {
            format!("{}: {actual} instead of {expected}", finding.field)
        }
        (Some(expected), None) => format!("{}: nothing instead of {expected}", finding.field),
        (None, Some(actual)) => format!("{}: {actual} instead of nothing", finding.field),
        (None, None) => finding.field.clone(),
    };
    format!(
        "  {subject}: {} [{}] {told}; {}",
        finding.title,
        finding.defect.code(),
        finding.advice
    )
}

#[cfg(test)]
mod tests {
    use crate::report::testing::report;

    #[test]
    fn the_terminal_shows_titles_and_ends_with_the_sentence() {
        let text = report().text();
        assert!(text.contains("100001-1: audio is silent [D19]"), "{text}");
        assert!(
            text.ends_with("mismatch: 1 of 3 recordings is wrong: 1 different (audio is silent)"),
            "{text}"
        );
    }
}
