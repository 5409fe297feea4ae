//! The table of attempts, with the columns of the loan's page and as wide as the terminal allows.
//!
//! Without a terminal (a file, a pipe, `--wide`) every value is complete and on one line. In a terminal the attempt's ID
//! is shortened first, then the trace ID (which `resend` takes); the title gets the width that is left, and wraps.

use comfy_table::{Cell, Color, ColumnConstraint, Table, Width};

use crate::client::Row;
use crate::terminal::format::{clean, short_id, short_time, time};
use crate::terminal::{output, table};

/// Widths of columns, in characters.
const ID_WIDTH: u16 = 36;
const SHORT_ID_WIDTH: u16 = 9;
const METHOD_WIDTH: u16 = 6;
/// The longest result is `interrupted`.
const RESULT_WIDTH: u16 = 11;
/// The heading is longer than any result.
const RESULT_WIDTH_UNDER_HEADING: u16 = 13;
const TIME_WIDTH: u16 = 20;
const SHORT_TIME_WIDTH: u16 = 14;
/// The longest attempt number is `manual`.
const ATTEMPT_NUMBER_WIDTH: u16 = 6;
const MIN_TITLE_WIDTH: u16 = 10;
const USUAL_TITLE_WIDTH: u16 = 30;

/// Columns by their index, in the order of the page.
const ALL_COLUMNS: &[usize] = &[0, 1, 2, 3, 4, 5, 6];
const NARROW_COLUMNS: &[usize] = &[0, 2, 4, 5, 6];
const NARROW_COLUMNS_WITHOUT_TITLE: &[usize] = &[0, 4, 5, 6];

/// How much of each attempt the terminal has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Complete values, each column as wide as its longest.
    Complete,
    /// Complete values in columns of fixed widths, for rows that are printed one by one.
    CompleteRowByRow,
    /// Complete IDs, and a title that wraps at its width.
    CompleteIds { title: u16 },
    /// Complete trace IDs only.
    TraceIds { title: u16 },
    /// Short IDs.
    Short { title: u16 },
    /// Short attempt IDs, no trace ID, no method, and no title where there is no room for one.
    Narrow { title: Option<u16> },
}

impl Layout {
    /// The layout that shows most in a terminal of this width; none is no terminal. With `row_by_row` the rows are not all
    /// known when the first is printed.
    fn for_width(width: Option<u16>, row_by_row: bool) -> Self {
        let Some(width) = width else {
            return if row_by_row { Self::CompleteRowByRow } else { Self::Complete };
        };
        let other_columns = RESULT_WIDTH + SHORT_TIME_WIDTH + ATTEMPT_NUMBER_WIDTH;
        let left = |ids: u16, gap: u16| width.saturating_sub(ids + METHOD_WIDTH + other_columns + 6 * gap);
        let narrow = width.saturating_sub(SHORT_ID_WIDTH + other_columns + 4);
        match (left(2 * ID_WIDTH, 2), left(SHORT_ID_WIDTH + ID_WIDTH, 2), left(2 * SHORT_ID_WIDTH, 1)) {
            (title @ MIN_TITLE_WIDTH.., _, _) => Self::CompleteIds { title },
            (_, title @ MIN_TITLE_WIDTH.., _) => Self::TraceIds { title },
            (_, _, title @ MIN_TITLE_WIDTH..) => Self::Short { title },
            _ => Self::Narrow { title: Some(narrow).filter(|title| *title >= MIN_TITLE_WIDTH) },
        }
    }

    /// The layout for standard output; `wide` asks for complete values in a terminal too.
    pub(super) fn for_output(wide: bool, row_by_row: bool) -> Self {
        Self::for_width(table::terminal_width().filter(|_| !wide), row_by_row)
    }

    fn shortens_ids(self) -> bool {
        matches!(self, Self::TraceIds { .. } | Self::Short { .. } | Self::Narrow { .. })
    }

    /// Which of the seven columns there are.
    fn columns(self) -> &'static [usize] {
        match self {
            Self::Narrow { title: Some(_) } => NARROW_COLUMNS,
            Self::Narrow { title: None } => NARROW_COLUMNS_WITHOUT_TITLE,
            _ => ALL_COLUMNS,
        }
    }

    fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::CompleteRowByRow)
    }

    /// The head of the table, without rows.
    fn table(self) -> Table {
        let header = if self.is_complete() {
            ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt"]
        } else {
            ["ID", "Trace ID", "Event Title", "Method", "Response\nCode", "Time Stamp", "#"]
        };
        let gap = self.gap();
        let header: Vec<_> = self.columns().iter().map(|column| header[*column]).collect();
        let mut table = table::new(&header, gap);
        // Every width is given.
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        if let Some(widths) = self.widths() {
            table.set_constraints(self.columns().iter().map(|column| {
                let width = Width::Fixed(widths[*column] + gap);
                match self {
                    Self::CompleteRowByRow => ColumnConstraint::LowerBoundary(width),
                    _ => ColumnConstraint::Absolute(width),
                }
            }));
        }
        table
    }

    /// The widths of all columns, of which [`columns`](Self::columns) are shown; none where they follow the values.
    fn widths(self) -> Option<[u16; 7]> {
        let (id, trace_id, title) = match self {
            Self::Complete => return None,
            Self::CompleteRowByRow => (ID_WIDTH, ID_WIDTH, USUAL_TITLE_WIDTH),
            Self::CompleteIds { title } => (ID_WIDTH, ID_WIDTH, title),
            Self::TraceIds { title } => (SHORT_ID_WIDTH, ID_WIDTH, title),
            Self::Short { title } => (SHORT_ID_WIDTH, SHORT_ID_WIDTH, title),
            Self::Narrow { title } => (SHORT_ID_WIDTH, SHORT_ID_WIDTH, title.unwrap_or_default()),
        };
        let (result, time) = if self.is_complete() {
            (RESULT_WIDTH_UNDER_HEADING, TIME_WIDTH)
        } else {
            (RESULT_WIDTH, SHORT_TIME_WIDTH)
        };
        Some([id, trace_id, title, METHOD_WIDTH, result, time, ATTEMPT_NUMBER_WIDTH])
    }

    fn gap(self) -> u16 {
        if matches!(self, Self::Short { .. } | Self::Narrow { .. }) { 1 } else { 2 }
    }

    fn cells(self, row: &Row) -> Vec<Cell> {
        let id = if self.shortens_ids() { short_id(&row.id) } else { clean(&row.id) };
        let trace =
            if matches!(self, Self::Short { .. }) { short_id(&row.trace_id) } else { clean(&row.trace_id) };
        let sent = if self.is_complete() { time(&row.sent_at) } else { short_time(&row.sent_at) };
        let method = row.method.as_deref().unwrap_or("-");
        let result = Cell::new(clean(&row.result())).fg(colour(row));
        let cells = [
            Cell::new(id),
            Cell::new(trace),
            Cell::new(clean(&row.marked_title())),
            Cell::new(clean(method)),
            result,
            Cell::new(sent),
            Cell::new(clean(&row.attempt_number())),
        ];
        self.columns().iter().map(|column| cells[*column].clone()).collect()
    }

    /// The head of the table, and the attempts.
    pub(super) fn with_head(self, rows: &[Row]) -> String {
        self.filled(rows).trim_fmt()
    }

    /// The attempts alone, for a head that was printed before.
    pub(super) fn without_head(self, rows: &[Row]) -> String {
        let head = self.table().lines().count();
        self.filled(rows).trim_fmt().lines().skip(head).collect::<Vec<_>>().join("\n")
    }

    fn filled(self, rows: &[Row]) -> Table {
        let mut table = self.table();
        table.add_rows(rows.iter().map(|row| self.cells(row)));
        table
    }
}

/// Green has succeeded, yellow goes on, red has failed and is not retried.
fn colour(row: &Row) -> Color {
    match (row.succeeded(), row.has_ended() && row.next_attempt_at.is_none()) {
        (true, _) => Color::Green,
        (false, true) => Color::Red,
        (false, false) => Color::Yellow,
    }
}

/// Notes how to see complete IDs, where the layout shortens them.
pub(super) fn note_shortened_ids(layout: Layout) {
    if layout.shortens_ids() {
        output::note(format_args!("IDs are shortened to fit; --wide shows them whole"));
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use crate::client::Row;

    fn row() -> Row {
        serde_json::from_str(
            r#"{"id": "019ab1c2-7d3e-7f00-8a1b-5c6d7e8f9a0b", "traceId": "78e763c3-0000-5000-8000-1234567890ab",
                "loanId": "727", "eventTitle": "Core banking: payment posted and reversed", "eventName": "Payment Posted to Account",
                "subscriptionId": "s", "method": "POST", "destination": null, "attemptNumber": "manual", "manual": true,
                "requestedBy": null, "resendOf": null, "resends": 0, "occurredAt": null, "outcome": "failed", "responseCode": null,
                "error": {"kind": "interrupted", "detail": "d"}, "sentAt": "2026-11-23T10:00:00.123Z", "responseTimeMs": null,
                "sourceIp": null, "nextAttemptAt": null, "source": null, "response": null}"#,
        )
        .expect("a row")
    }

    #[test]
    fn a_table_is_no_wider_than_its_terminal() {
        for width in [45, 54, 60, 70, 71, 80, 81, 100, 111, 112, 138, 139, 200] {
            let layout = Layout::for_width(Some(width), false);
            let table = layout.with_head(&[row()]);
            for line in table.lines() {
                assert!(line.chars().count() <= usize::from(width), "{width}: {line}");
            }
            assert!(table.contains(" interrupted") && table.contains("11-23 10:00:00"), "{table}");
        }
    }

    #[test]
    fn a_narrow_terminal_shortens_the_attempt_id_before_the_trace_id() {
        let shown = |width| {
            let table = Layout::for_width(width, false).with_head(&[row()]);
            (table.contains(&row().id), table.contains(&row().trace_id))
        };
        assert_eq!(shown(Some(80)), (false, false));
        assert_eq!(shown(Some(120)), (false, true));
        assert_eq!(shown(Some(160)), (true, true));
        assert_eq!(shown(None), (true, true));
    }

    #[test]
    fn without_a_terminal_an_attempt_is_one_complete_line() {
        let table = Layout::for_width(None, false).with_head(&[row()]);
        assert_eq!(table.lines().count(), 2);
        assert!(table.contains("Core banking: payment posted and reversed  POST"), "{table}");
    }

    #[test]
    fn later_rows_have_the_columns_of_the_head_that_was_printed_first() {
        for width in [None, Some(80)] {
            let layout = Layout::for_width(width, true);
            let with_head = layout.with_head(&[row()]);
            assert!(with_head.ends_with(&layout.without_head(&[row()])));
            assert!(!layout.without_head(&[row()]).contains("Event Title"));
        }
    }
}
