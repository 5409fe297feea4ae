//! Standard output and standard error.
//!
//! That the reader of standard output has closed it is [`CommandError::OutputClosed`], which ends a command quietly.

use std::fmt::{Arguments, Display};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use serde_json::value::RawValue;

use crate::error::{CommandError, CommandResult};

/// Writes a line to standard output.
pub(crate) fn line(line: impl Display) -> CommandResult {
    check(writeln!(io::stdout().lock(), "{line}"))
}

/// Writes exactly these bytes to standard output.
pub(crate) fn bytes(bytes: &[u8]) -> CommandResult {
    let mut stdout = io::stdout().lock();
    check(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes the body of a response as it came, and ends its line.
pub(crate) fn json(body: &[u8]) -> CommandResult {
    bytes(body)?;
    if body.ends_with(b"\n") { Ok(()) } else { bytes(b"\n") }
}

/// Writes all items of a list as one JSON document, `{"items": […], "next": null}`.
pub(crate) fn json_list(items: &[Box<RawValue>]) -> CommandResult {
    let items: Vec<_> = items.iter().map(|item| item.get()).collect();
    line(format_args!("{{\"items\":[{}],\"next\":null}}", items.join(",\n")))
}

/// Writes a line to standard error. Errors are ignored: a command does its work also where nobody reads its notes.
pub(crate) fn note(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

fn check(result: io::Result<()>) -> CommandResult {
    result.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CommandError::OutputClosed,
        _ => CommandError::Message(format!("cannot write to standard output: {error}")),
    })
}

/// Whether a person reads standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard output takes colours: a terminal, and no variable asks for none (<https://no-color.org>).
pub(crate) fn takes_colours() -> bool {
    io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

pub(crate) const SUCCESS_STYLE: Style = AnsiColor::Green.on_default();
pub(crate) const PENDING_STYLE: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAILURE_STYLE: Style = AnsiColor::Red.on_default();
pub(crate) const HEADING_STYLE: Style = Style::new().bold();

/// The text in that style, where standard output takes colours.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    if takes_colours() { format!("{style}{text}{style:#}") } else { text.to_string() }
}
