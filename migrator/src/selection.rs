//! Calls that a person names, to be read or sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plan::Reason;
use serde::Deserialize;

/// Which of what stays behind is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retry {
    /// A reason as it stands in the list, or one of the outcomes `quarantined`, `skipped` and
    /// `left`.
    Reason(String),
    /// These.
    Listed(Named),
}

/// Calls and recordings that a file names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Ids of interactions or recordings of the source, each with what is said to be wrong, where
    /// the file says so.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// Lines that name nothing of the source, such as a finding about a record that has none.
    pub without_source: u64,
}

/// Larger than the findings of a million calls.
const MOST_BYTES: u64 = 1 << 30;

/// What a line of findings.jsonl tells.
#[derive(Deserialize)]
struct FindingLine {
    legacy_interaction_id: Option<String>,
    legacy_recording_id: Option<String>,
    /// Further calls that have to be sent again for it, such as one on which its recording hangs.
    #[serde(default)]
    with_calls: Vec<String>,
    #[serde(default)]
    field: String,
}

impl Named {
    /// Reads `findings.jsonl`, a CSV with a column `legacy_interaction_id` or `legacy_recording_id`
    /// (such as `status --quarantine` writes), or one id a line.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, names no call, or has a line that is wrong. The
    /// sentence names file and line.
    pub fn read(path: &Path) -> Result<Named, String> {
        let name = path.display();
        let size = std::fs::metadata(path)
            .map_err(|error| format!("cannot read {name}: {error}"))?
            .len();
        if size > MOST_BYTES {
            return Err(format!(
                "{name} has {size} bytes, which is more than {MOST_BYTES}; split it"
            ));
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {name}: {error}"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let first = text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        let named = if first.trim_start().starts_with('{') {
            of_findings(text)
        } else if ["legacy_interaction_id", "legacy_recording_id"]
            .iter()
            .any(|column| first.contains(column))
        {
            of_table(text)
        } else {
            Ok(of_list(text))
        };
        let named = named.map_err(|why| format!("{name} {why}"))?;
        if named.ids.is_empty() && named.without_source == 0 {
            return Err(format!(
                "{name} names no call: give it findings.jsonl, a CSV of status --quarantine, or \
                 one id a line"
            ));
        }
        Ok(named)
    }

    fn add(&mut self, id: Option<String>, wrong: Option<&str>) {
        match id.filter(|id| !id.is_empty()) {
            Some(id) => self
                .ids
                .entry(id)
                .or_default()
                .extend(wrong.map(str::to_owned)),
            None => self.without_source += 1,
        }
    }
}

fn of_findings(text: &str) -> Result<Named, String> {
    let mut named = Named::default();
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let line: FindingLine = serde_json::from_str(line).map_err(|error| {
            format!("line {}: is no finding: column {}", at + 1, error.column())
        })?;
        for call in line.with_calls {
            named.add(Some(call), None);
        }
        named.add(
            line.legacy_recording_id.or(line.legacy_interaction_id),
            Some(&line.field),
        );
    }
    Ok(named)
}

fn of_table(text: &str) -> Result<Named, String> {
    let mut rows = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let headers = rows
        .headers()
        .map_err(|_| "line 1: is no CSV".to_owned())?
        .clone();
    let columns: Vec<usize> = ["legacy_recording_id", "legacy_interaction_id"]
        .iter()
        .filter_map(|name| headers.iter().position(|header| header == *name))
        .collect();
    let mut named = Named::default();
    for row in rows.records() {
        let row = row.map_err(|error| {
            format!(
                "line {}: is no CSV",
                error.position().map_or(0, csv::Position::line)
            )
        })?;
        let cell = columns
            .iter()
            .find_map(|at| row.get(*at).filter(|cell| !cell.is_empty()));
        named.add(
            cell.map(|cell| output::csv_cell_read(cell).to_owned()),
            None,
        );
    }
    Ok(named)
}

fn of_list(text: &str) -> Named {
    let mut named = Named::default();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        named.add(Some(line.to_owned()), None);
    }
    named
}

/// Besides the reasons: the outcomes of the list.
const OUTCOMES: [&str; 3] = ["quarantined", "skipped", "left"];

impl Retry {
    /// A reason or outcome by its name, or a file.
    ///
    /// # Errors
    ///
    /// It is neither, or the file is one that [`Named::read`] refuses.
    pub fn parse(text: &str) -> Result<Retry, String> {
        if Reason::from_name(text).is_some() || OUTCOMES.contains(&text) {
            return Ok(Retry::Reason(text.to_owned()));
        }
        let path = Path::new(text);
        if path.exists() {
            return Named::read(path).map(Retry::Listed);
        }
        let reasons: Vec<&str> = Reason::ALL
            .iter()
            .map(|reason| reason.as_str())
            .chain(OUTCOMES)
            .collect();
        Err(format!(
            "`{text}` is neither a file nor a reason; the reasons are {}",
            reasons.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Named, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("list");
        std::fs::write(&path, text).expect("written");
        Named::read(&path)
    }

    #[test]
    fn calls_are_named_by_findings_by_a_table_or_by_a_list() {
        let finding = r#"{"defect":"D46","title":"t","legacy_interaction_id":"7","legacy_recording_id":null,"field":"agent"}"#;
        let sound = r#"{"defect":"D19","legacy_interaction_id":"8","legacy_recording_id":"8-1","field":"audio"}"#;
        let phantom = r#"{"defect":"D02","legacy_interaction_id":null,"legacy_recording_id":null,"field":"presence"}"#;
        let rows: [(String, &[&str], u64); 6] = [
            (
                format!("{finding}\n{sound}\n\n{phantom}\n"),
                &["7", "8-1"],
                1,
            ),
            (
                r#"{"legacy_interaction_id":"7","legacy_recording_id":null,"with_calls":["9"]}"#
                    .to_owned(),
                &["7", "9"],
                0,
            ),
            (
                "legacy_interaction_id,legacy_recording_id,file\n7,,\n8,8-1,\"a,b\"\n".to_owned(),
                &["7", "8-1"],
                0,
            ),
            (
                "\u{feff}file,legacy_interaction_id\r\nx,7\r\n".to_owned(),
                &["7"],
                0,
            ),
            ("# mine\n 7 \n\n8-1\n".to_owned(), &["7", "8-1"], 0),
            ("legacy_recording_id\n'=1+2\n".to_owned(), &["=1+2"], 0),
        ];
        for (text, ids, without_source) in rows {
            let named = read(&text).expect("names");
            assert_eq!(
                named.ids.keys().map(String::as_str).collect::<Vec<_>>(),
                ids,
                "{text}"
            );
            assert_eq!(named.without_source, without_source, "{text}");
        }
        assert!(read(&sound.replace("8-1", "9")).expect("names").ids["9"].contains("audio"));
        for (text, said) in [
            ("", "names no call"),
            ("# none\n", "names no call"),
            ("{\"legacy_interaction_id\":7}", "line 1"),
        ] {
            let refused = read(text).expect_err(text);
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn a_retry_is_a_reason_an_outcome_or_a_file() {
        for reason in ["audio_empty", "left", "skipped", "quarantined"] {
            assert_eq!(Retry::parse(reason), Ok(Retry::Reason(reason.to_owned())));
        }
        let refused = Retry::parse("audio_emty").expect_err("a typing error");
        assert!(
            refused.contains("audio_empty") && refused.contains("left"),
            "{refused}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_list_makes_the_reader_panic_and_a_refusal_names_the_file(start in "(\\{|legacy_recording_id|#|)", text in "(\\PC|\n){0,80}") {
            if let Err(refused) = read(&format!("{start}{text}")) {
                prop_assert!(refused.contains("list"), "{}", refused);
            }
        }

        #[test]
        fn ids_are_the_same_in_each_of_the_three_forms(ids in proptest::collection::btree_set("[a-zA-Z0-9][a-zA-Z0-9 ,\"'_-]{0,10}[a-zA-Z0-9]", 1..8)) {
            let quoted = |id: &String| format!("\"{}\"", id.replace('"', "\"\""));
            let list = ids.iter().map(|id| format!("{id}\n")).collect::<String>();
            let table = format!("legacy_recording_id,file\n{}", ids.iter().map(|id| format!("{},x\n", quoted(id))).collect::<String>());
            let findings: String = ids
                .iter()
                .map(|id| serde_json::json!({"defect": "D19", "legacy_interaction_id": null, "legacy_recording_id": id, "field": "audio"}).to_string() + "\n")
                .collect();
            for text in [list, table, findings] {
                prop_assert_eq!(&read(&text).expect("names").ids.into_keys().collect::<std::collections::BTreeSet<_>>(), &ids, "{}", text);
            }
        }

        #[test]
        fn a_bad_line_of_findings_is_named(good in 0_usize..5, bad in "[a-z]{1,10}") {
            let finding = r#"{"defect":"D19","legacy_interaction_id":"8","legacy_recording_id":"8-1","field":"audio"}"#;
            let refused = read(&format!("{}{{{bad}\n", format!("{finding}\n").repeat(good))).expect_err("a bad line");
            prop_assert!(refused.contains(&format!("line {}:", good + 1)), "{}", refused);
        }
    }
}
