//! Log lines go to standard error; a panic says where, never what, because what could hold a number or a name.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, Output};
use crate::terminal;

/// Whatever the level: a long wait is told of, and a certificate that is refused is told by the error that ends the run, not by the library's own lines.
const ALWAYS: &str = "platforms::waiting=warn,rustls_platform_verifier=off";

/// Starts logging and takes over the panic message.
pub(crate) fn start(output: &Output) {
    let level = match output.verbose {
        0 => "error",
        1 => "warn",
        2 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SEATRIAL_LOG").unwrap_or_else(|_| EnvFilter::new(format!("{level},{ALWAYS}")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match output.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        terminal::tell(&format!("seatrial: a defect of this program at {at}; please report it with the command and the scenario or plan"));
    }));
}
