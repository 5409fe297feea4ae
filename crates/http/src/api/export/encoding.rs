//! Encoding of rows: CSV by RFC 4180, and NDJSON (one JSON value a line).
//!
//! A row is whatever serialises to a JSON object. In CSV it has one cell for each column; a column is the name of a member, or
//! names of nested members with dots between them. Null is an empty cell, a list is JSON in its cell. A text that a spreadsheet
//! would run as a formula begins with an apostrophe.

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::api::request::accept::instead_of_json;

const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";

/// Characters at the beginning of a text by which spreadsheets take it for a formula, or skip to one (OWASP, "CSV Injection").
const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    Csv,
    Ndjson,
}

impl ExportFormat {
    /// The format that a request accepts; none is JSON, as everything else is answered.
    pub(super) fn asked_for(headers: &HeaderMap) -> Option<Self> {
        match instead_of_json(headers, &[CSV, NDJSON])? {
            CSV => Some(Self::Csv),
            _ => Some(Self::Ndjson),
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => NDJSON,
        }
    }
}

/// What encodes the rows of one export.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoder {
    pub(super) format: ExportFormat,
    pub(super) columns: &'static [&'static str],
}

impl Encoder {
    /// What comes before the first row: the header line of CSV.
    pub(super) fn header(&self) -> Result<Vec<u8>, csv::Error> {
        match self.format {
            ExportFormat::Csv => record(self.columns),
            ExportFormat::Ndjson => Ok(Vec::new()),
        }
    }

    /// One row, with the end of its line.
    pub(super) fn row(&self, row: &impl Serialize) -> Result<Vec<u8>, csv::Error> {
        match self.format {
            ExportFormat::Csv => {
                let row = serde_json::to_value(row).map_err(std::io::Error::from)?;
                record(self.columns.iter().map(|column| cell(&row, column)))
            }
            ExportFormat::Ndjson => {
                let mut line = serde_json::to_vec(row).map_err(std::io::Error::from)?;
                line.push(b'\n');
                Ok(line)
            }
        }
    }
}

/// A line of CSV.
fn record<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The cell of a column.
fn cell(row: &Value, column: &str) -> String {
    let value = column.split('.').try_fold(row, |value, name| value.get(name));
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(FORMULA_STARTS) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[&str] = &["title", "last.code", "last.list", "more"];

    fn csv(row: &Value) -> String {
        let encoder = Encoder { format: ExportFormat::Csv, columns: COLUMNS };
        String::from_utf8(encoder.row(row).expect("a row")).expect("UTF-8")
    }

    #[test]
    fn values_by_table() {
        for (title, written) in [
            (json!("Core, \"new\"\r\nline"), "\"Core, \"\"new\"\"\r\nline\""),
            (json!("=1+1"), "'=1+1"),
            (json!("+1"), "'+1"),
            (json!("-1"), "'-1"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\t=1"), "'\t=1"),
            (json!("\r=1"), "\"'\r=1\""),
            (json!("=\"a\",1"), "\"'=\"\"a\"\",1\""),
            (json!("a=1"), "a=1"),
            (json!(-1.5), "-1.5"),
            (json!(true), "true"),
            (json!(null), ""),
            (json!("né"), "né"),
        ] {
            assert_eq!(csv(&json!({ "title": title })), format!("{written},,,\r\n"), "{title}");
        }
    }

    #[test]
    fn nested_members_have_dotted_columns_and_lists_are_json() {
        let row = json!({"title": "a", "last": {"code": 503, "list": [{"b": "=1"}]}, "more": {"c": null}});
        assert_eq!(csv(&row), "a,503,\"[{\"\"b\"\":\"\"=1\"\"}]\",\"{\"\"c\"\":null}\"\r\n");
        assert_eq!(csv(&json!({"title": "a", "last": null})), "a,,,\r\n");
    }

    #[test]
    fn the_header_line_names_the_columns_and_ndjson_has_none() {
        let [csv, ndjson] =
            [ExportFormat::Csv, ExportFormat::Ndjson].map(|format| Encoder { format, columns: COLUMNS });
        assert_eq!(csv.header().expect("a header"), b"title,last.code,last.list,more\r\n");
        assert_eq!(ndjson.header().expect("no header"), b"");
        assert_eq!(ndjson.row(&json!({"title": "=1\n"})).expect("a row"), b"{\"title\":\"=1\\n\"}\n");
    }

    #[test]
    fn the_format_is_what_the_caller_accepts() {
        for (accept, format) in [
            ("text/csv", Some(ExportFormat::Csv)),
            ("application/x-ndjson", Some(ExportFormat::Ndjson)),
            ("application/json", None),
            ("*/*", None),
        ] {
            let headers = HeaderMap::from_iter([(http::header::ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(ExportFormat::asked_for(&headers), format, "{accept}");
        }
    }
}
