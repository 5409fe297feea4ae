//! Tables and lists of details, fit to the terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::Outcome;
use crate::terminal::output;

/// A table without lines, `gap` blanks between its columns; in a terminal it wraps to fit.
pub(crate) fn table(header: &[&str], gap: u16) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !output::takes_colours() {
        // Keeps the width of the terminal, if there is one, and leaves the colours out.
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

/// The width of the terminal that standard output is.
pub(crate) fn terminal_width() -> Option<u16> {
    Table::new().width()
}

pub(crate) fn print(table: &Table) -> Outcome {
    output::line(table.trim_fmt())
}

/// Prints labelled values, one below the other; those without a value are left out.
pub(crate) fn details<'a>(details: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Outcome {
    let details: Vec<_> = details.into_iter().filter_map(|(label, value)| Some((label, value?))).collect();
    let width = details.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    details.iter().try_for_each(|(label, value)| output::line(format_args!("{label:width$}  {value}")))
}
