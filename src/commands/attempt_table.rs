//! Attempts as a table with the columns of the loan's page, fit to the terminal.
//!
//! Where there is no terminal (a file, a pipe, `--wide`) everything is whole and on one line. In a
//! terminal the IDs give way first, the attempt's before the trace ID (which `resend` takes); the title
//! gets what is left and wraps.

use comfy_table::{Cell, Color, ColumnConstraint, Table, Width};

use crate::client::Row;
use crate::terminal::format::{clean, short_id, short_time, time};
use crate::terminal::{output, table};

const ID: u16 = 36;
const SHORT_ID: u16 = 9;
const METHOD: u16 = 6;
/// The longest result is `interrupted`.
const RESULT: u16 = 11;
const SHORT_TIME: u16 = 14;
/// The longest attempt is `manual`.
const ATTEMPT: u16 = 6;
const SHORTEST_TITLE: u16 = 10;
const USUAL_TITLE: u16 = 30;

/// How much of each attempt there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Everything, as wide as it is.
    Whole,
    /// Everything in columns of fixed widths, for rows that arrive one by one.
    WholeLines,
    /// Whole IDs, and a title that wraps at its width.
    WholeIds { title: u16 },
    /// Whole trace IDs only.
    TraceIds { title: u16 },
    /// Short IDs.
    Short { title: u16 },
    /// No trace ID and no method, nor, where there is no room for it, a title.
    Narrow { title: Option<u16> },
}

impl Layout {
    /// The fullest layout for a terminal of this width, if there is one.
    pub(super) fn for_width(width: Option<u16>, rows_arrive: bool) -> Self {
        let Some(width) = width else {
            return if rows_arrive { Self::WholeLines } else { Self::Whole };
        };
        let left =
            |ids: u16, gap: u16| width.saturating_sub(ids + METHOD + RESULT + SHORT_TIME + ATTEMPT + 6 * gap);
        let narrow = width.saturating_sub(SHORT_ID + RESULT + SHORT_TIME + ATTEMPT + 4);
        match (left(2 * ID, 2), left(SHORT_ID + ID, 2), left(2 * SHORT_ID, 1)) {
            (title @ SHORTEST_TITLE.., _, _) => Self::WholeIds { title },
            (_, title @ SHORTEST_TITLE.., _) => Self::TraceIds { title },
            (_, _, title @ SHORTEST_TITLE..) => Self::Short { title },
            _ => Self::Narrow { title: Some(narrow).filter(|title| *title >= SHORTEST_TITLE) },
        }
    }

    /// The layout for standard output; `wide` asks for everything whole in a terminal too.
    pub(super) fn for_output(wide: bool, rows_arrive: bool) -> Self {
        Self::for_width(table::terminal_width().filter(|_| !wide), rows_arrive)
    }

    pub(super) fn shortens_ids(self) -> bool {
        matches!(self, Self::TraceIds { .. } | Self::Short { .. } | Self::Narrow { .. })
    }

    /// Which of the seven columns there are.
    fn columns(self) -> &'static [usize] {
        match self {
            Self::Narrow { title: Some(_) } => &[0, 2, 4, 5, 6],
            Self::Narrow { title: None } => &[0, 4, 5, 6],
            _ => &[0, 1, 2, 3, 4, 5, 6],
        }
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Whole | Self::WholeLines)
    }

    /// The table's head, with no row in it yet.
    pub(super) fn table(self) -> Table {
        let header = if self.is_whole() {
            ["ID", "Trace ID", "Event Title", "Method", "Response Code", "Time Stamp", "# Attempt"]
        } else {
            ["ID", "Trace ID", "Event Title", "Method", "Response\nCode", "Time Stamp", "#"]
        };
        let gap = self.gap();
        let header: Vec<_> = self.columns().iter().map(|column| header[*column]).collect();
        let mut table = table::table(&header, gap);
        // Where every width is given, none is to be arranged.
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        let fixed = |width: u16| ColumnConstraint::Absolute(Width::Fixed(width + gap));
        let at_least = |width: u16| ColumnConstraint::LowerBoundary(Width::Fixed(width + gap));
        match self {
            Self::Whole => {}
            Self::WholeLines => {
                table.set_constraints([ID, ID, USUAL_TITLE, METHOD, 13, 20, ATTEMPT].map(at_least));
            }
            Self::WholeIds { title } => {
                table.set_constraints([ID, ID, title, METHOD, RESULT, SHORT_TIME, ATTEMPT].map(fixed));
            }
            Self::TraceIds { title } => {
                table.set_constraints([SHORT_ID, ID, title, METHOD, RESULT, SHORT_TIME, ATTEMPT].map(fixed));
            }
            Self::Short { title } => {
                table.set_constraints(
                    [SHORT_ID, SHORT_ID, title, METHOD, RESULT, SHORT_TIME, ATTEMPT].map(fixed),
                );
            }
            Self::Narrow { title: Some(title) } => {
                table.set_constraints([SHORT_ID, title, RESULT, SHORT_TIME, ATTEMPT].map(fixed));
            }
            Self::Narrow { title: None } => {
                table.set_constraints([SHORT_ID, RESULT, SHORT_TIME, ATTEMPT].map(fixed));
            }
        }
        table
    }

    fn gap(self) -> u16 {
        if matches!(self, Self::Short { .. } | Self::Narrow { .. }) { 1 } else { 2 }
    }

    fn cells(self, row: &Row) -> Vec<Cell> {
        let id = if self.shortens_ids() { short_id(&row.id) } else { clean(&row.id) };
        let trace =
            if matches!(self, Self::Short { .. }) { short_id(&row.trace_id) } else { clean(&row.trace_id) };
        let sent = if self.is_whole() { time(&row.sent_at) } else { short_time(&row.sent_at) };
        let method = row.method.as_deref().unwrap_or("-");
        let result = Cell::new(clean(&row.result())).fg(colour(row));
        let cells = [
            Cell::new(id),
            Cell::new(trace),
            Cell::new(clean(&row.title())),
            Cell::new(clean(method)),
            result,
            Cell::new(sent),
            Cell::new(clean(&row.attempt())),
        ];
        self.columns().iter().map(|column| cells[*column].clone()).collect()
    }

    /// The attempts under the table's head.
    pub(super) fn with_head(self, rows: &[Row]) -> String {
        self.filled(rows).trim_fmt()
    }

    /// The attempts alone, to stand under a head that was printed before.
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

/// Green went well, yellow goes on, red is over.
fn colour(row: &Row) -> Color {
    match (row.succeeded(), row.is_settled() && row.next_attempt_at.is_none()) {
        (true, _) => Color::Green,
        (false, true) => Color::Red,
        (false, false) => Color::Yellow,
    }
}

/// Says where the rest of the IDs is, where they were shortened.
pub(super) fn note_shortened(layout: Layout) {
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
    fn every_terminal_gets_a_table_that_fits() {
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
    fn ids_give_way_one_after_the_other() {
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
    fn without_a_terminal_an_attempt_is_one_whole_line() {
        let table = Layout::for_width(None, false).with_head(&[row()]);
        assert_eq!(table.lines().count(), 2);
        assert!(table.contains("Core banking: payment posted and reversed  POST"), "{table}");
    }

    #[test]
    fn rows_that_arrive_later_stand_under_the_same_head() {
        for width in [None, Some(80)] {
            let layout = Layout::for_width(width, true);
            let whole = layout.with_head(&[row()]);
            assert!(whole.ends_with(&layout.without_head(&[row()])));
            assert!(!layout.without_head(&[row()]).contains("Event Title"));
        }
    }
}
