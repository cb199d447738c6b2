//! Rehearsals as JUnit XML: a suite of scenarios, a failure for each expectation that did not hold.

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::judge::Expectation;
use crate::run::Rehearsed;

/// The XML of a run. `refused` are scenarios that came to no judgement, `left_out` those that were
/// not meant for this migrator: name and sentence.
///
/// # Errors
///
/// The XML could not be written.
pub fn junit(
    rehearsed: &[Rehearsed],
    refused: &[(String, String)],
    left_out: &[(String, String)],
) -> io::Result<String> {
    let mut suite = TestSuite::new("seatrial rehearse");
    suite.set_time(rehearsed.iter().map(duration).sum());
    suite.add_test_cases(rehearsed.iter().map(judged));
    suite.add_test_cases(
        refused
            .iter()
            .map(|one| without_judgement(TestCaseStatus::non_success(NonSuccessKind::Error), one)),
    );
    suite.add_test_cases(
        left_out
            .iter()
            .map(|one| without_judgement(TestCaseStatus::skipped(), one)),
    );
    let mut report = Report::new("seatrial");
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    // The library drops control characters, and leaves these two, which XML may not hold either.
    // Source: XML 1.0, production 2 (Char).
    Ok(text.replace(['\u{fffe}', '\u{ffff}'], ""))
}

fn without_judgement(mut status: TestCaseStatus, (name, sentence): &(String, String)) -> TestCase {
    status.set_message(sentence.as_str());
    in_scenarios(name, status)
}

fn judged(one: &Rehearsed) -> TestCase {
    // One failure for all of them: some readers take the first alone.
    let failed: Vec<String> = one
        .expectations
        .iter()
        .filter(|expectation| !expectation.pass)
        .map(words)
        .collect();
    let mut status = TestCaseStatus::success();
    if !failed.is_empty() {
        let label = if one.only_under_scaled_clock == Some(true) {
            " (under the scaled clock only)"
        } else {
            ""
        };
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_message(format!("{}{label}", failed.join("; ")))
            .set_description(one.verifier_sentence.as_str());
    }
    let mut case = in_scenarios(&one.name, status);
    let said = format!(
        "migrator: {}\nverifier: {}\nseed: {}",
        one.migrator_sentence, one.verifier_sentence, one.seed
    );
    case.set_time(duration(one)).set_system_out(said);
    case
}

fn in_scenarios(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("scenarios");
    case
}

fn duration(one: &Rehearsed) -> Duration {
    Duration::try_from_secs_f64(one.wall_seconds).unwrap_or_default()
}

fn words(failed: &Expectation) -> String {
    format!(
        "{}: expected {}, got {}",
        failed.what, failed.expected, failed.actual
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_failed_is_told_and_nothing_breaks_the_xml() {
        let expectation = |pass| Expectation {
            what: "verdict".into(),
            expected: "match".into(),
            actual: "<mismatch & \"more\">".into(),
            pass,
        };
        let one = Rehearsed {
            name: "a".into(),
            about: String::new(),
            seed: 7,
            clock: "real".into(),
            wall_seconds: 1.5,
            virtual_seconds: 1.5,
            migrator_exit: 0,
            migrator_sentence: "moved \u{1b}[31m\0 ]]> \u{ffff}".into(),
            verifier_exit: 20,
            verifier_sentence: "mismatch: 1 & 2".into(),
            expectations: vec![expectation(true), expectation(false), expectation(false)],
            passed: false,
            only_under_scaled_clock: None,
            notices: Vec::new(),
            assumptions: Vec::new(),
            requests: 3,
            interactions: 1,
            recordings: 1,
            report: PathBuf::new(),
        };
        let text = junit(
            &[one],
            &[("b".into(), "no <such> file".into())],
            &[("c".into(), "not for a command".into())],
        )
        .expect("XML");
        for expected in [
            r#"<testsuite name="seatrial rehearse" tests="3" skipped="1" errors="1" failures="1" time="1.500">"#,
            r#"message="verdict: expected match, got &lt;mismatch &amp; &quot;more&quot;&gt;; verdict: expected match"#,
            "moved  ]]&gt; ",
            "mismatch: 1 &amp; 2</failure>",
            r#"<error message="no &lt;such&gt; file"/>"#,
            r#"<skipped message="not for a command"/>"#,
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert_eq!(text.matches("<failure ").count(), 1, "one a testcase");
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(
            text.chars().all(allowed),
            "a character that no XML document may hold (XML 1.0, production 2): {text:?}"
        );
    }
}
