//! The page: counts, what is shared, then each mutant.

use std::fmt::Write as _;

use super::reasons::REASONS;
use super::{Outcome, Tried};
use crate::report::Report;

/// Crates that are mutated.
const CRATES: [&str; 4] = ["migrator", "plan", "platforms", "audio"];
/// Those that the verifier runs too.
const SHARED: [&str; 3] = ["plan", "platforms", "audio"];

/// Returns reasons that no missed mutant has.
pub(super) fn write(report: &mut Report, tried: &[Tried], omitted: usize) -> Vec<String> {
    let count =
        |wanted: fn(&Outcome) -> bool| tried.iter().filter(|tried| wanted(tried.worst())).count();
    let reached = tried.len() - count(|worst| *worst == Outcome::NotReached);
    report.row("mutants written, each for three ways in", tried.len());
    report.row("left out, because they do not compile", omitted);
    report.row(
        "not reached: no run comes to their place (error paths, other formats)",
        tried.len() - reached,
    );
    report.row("reached, and tried", reached);
    report.row("found by the verifier", count(is_found));
    report.row(
        "ended: not found, but migration or verification failed or did not end",
        count(is_ended),
    );
    report.row(
        "no difference: the target is byte-identical, and as much stays behind",
        count(|worst| *worst == Outcome::NoDifference),
    );
    report.row(
        "no difference but in the migrator's own counts, such as calls that it says it left",
        count(is_counted),
    );
    report.row(
        "unseen, because the verifier runs the same wrong code; one without the mistake finds it",
        count(is_shared),
    );
    report.row(
        "missed: the target differs and the verdict is match, with a reason below",
        count(is_missed),
    );
    report.appendix = HOW.to_owned() + &by_crate(tried) + &shared(tried) + &table(tried);
    REASONS
        .iter()
        .filter(|reason| {
            !tried.iter().any(|tried| {
                is_missed(tried.worst())
                    && tried
                        .mutant
                        .reason()
                        .is_some_and(|other| std::ptr::eq(other, *reason))
            })
        })
        .map(|reason| format!("`{}` in {}", reason.what, reason.file))
        .collect()
}

const HOW: &str = "
## How to read it

A mutant is the program with one small mistake: `<` for `<=`, `+` for `-`, `||` for `&&`, a number one higher, a call
left out. Each migrates the same calls by each of the three ways in, with a plan of its own for each, and then verifies
its own work. A mutant counts by its worst way in. *Reached* means that the program comes to the place of the mistake
while it migrates or verifies. Where nothing differs, the mistake has no effect on these calls: most of these are in
checks before the first write, in sizes of pages and numbers of retries, in words of messages, and at bounds that no
call meets exactly. *Found* includes mistakes that only the verifier makes, as a false alarm.
";

fn is_counted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::CountsDiffer(_))
}

fn is_found(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Found(_))
}

fn is_ended(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ended(_))
}

fn is_shared(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Shared(_))
}

fn is_missed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Missed(_))
}

fn by_crate(tried: &[Tried]) -> String {
    let mut page =
        "\n## By crate\n\n| crate | mutants | not reached | no difference | own counts differ | \
        ended | found | unseen, as shared | missed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for name in CRATES {
        let of_crate: Vec<&Outcome> = tried
            .iter()
            .filter(|tried| tried.mutant.of_crate() == name)
            .map(Tried::worst)
            .collect();
        let count =
            |wanted: fn(&Outcome) -> bool| of_crate.iter().filter(|worst| wanted(worst)).count();
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            of_crate.len(),
            count(|worst| *worst == Outcome::NotReached),
            count(|worst| *worst == Outcome::NoDifference),
            count(is_counted),
            count(is_ended),
            count(is_found),
            count(is_shared),
            count(is_missed),
        );
    }
    page
}

fn shared(tried: &[Tried]) -> String {
    let of_shared: Vec<&Outcome> = tried
        .iter()
        .filter(|tried| SHARED.contains(&tried.mutant.of_crate()))
        .map(Tried::worst)
        .collect();
    let count =
        |wanted: fn(&Outcome) -> bool| of_shared.iter().filter(|worst| wanted(worst)).count();
    format!(
        "\n## What is shared\n\nMigrator and verifier share the crates `plan`, `platforms` and \
         `audio`: how the plan and its tables are read, how a\nplatform is spoken to, and how sound \
         is decoded. Both make a mistake that is in there. Of {} such mutants that are\nreached, \
         {} make the migration fail or not end, and {} are found, because the wrong value differs \
         from what\nelse the verifier knows. {} are unseen: the target is wrong, both read the same \
         wrong value, and the verdict is match. A\nverifier without the mistake finds each of \
         these; the table says what it finds. So a match does not prove that the\nshared crates are \
         right. That is held by tests against what others made: decoders read files of \
         ffmpeg, lame and sox\n(strangers.md), and clients are held to examples from the vendors' \
         pages (scenarios/contracts).\n",
        count(|worst| *worst != Outcome::NotReached),
        count(is_ended),
        count(is_found),
        count(is_shared),
    )
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A line for each mutant, worst first.
fn table(tried: &[Tried]) -> String {
    let mut rows: Vec<&Tried> = tried.iter().collect();
    rows.sort_by(|a, b| b.worst().cmp(a.worst()));
    let mut page =
        "\n## Mutants\n\n| place | what stands there | the mutant | guide | public | gir | \
        why it is missed |\n| --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let words = |outcome: &Outcome| match outcome {
        Outcome::Found(what) => format!("found: {what}"),
        Outcome::Ended(what) => format!("ended: {what}"),
        Outcome::NoDifference => "no difference".to_owned(),
        Outcome::CountsDiffer(what) => format!("own counts: {what}"),
        Outcome::NotReached => "not reached".to_owned(),
        Outcome::Shared(what) => format!("**unseen**; without the mistake: {what}"),
        Outcome::Missed(what) => format!("**missed**: {what}"),
    };
    for Tried { mutant, ways } in rows {
        let reason = mutant.reason().filter(|_| ways.iter().any(is_missed));
        let why = reason.map_or("", |reason| reason.why);
        let _ = writeln!(
            page,
            "| {}:{} | `{}` | `{}` | {} | {} | {} | {why} |",
            mutant.file,
            mutant.line,
            cell(&mutant.what),
            cell(&mutant.instead),
            cell(&words(&ways[0])),
            cell(&words(&ways[1])),
            cell(&words(&ways[2]))
        );
    }
    page
}
