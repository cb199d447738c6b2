//! Words to people and documents to programs: the rim at which text leaves. What a terminal would
//! obey is written out, a line that shows progress is taken away before another is printed, and
//! standard output that takes nothing is an error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use output::{printable, printable_json};
use parking_lot::Mutex;
use rehearsal::Ending;

/// Whether the command was called with `--json`.
static JSON: AtomicBool = AtomicBool::new(false);
/// Whether a document was printed.
static DOCUMENT: AtomicBool = AtomicBool::new(false);
/// The first sentence about a bad end.
static FAILED: Mutex<Option<(Ending, String)>> = Mutex::new(None);
/// Why standard output did not take something.
static UNWRITTEN: Mutex<Option<String>> = Mutex::new(None);
/// The line of progress that stands at the foot of the terminal. Empty: none.
static PROGRESS: Mutex<String> = Mutex::new(String::new());

/// Back to the line's first column, and everything from there to the end of the screen gone. The
/// cursor is left in that column whenever progress is shown: a terminal that became narrower breaks
/// the line into several, and all of them stand behind the cursor.
const ERASE: &str = "\r\x1b[J";

/// From here on an error is printed as a document too.
pub(crate) fn speak_json() {
    JSON.store(true, Ordering::Release);
}

/// A line to standard output.
pub(crate) fn say(line: &str) {
    // Who reads no further has enough.
    write_out(&printable(line), &[ErrorKind::BrokenPipe]);
}

/// Several lines to standard output. Only for text whose line ends are this program's own.
pub(crate) fn say_lines(text: &str) {
    text.lines().for_each(say);
}

/// A document to standard output.
pub(crate) fn document(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => {
            DOCUMENT.store(true, Ordering::Release);
            write_out(&printable_json(&text), &[]);
        }
        Err(error) => tell(&format!("cannot write the answer as JSON: {error}")),
    }
}

fn write_out(text: &str, allowed: &[ErrorKind]) {
    let progress = PROGRESS.lock();
    let mut errors = std::io::stderr().lock();
    if !progress.is_empty() {
        let _ = write!(errors, "{ERASE}");
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush())
        && !allowed.contains(&error.kind())
    {
        UNWRITTEN.lock().get_or_insert(error.to_string());
    }
    if !progress.is_empty() {
        let _ = write!(errors, "{progress}\r");
    }
}

/// A line to standard error.
pub(crate) fn tell(line: &str) {
    let progress = PROGRESS.lock();
    let mut errors = std::io::stderr().lock();
    if !progress.is_empty() {
        let _ = write!(errors, "{ERASE}");
    }
    let _ = writeln!(errors, "{}", printable(line));
    if !progress.is_empty() {
        let _ = write!(errors, "{progress}\r");
    }
}

/// Shows how far a command has come, in place of what it showed before; an empty line takes it
/// away. For a terminal on standard error.
pub(crate) fn show_progress(line: &str) {
    let mut progress = PROGRESS.lock();
    if progress.is_empty() && line.is_empty() {
        return;
    }
    *progress = printable(line).into_owned();
    let mut errors = std::io::stderr().lock();
    let end = if progress.is_empty() { "" } else { "\r" };
    let _ = write!(errors, "{ERASE}{progress}{end}").and_then(|()| errors.flush());
}

/// Takes an echoed `^C` away, so that what comes next begins its own line.
pub(crate) fn clear_echo() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "{ERASE}");
    }
}

/// One sentence about a bad end, once. A sentence of several lines has its further lines indented:
/// a line end in it that came from elsewhere is not followed by two blanks, and is written out.
pub(crate) fn fail(ending: Ending, sentence: &str) -> Ending {
    let mut rest = sentence;
    let mut first = String::from("seatrial: ");
    let mut lines = Vec::new();
    while let Some((line, further)) = rest.split_once("\n  ") {
        lines.push(format!("{first}{line}"));
        "  ".clone_into(&mut first);
        rest = further;
    }
    lines.push(format!("{first}{rest}"));
    lines.iter().for_each(|line| tell(line));
    FAILED.lock().get_or_insert((ending, sentence.to_owned()));
    ending
}

/// A bad end told in lines of this program's own making, the first of which is the sentence.
pub(crate) fn fail_in_lines(ending: Ending, text: &str) -> Ending {
    text.lines().for_each(tell);
    let sentence = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    FAILED
        .lock()
        .get_or_insert((ending, sentence.trim_start_matches("error: ").to_owned()));
    ending
}

/// What `--json` prints where a command came to no document.
#[derive(serde::Serialize)]
struct Failed<'a> {
    version: u32,
    error: Error<'a>,
}

#[derive(serde::Serialize)]
struct Error<'a> {
    sentence: &'a str,
    exit_code: u8,
    meaning: &'static str,
}

/// The last word of a command: its error as a document where that is wanted, and whether standard
/// output took what was said.
pub(crate) fn finish(ending: Ending) -> Ending {
    show_progress("");
    if JSON.load(Ordering::Acquire) && ending != Ending::Done && !DOCUMENT.load(Ordering::Acquire) {
        let failed = FAILED.lock().take();
        let sentence = failed.map_or_else(|| ending.meaning().to_owned(), |(_, sentence)| sentence);
        let error = Error {
            sentence: &sentence,
            exit_code: ending.code(),
            meaning: ending.meaning(),
        };
        document(&Failed { version: 1, error });
    }
    let unwritten = UNWRITTEN.lock().take();
    match unwritten {
        Some(error) => {
            tell(&format!(
                "seatrial: standard output cannot be written: {error}; the answer is not whole, \
                 make room and run the same command again"
            ));
            ending.or_graver(Ending::Stopped)
        }
        None => ending,
    }
}
