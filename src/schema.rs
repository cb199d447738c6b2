//! `schema` and `completions`.

use clap::CommandFactory;

use crate::cli::{Cli, Completions, Schema, SchemaOf};
use crate::terminal;
use rehearsal::{Ending, Scenario};

/// Prints a JSON Schema.
pub(crate) fn run(arguments: &Schema) -> Ending {
    match arguments.of {
        SchemaOf::Plan => terminal::document(&plan::Plan::schema()),
        SchemaOf::Layout => terminal::document(&plan::Layout::schema()),
        SchemaOf::Scenario => terminal::document(&Scenario::schema()),
        SchemaOf::Canonical => terminal::document(&migrator::Canonical::schema()),
        SchemaOf::Fault => terminal::document(&simulator::FaultRule::schema()),
        SchemaOf::FaultTable => terminal::document(&simulator::fault_table()),
        SchemaOf::Summary => terminal::document(&verifier::Summary::schema()),
        SchemaOf::Finding => terminal::document(&verifier::Finding::schema()),
    }
    Ending::Done
}

/// Prints a completion script.
pub(crate) fn completions(arguments: &Completions) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "seatrial",
        &mut script,
    );
    terminal::say_lines(&String::from_utf8_lossy(&script));
    Ending::Done
}
