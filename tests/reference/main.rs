//! The pages of `docs/reference` say what the program does. Each is held against the program's
//! schemas, its `--help`, or what a run writes.
//! `SEATRIAL_BLESS=1 cargo test --release --test reference` renews `commands.md`; every other page
//! is written by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

mod commands;
mod control;
mod keys;
mod page;
mod run;
#[path = "../support/mod.rs"]
mod support;

use page::Page;
use rehearsal::Ending;
use verifier::Defect;

#[test]
fn the_index_names_every_page() {
    let index = Page::read("README.md");
    let pages = Page::all();
    assert!(pages.len() >= 15, "{} pages", pages.len());
    for page in pages.iter().filter(|page| page.name != "README.md") {
        assert!(
            index.text.contains(&format!("]({})", page.name)),
            "docs/reference/README.md does not link to {}",
            page.name
        );
    }
}

#[test]
fn every_defect_is_described_with_its_title_and_severity() {
    let page = Page::read("defects.md");
    let bullets = page.bullets();
    let severities = ["critical", "major", "minor"];
    let described = bullets
        .iter()
        .filter(|(_, text)| severities.iter().any(|severity| text.starts_with(severity)));
    let described: Vec<&str> = described.map(|(code, _)| code.as_str()).collect();
    let codes: Vec<&str> = Defect::ALL.iter().map(|defect| defect.code()).collect();
    assert_eq!(
        described, codes,
        "the classes defects.md describes, and those the verifier reports"
    );
    for defect in Defect::ALL {
        let severity = serde_json::to_value(defect.severity()).unwrap();
        let wanted = format!("{}: **{}**.", severity.as_str().unwrap(), defect.title());
        let (_, text) = bullets
            .iter()
            .find(|(code, _)| code == defect.code())
            .unwrap();
        assert!(
            text.starts_with(&wanted),
            "defects.md: `{}` must begin with: {wanted}",
            defect.code()
        );
        assert!(
            text.len() > wanted.len() + 10,
            "defects.md: `{}` has no explanation",
            defect.code()
        );
    }
}

#[test]
fn every_exit_code_is_described_in_the_programs_words() {
    let rows = Page::read("exit-codes.md").rows("# Exit codes");
    let program: Vec<Vec<String>> = (0..=u8::MAX)
        .filter_map(Ending::of_code)
        .map(|ending| vec![ending.code().to_string(), ending.meaning().to_owned()])
        .collect();
    assert_eq!(
        rows, program,
        "the table of exit-codes.md, and the program's codes with their meaning"
    );
    let order: Vec<String> = Ending::BY_GRAVITY
        .iter()
        .map(|ending| ending.code().to_string())
        .collect();
    let order = order.join(", ");
    assert!(
        Page::read("exit-codes.md").flat().contains(&order),
        "exit-codes.md does not give the order of gravity: {order}"
    );
}

#[test]
fn every_reason_is_described() {
    let rows = Page::read("match.md").rows("## Reasons");
    let described: Vec<String> = rows
        .iter()
        .map(|cells| cells[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(
        described,
        plan::Reason::ALL.map(|reason| reason.to_string()),
        "the reasons of match.md, and the plan's"
    );
}
