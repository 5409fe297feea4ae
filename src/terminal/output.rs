//! Standard output and standard error. Writing to a pipe that was closed is an outcome, not a panic.

use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use clap::builder::styling::{AnsiColor, Style};

use crate::Outcome;
use crate::error::Failure;

/// Writes a line to standard output.
pub(crate) fn line(line: impl Display) -> Outcome {
    written(writeln!(io::stdout().lock(), "{line}"))
}

/// Writes exactly these bytes to standard output.
pub(crate) fn bytes(bytes: &[u8]) -> Outcome {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes an answer as it came, as a line.
pub(crate) fn json(body: &[u8]) -> Outcome {
    bytes(body)?;
    if body.ends_with(b"\n") { Ok(()) } else { bytes(b"\n") }
}

/// Writes a line to standard error; that nobody reads it is no failure.
pub(crate) fn note(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn written(result: io::Result<()>) -> Outcome {
    result.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::Message(format!("cannot write to standard output: {error}")),
    })
}

/// Whether a person reads standard output in a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard output takes colours: a terminal, and nobody asked for none (<https://no-color.org>).
pub(crate) fn takes_colours() -> bool {
    is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WAITING: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const STRONG: Style = Style::new().bold();

/// The text in that style, where standard output takes colours.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    if takes_colours() { format!("{style}{text}{style:#}") } else { text.to_string() }
}
