//! Tables, and lists of labelled values, as wide as the terminal allows.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::error::CommandResult;
use crate::terminal::output;

/// A table without lines, with `gap` spaces between its columns. In a terminal long cells wrap.
pub(crate) fn new(header: &[&str], gap: u16) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !output::takes_colours() {
        // Without colours, and still as wide as the terminal, if there is one.
        let width = table.width();
        table.force_no_tty();
        width.map(|width| table.set_width(width));
    }
    table.set_header(header.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, gap));
    }
    table
}

/// The width of the terminal in columns; none where standard output is no terminal.
pub(crate) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

pub(crate) fn print(table: &Table) -> CommandResult {
    output::line(table.trim_fmt())
}

/// Prints labelled values, one a line; labels without a value are left out.
pub(crate) fn details<'a>(details: impl IntoIterator<Item = (&'a str, Option<String>)>) -> CommandResult {
    let details: Vec<_> = details.into_iter().filter_map(|(label, value)| Some((label, value?))).collect();
    let width = details.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    details.iter().try_for_each(|(label, value)| output::line(format_args!("{label:width$}  {value}")))
}
