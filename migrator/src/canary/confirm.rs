//! The checklist read back, strictly: what is not plainly a yes by somebody at some time confirms
//! nothing.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use plan::LoadedPlan;
use platforms::clock::Clock;
use sha2::{Digest, Sha256};

use super::checklist::{EXPECTED, QUESTIONS, SIGNED, short, site_zone};
use super::record::{Canary, Checked, Record, Written};
use crate::custody;
use crate::error::RunError;
use crate::ledger::{Ledger, Open, registry};

/// How far the clock of whoever fills the list in may be off.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// Reads a filled-in checklist and keeps in the ledger what it says: confirmed, or failed. Nothing
/// is sent anywhere. The same file again changes nothing.
///
/// # Errors
///
/// The file cannot be read or is not filled in as asked, no canary of this plan waits for it, or
/// the ledger cannot be opened, read or written ([`RunError`]). Nothing is confirmed then.
pub async fn confirm_canary(
    plan: &LoadedPlan,
    ledger: Option<&str>,
    file: &Path,
    clock: &Clock,
) -> Result<Canary, RunError> {
    let name = file.display();
    let bytes = std::fs::read(file)
        .map_err(|error| RunError::Plan(format!("cannot read {name}: {error}")))?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let ledger = registry::open(
        ledger.unwrap_or(&plan.plan.ledger.url),
        plan,
        Open::Exclusive,
        clock,
    )
    .await?;
    let Some(mut record) = Record::read(&*ledger).await? else {
        return Err(RunError::Plan(
            "no canary was sent from this ledger; send one: `seatrial migrate PLAN --canary 20`"
                .to_owned(),
        ));
    };
    let told = record.told(&plan.hash, Vec::new());
    if record.plan_hash == plan.hash
        && record
            .checked
            .as_ref()
            .is_some_and(|checked| checked.sha256 == sha256)
    {
        return Ok(told);
    }
    let Some(written) = record
        .checklist
        .as_ref()
        .filter(|_| record.plan_hash == plan.hash && !record.has_failed())
    else {
        return Err(RunError::Plan(told.sentence()));
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        RunError::Plan(format!("{name}: it is not UTF-8; save it as \"CSV UTF-8\""))
    })?;
    let head = Head {
        plan: short(&plan.hash),
        written,
        zone: site_zone(plan).unwrap_or(TimeZone::UTC),
        now: clock.now(),
    };
    let answers = head.read(&text).map_err(|faults| {
        let more = if faults.len() > 1 {
            format!("; and {} more", faults.len() - 1)
        } else {
            String::new()
        };
        RunError::Plan(format!(
            "{name}: {}{more}; nothing was confirmed",
            faults[0]
        ))
    })?;
    let checked = checked(&answers, sha256, file);
    // Who signed first has signed: the same yes in another file adds nothing.
    if record.is_confirmed() && checked.failed.is_empty() {
        return Ok(told);
    }
    let custody = if checked.failed.is_empty() {
        custody_of(&*ledger, &record, &checked, clock).await?
    } else {
        Vec::new()
    };
    record.checked = Some(checked);
    record.save_with(&*ledger, custody).await?;
    Ok(record.told(&plan.hash, Vec::new()))
}

fn checked(answers: &[Answer], sha256: String, file: &Path) -> Checked {
    let by: BTreeSet<String> = answers.iter().map(|answer| answer.by.clone()).collect();
    let at = answers
        .iter()
        .map(|answer| answer.at)
        .max()
        .unwrap_or_default();
    let failed = answers.iter().filter(|answer| !answer.wrong.is_empty());
    Checked {
        by: by.into_iter().collect(),
        at: at.to_string(),
        sha256,
        file: file.display().to_string(),
        // Not the note: it is anybody's words, and may hold a number.
        failed: failed
            .clone()
            .map(|answer| {
                format!(
                    "recording {}: {} is no",
                    answer.recording,
                    answer.wrong.join(", ")
                )
            })
            .collect(),
        failed_interactions: failed
            .map(|answer| answer.interaction.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    }
}

/// A line of custody for each recording a person has seen and heard; the read it names is the
/// checklist.
async fn custody_of(
    ledger: &dyn Ledger,
    record: &Record,
    checked: &Checked,
    clock: &Clock,
) -> Result<Vec<custody::Entry>, RunError> {
    let mut entries = Vec::new();
    for row in ledger
        .these(ledger.seqs_of(record.interactions.clone()).await?)
        .await?
    {
        for recording in row
            .recordings
            .iter()
            .filter(|recording| recording.outcome.is_none())
        {
            entries.push(custody::Entry {
                legacy_interaction_id: row.legacy_id.clone(),
                legacy_recording_id: recording.legacy_id.clone(),
                hop: "canary",
                at: custody::at(clock.now()),
                sha256_before: recording.out_sha256.clone(),
                sha256_after: recording.out_sha256.clone(),
                bytes: recording.out_bytes,
                tool: custody::TOOL,
                encoder: None,
                plan_hash: record.plan_hash.clone(),
                plan_hash_before: None,
                target_id: recording.target_id.clone(),
                confirm_sha256: Some(checked.sha256.clone()),
                reason: None,
                detail: None,
            });
        }
    }
    Ok(entries)
}

/// What a person said of one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    interaction: String,
    recording: String,
    /// Questions answered with no.
    wrong: Vec<&'static str>,
    by: String,
    at: Timestamp,
}

/// What a checklist is held against.
struct Head<'a> {
    plan: &'a str,
    written: &'a Written,
    zone: TimeZone,
    now: Timestamp,
}

impl Head<'_> {
    /// Every answer, or everything that is wrong with the file, each with its line and column.
    fn read(&self, text: &str) -> Result<Vec<Answer>, Vec<String>> {
        let text = text.trim_start_matches('\u{feff}');
        let comments: Vec<&str> = text
            .lines()
            .take_while(|line| line.trim_start_matches('"').starts_with('#'))
            .collect();
        self.comments(&comments).map_err(|fault| vec![fault])?;
        let rest: String = text.split_inclusive('\n').skip(comments.len()).collect();
        let header = rest.lines().next().unwrap_or_default();
        // Spreadsheets write what their language separates lists with.
        let delimiter = [b',', b';', b'\t']
            .into_iter()
            .max_by_key(|delimiter| header.bytes().filter(|byte| byte == delimiter).count());
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader
            .delimiter(delimiter.unwrap_or(b','))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(rest.as_bytes());
        let line_of = |position: Option<&csv::Position>| {
            comments.len() as u64 + position.map_or(1, csv::Position::line)
        };
        let columns = [EXPECTED.as_slice(), &QUESTIONS, &SIGNED].concat();
        let headers: Vec<String> = reader
            .headers()
            .map_err(|error| vec![error.to_string()])?
            .iter()
            .map(str::to_owned)
            .filter(|name| !name.is_empty())
            .collect();
        if let Some(missing) = columns
            .iter()
            .find(|name| !headers.iter().any(|header| header == *name))
        {
            return Err(vec![format!(
                "line {}: the column {missing} is missing",
                comments.len() + 1
            )]);
        }
        if headers != columns {
            return Err(vec![format!(
                "line {}: the columns are not those that were written, in that order",
                comments.len() + 1
            )]);
        }
        let (mut answers, mut faults) = (Vec::new(), Vec::new());
        let mut open: Vec<&Vec<String>> = self.written.lines.iter().collect();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    faults.push(format!(
                        "line {}: it cannot be read as CSV",
                        line_of(error.position())
                    ));
                    continue;
                }
            };
            if record.iter().all(str::is_empty) {
                continue;
            }
            match self.line(&record, line_of(record.position()), &mut open) {
                Ok(answer) => answers.push(answer),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            faults.extend(
                open.iter()
                    .map(|line| format!("the line of recording {} is missing", line[1])),
            );
        }
        if faults.is_empty() {
            Ok(answers)
        } else {
            Err(faults)
        }
    }

    fn comments(&self, comments: &[&str]) -> Result<(), String> {
        let value = |key: &str| {
            let prefix = format!("# {key}: ");
            let found = comments.iter().enumerate().find_map(|(at, line)| {
                let line = line.trim_matches(|c: char| {
                    matches!(c, '"' | ',' | ';' | '\t') || c.is_whitespace()
                });
                Some((at + 1, line.strip_prefix(&prefix)?.trim().to_owned()))
            });
            found.ok_or_else(|| format!("line 1: the line `# {key}: ...` is missing"))
        };
        let (line, plan) = value("plan")?;
        if plan != self.plan {
            return Err(format!(
                "line {line}: it is of the plan {plan}, and this plan is {}",
                self.plan
            ));
        }
        let (line, written) = value("written")?;
        if written != self.written.at {
            return Err(format!(
                "line {line}: it is of the canary written down at {written}, and the latest is of \
                 {}",
                self.written.at
            ));
        }
        Ok(())
    }

    fn line(
        &self,
        record: &csv::StringRecord,
        line: u64,
        open: &mut Vec<&Vec<String>>,
    ) -> Result<Answer, String> {
        let cell = |at: usize| output::csv_cell_read(record.get(at).unwrap_or_default());
        let fault = |column: &str, what: String| format!("line {line}, column {column}: {what}");
        let named = |known: &Vec<String>| known[0] == cell(0) && known[1] == cell(1);
        let Some(at) = open.iter().position(|known| named(known)) else {
            let twice = self.written.lines.iter().any(named);
            let what = if twice {
                "stands here twice"
            } else {
                "is none of this canary"
            };
            return Err(fault(
                EXPECTED[1],
                format!("the recording {} of call {} {what}", cell(1), cell(0)),
            ));
        };
        let known = open.remove(at);
        if let Some(at) = (0..EXPECTED.len()).find(|at| cell(*at) != known[*at]) {
            return Err(fault(
                EXPECTED[at],
                format!(
                    "`{}` was changed to `{}`; what is expected is not to be changed",
                    known[at],
                    cell(at)
                ),
            ));
        }
        let mut wrong = Vec::new();
        for (at, question) in QUESTIONS.into_iter().enumerate() {
            match cell(EXPECTED.len() + at).to_lowercase().as_str() {
                "yes" => {}
                "no" => wrong.push(question),
                // Of what is not found nothing else can be said.
                "" if wrong.first() == Some(&QUESTIONS[0]) => {}
                "" => return Err(fault(question, "it is empty; write yes or no".to_owned())),
                other => return Err(fault(question, format!("`{other}` is neither yes nor no"))),
            }
        }
        let signed = EXPECTED.len() + QUESTIONS.len();
        let (by, at) = (cell(signed + 1), cell(signed + 2));
        if by.is_empty() {
            return Err(fault(SIGNED[1], "it is empty; write who looked".to_owned()));
        }
        let at = self.time(at).map_err(|what| fault(SIGNED[2], what))?;
        Ok(Answer {
            interaction: known[0].clone(),
            recording: known[1].clone(),
            wrong,
            by: by.to_owned(),
            at,
        })
    }

    /// An instant, or a local time in the site's zone.
    fn time(&self, text: &str) -> Result<Timestamp, String> {
        if text.is_empty() {
            return Err("it is empty; write when, as 2026-11-21 00:30".to_owned());
        }
        let local = || {
            text.parse::<DateTime>()
                .ok()
                .filter(|_| text.contains(':'))?
                .to_zoned(self.zone.clone())
                .ok()
        };
        let at = text
            .parse::<Timestamp>()
            .ok()
            .or_else(|| Some(local()?.timestamp()));
        let at = at.ok_or_else(|| {
            format!(
                "`{text}` is no time; write 2026-11-21 00:30 in the \
            site's zone, or 2026-11-21T00:30Z"
            )
        })?;
        if at > self.now + CLOCKS_APART {
            return Err(format!("{text} lies in the future"));
        }
        let written: Timestamp = self.written.at.parse().unwrap_or_default();
        // To the minute, as people write.
        if at + CLOCKS_APART < written {
            return Err(format!(
                "{text} lies before this list was written, {}",
                self.written.at
            ));
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use output::csv_line;

    fn written() -> Written {
        let line = |id: &str| {
            let expected = [
                "100",
                id,
                "c-100",
                "r",
                "st:acme:100",
                "Jo, Al",
                "2023-10-27T10:00:00.000Z",
                "x",
                "12.0 s",
                "none",
                "codec GSM",
            ];
            expected.map(str::to_owned).to_vec()
        };
        let (path, verified) = ("canary-checklist.csv".to_owned(), "match".to_owned());
        Written {
            path,
            at: "2026-11-21T00:10:00Z".to_owned(),
            verified,
            lines: vec![line("100-1"), line("100-2")],
        }
    }

    /// A filled-in list, every answer as given.
    fn filled(answers: [&str; 2]) -> String {
        let mut text = "# seatrial canary checklist\n# plan: 1a2b3c4d\n# namespace: acme\n# \
            written: 2026-11-21T00:10:00Z\n"
            .to_owned();
        text += &csv_line(&[EXPECTED.as_slice(), &QUESTIONS, &SIGNED].concat());
        for (line, answer) in written().lines.iter().zip(answers) {
            let cells: Vec<&str> = line.iter().map(String::as_str).collect();
            text += &format!("\n{},{answer}", csv_line(&cells));
        }
        text + "\n"
    }

    fn read(text: &str) -> Result<Vec<Answer>, Vec<String>> {
        let (zone, now) = (
            TimeZone::get("Europe/London").unwrap(),
            "2026-11-21T00:45:00Z".parse().unwrap(),
        );
        Head {
            plan: "1a2b3c4d",
            written: &written(),
            zone,
            now,
        }
        .read(text)
    }

    const YES: &str = "yes,yes,yes,yes,yes,,Jo,2026-11-21 00:30";

    #[test]
    fn a_filled_in_list_says_what_was_seen_by_whom_and_when() {
        let answers = read(&filled([
            YES,
            "YES,no,yes, no ,yes,silent,Al,2026-11-21T00:40Z",
        ]))
        .unwrap();
        assert_eq!(answers[0].wrong, Vec::<&str>::new());
        assert_eq!(
            (answers[0].by.as_str(), answers[0].at.to_string().as_str()),
            ("Jo", "2026-11-21T00:30:00Z")
        );
        assert_eq!(answers[1].wrong, ["plays", "right_date"]);
        let checked = checked(&answers, String::new(), Path::new("list.csv"));
        assert_eq!(
            checked.failed,
            ["recording 100-2: plays, right_date is no"],
            "the note is not repeated"
        );
        assert_eq!(
            (checked.by.join("+"), checked.at.as_str()),
            ("Al+Jo".to_owned(), "2026-11-21T00:40:00Z")
        );
        let answers = read(&filled([YES, "no,,,,,,Al,2026-11-21 00:40"])).unwrap();
        assert_eq!(
            answers[1].wrong,
            ["found"],
            "of what is not found nothing else can be said"
        );
    }

    #[test]
    fn a_list_from_another_spreadsheet_reads_the_same() {
        let text = filled([YES, YES]);
        let wanted = read(&text).unwrap();
        let semicolons: String = text
            .lines()
            .map(|line| {
                if line.starts_with('#') {
                    format!("{line};;;;\r\n")
                } else {
                    format!(
                        "{}\r\n",
                        line.replace("\"Jo, Al\"", "Jo+ Al")
                            .replace(',', ";")
                            .replace("Jo+ Al", "Jo, Al")
                    )
                }
            })
            .collect();
        assert_eq!(
            read(&format!("\u{feff}{semicolons};;;;;;;;\r\n")).as_ref(),
            Ok(&wanted)
        );
        assert_eq!(
            read(&text.replace("# plan: 1a2b3c4d", "\"# plan: 1a2b3c4d\"")).as_ref(),
            Ok(&wanted)
        );
    }

    #[test]
    fn what_is_not_plainly_filled_in_is_refused_with_line_and_column() {
        let good = filled([YES, YES]);
        let second = |answer: &str| filled([YES, answer]);
        let without_last: String = good
            .lines()
            .take(6)
            .map(|line| format!("{line}\n"))
            .collect();
        let twice = good.clone() + good.lines().last().unwrap() + "\n";
        let rows = [
            (
                "an unknown line",
                good.replace(",100-2,", ",100-9,"),
                "line 7, column legacy_recording_id: the recording 100-9 of call 100 is none of \
                 this canary",
            ),
            (
                "a line twice",
                twice,
                "line 8, column legacy_recording_id: the recording 100-2 of call 100 stands here \
                 twice",
            ),
            (
                "a missing line",
                without_last,
                "the line of recording 100-2 is missing",
            ),
            (
                "nothing filled in",
                second(",,,,,,,"),
                "line 7, column found: it is empty; write yes or no",
            ),
            (
                "an empty cell",
                second("yes,yes,,yes,yes,,Jo,2026-11-21 00:30"),
                "line 7, column right_agent: it is empty; write yes or no",
            ),
            (
                "neither",
                second("yes,ok,yes,yes,yes,,Jo,2026-11-21 00:30"),
                "line 7, column plays: `ok` is neither yes nor no",
            ),
            (
                "no name",
                second("yes,yes,yes,yes,yes,,,2026-11-21 00:30"),
                "line 7, column checked_by: it is empty; write who looked",
            ),
            (
                "no time",
                second("yes,yes,yes,yes,yes,,Jo,"),
                "line 7, column checked_at: it is empty",
            ),
            (
                "tomorrow",
                second("yes,yes,yes,yes,yes,,Jo,2026-11-22 00:30"),
                "line 7, column checked_at: 2026-11-22 00:30 lies in the future",
            ),
            (
                "before",
                second("yes,yes,yes,yes,yes,,Jo,2026-11-20 23:00"),
                "line 7, column checked_at: 2026-11-20 23:00 lies before this list was written",
            ),
            (
                "no time at all",
                second("yes,yes,yes,yes,yes,,Jo,tonight"),
                "line 7, column checked_at: `tonight` is no time",
            ),
            (
                "a day only",
                second("yes,yes,yes,yes,yes,,Jo,2026-11-21"),
                "line 7, column checked_at: `2026-11-21` is no time",
            ),
            (
                "another plan",
                good.replace("1a2b3c4d", "99999999"),
                "line 2: it is of the plan 99999999, and this plan is 1a2b3c4d",
            ),
            (
                "another canary",
                good.replace("00:10:00Z", "00:05:00Z"),
                "line 4: it is of the canary written down at 2026-11-21T00:05:00Z",
            ),
            (
                "no plan",
                good.replace("# plan", "# plane"),
                "line 1: the line `# plan: ...` is missing",
            ),
            (
                "an edited expectation",
                good.replacen("12.0 s", "13.0 s", 1),
                "line 6, column expected_duration: `12.0 s` was changed to `13.0 s`",
            ),
            (
                "a column gone",
                good.replace(",found,", ","),
                "line 5: the column found is missing",
            ),
            (
                "columns turned",
                good.replace("found,plays", "plays,found"),
                "line 5: the columns are not those that were written",
            ),
            (
                "empty",
                String::new(),
                "line 1: the line `# plan: ...` is missing",
            ),
        ];
        for (what, text, expected) in rows {
            let faults = read(&text).expect_err(what);
            assert!(faults[0].starts_with(expected), "{what}: {faults:?}");
        }
        assert_eq!(
            read(&filled([",,,,,,,", ",,,,,,,"])).unwrap_err().len(),
            2,
            "everything is counted"
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_in_a_list_is_read_or_refused_with_its_line(text in "(\\PC|\n){0,80}", cells in "[ -~]{0,40}", at in 0_usize..900) {
            let _ = read(&text);
            let (good, answer) = (filled([YES, YES]), format!("{cells},,,,,,,"));
            let mut damaged = good.clone();
            damaged.insert_str((0..=at.min(good.len())).rev().find(|at| good.is_char_boundary(*at)).unwrap_or_default(), &text);
            for text in [damaged, filled([YES, &answer])] {
                for fault in read(&text).err().unwrap_or_default() {
                    proptest::prop_assert!(fault.starts_with("line ") || fault.starts_with("the line of recording "), "{}", fault);
                }
            }
        }
    }
}
