//! `ledger`.

use std::path::Path;

use platforms::clock::Clock;
use rehearsal::Ending;

use crate::cli::{Ledger, Output};
use crate::terminal;

/// `seatrial ledger copy FROM TO`.
pub(crate) async fn run(command: Ledger, output: Output) -> Ending {
    let Ledger::Copy(arguments) = command;
    let here = match std::path::absolute(Path::new(".")) {
        Ok(here) => here,
        Err(error) => {
            return terminal::fail(Ending::Stopped, &format!("the present folder: {error}"));
        }
    };
    let copied = migrator::copy_ledger(arguments.from, arguments.to, here, Clock::real()).await;
    let copied = match copied {
        Ok(copied) => copied,
        Err(stop) => return terminal::fail(Ending::from(&stop), &stop.to_string()),
    };
    let sentence = format!(
        "{} interactions with {} recordings and {} lines of custody were copied",
        copied.interactions, copied.recordings, copied.custody_lines
    );
    if output.json {
        terminal::document(
            &serde_json::json!({ "version": 1, "copied": copied, "sentence": sentence }),
        );
    } else {
        terminal::say(&sentence);
    }
    Ending::Done
}
