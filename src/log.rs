//! Log lines go to standard error; a panic says where, never what, because what could hold a number
//! or a name.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, Output};
use crate::terminal;

/// Our crates: what libraries have to say is of use to whoever looks for a fault in them.
const OURS: [&str; 8] = [
    "seatrial",
    "rehearsal",
    "migrator",
    "verifier",
    "simulator",
    "platforms",
    "plan",
    "audio",
];
/// A certificate that is refused is told by the error that ends the run, not by the library's own
/// lines.
const NEVER: &str = "rustls_platform_verifier=off";

/// Starts logging and takes over the panic message.
pub(crate) fn start(output: &Output) {
    if output.json {
        terminal::speak_json();
    }
    // At `info` stands a line for every request.
    let (level, libraries) = match output.verbose {
        0 => ("error", "off"),
        1 => ("warn", "error"),
        2 => ("info", "error"),
        _ => ("debug", "info"),
    };
    // A long wait is told of whatever the level; a terminal shows it in the line of progress.
    let waits = if std::io::stderr().is_terminal() && !output.json {
        ""
    } else {
        ",platforms::waiting=warn"
    };
    let usual = OURS.iter().fold(libraries.to_owned(), |filter, name| {
        format!("{filter},{name}={level}")
    });
    let filter = EnvFilter::try_from_env("SEATRIAL_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{usual},{NEVER}{waits}")));
    // No colours: what a terminal obeys is written out at the rim.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lines)
        .with_ansi(false);
    match output.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let at = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let sentence = format!(
            "a defect of this program at {at}; please report it with the command and the scenario \
             or plan"
        );
        terminal::fail(rehearsal::Ending::OurBug, &sentence);
    }));
}

/// Log lines on their way to the terminal's rim: one event a call.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        terminal::tell(String::from_utf8_lossy(bytes).trim_end_matches('\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
