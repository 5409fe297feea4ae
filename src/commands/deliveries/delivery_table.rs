//! The table of deliveries, as wide as the terminal allows.

use comfy_table::{Cell, Color, ColumnConstraint, Table, Width};

use crate::client::ListedDelivery;
use crate::terminal::format::{clean, time};
use crate::terminal::table;

const HEAD: [&str; 7] =
    ["Accepted", "Trace ID", "Loan", "Event Title", "Status", "Response Code", "# Attempt"];
/// The widths of columns whose rows are printed one by one, in characters; the longest status is `waits: limit`.
const WIDTHS: [u16; 7] = [20, 36, 10, 30, 12, 13, 9];
const GAP: u16 = 2;

/// The head of the table, and the deliveries. With `row_by_row` not all are known when the first is printed.
pub(in crate::commands) fn with_head(deliveries: &[ListedDelivery], row_by_row: bool) -> String {
    filled(deliveries, row_by_row).trim_fmt()
}

/// The deliveries alone, for a head that was printed before.
pub(super) fn without_head(deliveries: &[ListedDelivery], row_by_row: bool) -> String {
    let head = filled(&[], row_by_row).lines().count();
    filled(deliveries, row_by_row).trim_fmt().lines().skip(head).collect::<Vec<_>>().join("\n")
}

fn filled(deliveries: &[ListedDelivery], row_by_row: bool) -> Table {
    let mut table = table::new(&HEAD, GAP);
    if row_by_row {
        table.set_constraints(WIDTHS.map(|width| ColumnConstraint::LowerBoundary(Width::Fixed(width + GAP))));
    }
    table.add_rows(deliveries.iter().map(cells));
    table
}

fn cells(delivery: &ListedDelivery) -> Vec<Cell> {
    let newest = delivery.newest_attempt.as_ref();
    let text = |text: &str| Cell::new(clean(text));
    vec![
        Cell::new(time(&delivery.accepted_at)),
        text(&delivery.trace_id),
        text(delivery.loan_id.as_deref().unwrap_or("-")),
        text(&delivery.marked_title()),
        text(&delivery.state_in_words()).fg(colour(&delivery.status)),
        text(&newest.map_or_else(|| "-".to_owned(), |row| row.result())),
        text(&newest.map_or_else(|| "-".to_owned(), |row| row.attempt_number())),
    ]
}

/// Green has succeeded, yellow goes on, red is sent no more.
fn colour(status: &str) -> Color {
    match status {
        "succeeded" => Color::Green,
        "pending" => Color::Yellow,
        _ => Color::Red,
    }
}
