//! Words to people and documents to programs. A closed pipe is not an error worth a panic.

use std::io::Write;

use rehearsal::Ending;

/// A line to standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A document to standard output.
pub(crate) fn document(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => say(&text),
        Err(error) => tell(&format!("cannot write the answer as JSON: {error}")),
    }
}

/// A line to standard error.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One sentence about a bad end, once.
pub(crate) fn fail(ending: Ending, sentence: &str) -> Ending {
    tell(&format!("seatrial: {sentence}"));
    ending
}
