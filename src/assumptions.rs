//! `assumptions`.

use simulator::Rule;

use crate::cli::Output;
use crate::terminal;
use rehearsal::Ending;

/// `seatrial assumptions`: every rule of the simulators, and which of them nobody states.
pub(crate) fn run(output: &Output) -> Ending {
    let rules = simulator::all_rules();
    if output.json {
        terminal::document(&serde_json::json!({"version": 1, "rules": rules}));
        return Ending::Done;
    }
    for rule in &rules {
        terminal::say_lines(&text(rule));
    }
    let assumed = rules
        .iter()
        .filter(|rule| rule.grade == simulator::Grade::Assumed)
        .count();
    terminal::say(&format!(
        "{} rules, {assumed} of them assumed: no vendor page states those",
        rules.len()
    ));
    Ending::Done
}

fn text(rule: &Rule) -> String {
    let grade = match rule.grade {
        simulator::Grade::Documented => "documented",
        simulator::Grade::Observed => "observed",
        simulator::Grade::Assumed => "assumed",
    };
    let default = rule
        .default
        .map(|default| format!("\n  default: {default}"))
        .unwrap_or_default();
    format!(
        "{} ({grade})\n  {}\n  source: {}{default}",
        rule.name, rule.statement, rule.source
    )
}
