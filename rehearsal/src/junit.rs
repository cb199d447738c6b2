//! Rehearsals as JUnit XML: a suite of scenarios, a failure for each expectation that did not hold.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::judge::Expectation;
use crate::run::Rehearsed;

/// The XML of a run. `refused` are scenarios that came to no judgement, `left_out` those that were not meant for this migrator: name and sentence.
pub fn junit(rehearsed: &[Rehearsed], refused: &[(String, String)], left_out: &[(String, String)]) -> std::io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = rehearsed.iter().filter(|one| !one.passed).count();
    let seconds: f64 = rehearsed.iter().map(|one| one.wall_seconds).sum();
    let suite = writer.create_element("testsuite").with_attributes([
        ("name", "seatrial rehearse"),
        ("tests", (rehearsed.len() + refused.len() + left_out.len()).to_string().as_str()),
        ("failures", failures.to_string().as_str()),
        ("errors", refused.len().to_string().as_str()),
        ("skipped", left_out.len().to_string().as_str()),
        ("time", format!("{seconds:.3}").as_str()),
    ]);
    suite.write_inner_content(|writer| {
        rehearsed.iter().try_for_each(|one| case(writer, one))?;
        refused.iter().try_for_each(|one| without_judgement(writer, "error", one))?;
        left_out.iter().try_for_each(|one| without_judgement(writer, "skipped", one))
    })?;
    let mut text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    text.push('\n');
    Ok(text)
}

fn without_judgement(writer: &mut Writer<Vec<u8>>, element: &str, (name, sentence): &(String, String)) -> std::io::Result<()> {
    let (name, sentence) = (xml(name), xml(sentence));
    let case = writer.create_element("testcase").with_attributes([("classname", "scenarios"), ("name", name.as_str())]);
    case.write_inner_content(|writer| {
        writer.create_element(element).with_attribute(("message", sentence.as_str())).write_empty().map(|_| ())
    })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, one: &Rehearsed) -> std::io::Result<()> {
    let time = format!("{:.3}", one.wall_seconds);
    let name = xml(&one.name);
    let attributes = [("classname", "scenarios"), ("name", name.as_str()), ("time", time.as_str())];
    let case = writer.create_element("testcase").with_attributes(attributes);
    case.write_inner_content(|writer| {
        // One element for all of them: some readers take the first alone.
        let failed: Vec<String> = one.expectations.iter().filter(|expectation| !expectation.pass).map(words).collect();
        if !failed.is_empty() {
            let label = if one.only_under_scaled_clock == Some(true) { " (under the scaled clock only)" } else { "" };
            let message = xml(&format!("{}{label}", failed.join("; ")));
            let failure = writer.create_element("failure").with_attribute(("message", message.as_str()));
            failure.write_text_content(BytesText::new(&xml(&one.verifier_sentence)))?;
        }
        let said = format!("migrator: {}\nverifier: {}\nseed: {}", one.migrator_sentence, one.verifier_sentence, one.seed);
        writer.create_element("system-out").write_text_content(BytesText::new(&xml(&said)))?;
        Ok(())
    })?;
    Ok(())
}

fn words(failed: &Expectation) -> String {
    format!("{}: expected {}, got {}", failed.what, failed.expected, failed.actual)
}

/// A text with every character that no XML document may hold replaced: a migrator may print any. Source: XML 1.0, production 2 (Char).
fn xml(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_failed_is_told_and_nothing_breaks_the_xml() {
        let expectation =
            |pass| Expectation { what: "verdict".into(), expected: "match".into(), actual: "<mismatch & \"more\">".into(), pass };
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
        let text = junit(&[one], &[("b".into(), "no <such> file".into())], &[("c".into(), "not for a command".into())]).expect("XML");
        for expected in [
            r#"<testsuite name="seatrial rehearse" tests="3" failures="1" errors="1" skipped="1" time="1.500">"#,
            r#"message="verdict: expected match, got &lt;mismatch &amp; &quot;more&quot;&gt;; verdict: expected match"#,
            "moved \u{fffd}[31m\u{fffd} ]]&gt; \u{fffd}",
            "mismatch: 1 &amp; 2</failure>",
            r#"<error message="no &lt;such&gt; file"/>"#,
            r#"<skipped message="not for a command"/>"#,
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert_eq!(text.matches("<failure ").count(), 1, "one a testcase");
    }
}
