//! Export: a list or a report as CSV or NDJSON, for whoever sends `Accept: text/csv` or `Accept: application/x-ndjson`.
//!
//! An answer is streamed to the end of the list, page after page as its caller reads; an error on the way breaks the body off,
//! so that nobody takes a part for the whole. Where an answer is bounded (with a `limit`, on Lambda, see [`BoundedExports`], and to
//! a caller below HTTP/1.1, who cannot tell that a body broke off), it holds one part, and its `Link` header (RFC 8288) names the
//! next one. A part of a filtered list ends with the first read that was not full; so it may have no row, and yet a next part.

mod columns;
mod encoding;
mod requested;

use std::future::Future;
use std::io;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderValue, StatusCode, Uri, header};
use serde::Serialize;

pub(in crate::api) use self::columns::{
    ATTEMPT_COLUMNS, DELIVERY_COLUMNS, EVENT_COLUMNS, JOB_ITEM_COLUMNS, REPORT_COLUMNS,
};
use self::encoding::Encoder;
pub(crate) use self::encoding::ExportFormat;
pub(in crate::api) use self::requested::RequestedExport;
pub(crate) use self::requested::is_bounded;
use super::problem::Problem;

/// How many rows are read at once.
const ROWS_PER_READ: usize = 500;
/// A bounded answer has at most so many rows.
pub(crate) const MAX_ROWS_PER_PART: usize = 5000;
/// A bounded answer ends with the row that makes it as long as this. A function's answer may have 6 MB, in which the body
/// is a text of JSON, with its quotes escaped.
const MAX_PART_BYTES: usize = 3 << 20;

/// The extension of a request whose answer cannot be streamed: it holds a part of the list.
#[derive(Debug, Clone, Copy)]
pub struct BoundedExports;

/// An export of a list.
pub(in crate::api) struct Export {
    encoder: Encoder,
    /// How many rows the answer may have; none is all of them.
    max_rows: Option<usize>,
    uri: Uri,
}

/// Rows, each with its position in the list, and where the list goes on.
pub(in crate::api) struct ExportPage<R, C> {
    rows: Vec<(C, R)>,
    /// None at the end of the list.
    next: Option<C>,
}

impl<R, C> ExportPage<R, C> {
    pub(in crate::api) fn new(rows: impl IntoIterator<Item = (C, R)>, next: Option<C>) -> Self {
        Self { rows: rows.into_iter().collect(), next }
    }
}

impl Export {
    /// The answer: rows from `start` on. `read` gives at most so many rows from a position on, and `cursor` makes the text of
    /// a position.
    ///
    /// # Errors
    ///
    /// The first rows could not be read.
    pub(in crate::api) async fn respond<R, C, F, Reading>(
        self,
        start: Option<C>,
        read: F,
        cursor: fn(C) -> String,
    ) -> Result<Response, Problem>
    where
        R: Serialize + Send + 'static,
        C: Clone + Send + 'static,
        F: Fn(Option<C>, usize) -> Reading + Send + 'static,
        Reading: Future<Output = Result<ExportPage<R, C>, Problem>> + Send + 'static,
    {
        match self.max_rows {
            Some(max_rows) => self.part(max_rows, start, read, cursor).await,
            None => self.whole(start, read).await,
        }
    }

    async fn part<R: Serialize, C: Clone, Reading>(
        self,
        max_rows: usize,
        start: Option<C>,
        read: impl Fn(Option<C>, usize) -> Reading,
        cursor: fn(C) -> String,
    ) -> Result<Response, Problem>
    where
        Reading: Future<Output = Result<ExportPage<R, C>, Problem>>,
    {
        let encoder = self.encoder;
        let mut body = encoder.header()?;
        let (mut position, mut rows) = (start, 0);
        let next = loop {
            let wanted = ROWS_PER_READ.min(max_rows - rows);
            let page = read(position, wanted).await?;
            let (last, mut cut) = (page.rows.len(), None);
            for (index, (of_row, row)) in page.rows.iter().enumerate() {
                body.extend(encoder.row(row)?);
                rows += 1;
                if body.len() >= MAX_PART_BYTES && index + 1 < last {
                    cut = Some(of_row.clone());
                    break;
                }
            }
            let next = cut.or(page.next);
            // A read that is not full looked at as many items as one may. More of them could take longer than an answer may.
            if next.is_none() || last < wanted || rows >= max_rows || body.len() >= MAX_PART_BYTES {
                break next;
            }
            position = next;
        };
        let mut response = response(encoder.format, Body::from(body));
        if let Some(link) = next.and_then(|next| link(&self.uri, &cursor(next))) {
            response.headers_mut().insert(header::LINK, link);
        }
        Ok(response)
    }

    async fn whole<R, C, F, Reading>(self, start: Option<C>, read: F) -> Result<Response, Problem>
    where
        R: Serialize + Send + 'static,
        C: Clone + Send + 'static,
        F: Fn(Option<C>, usize) -> Reading + Send + 'static,
        Reading: Future<Output = Result<ExportPage<R, C>, Problem>> + Send + 'static,
    {
        let encoder = self.encoder;
        let mut head = encoder.header()?;
        let first = read(start, ROWS_PER_READ).await?;
        encode_all(encoder, &first.rows, &mut head)?;
        // What is sent next, and where it goes on after it.
        let beginning = (Some(head), first.next, read);
        let body = stream::try_unfold(beginning, move |(ready, next, read)| async move {
            if let Some(ready) = ready {
                return Ok(Some((ready, (None, next, read))));
            }
            let Some(position) = next else { return Ok::<_, io::Error>(None) };
            let broken_off = |_: Problem| io::Error::other("the list could not be read to its end");
            let page = read(Some(position), ROWS_PER_READ).await.map_err(broken_off)?;
            let mut lines = Vec::new();
            encode_all(encoder, &page.rows, &mut lines).map_err(io::Error::other)?;
            Ok(Some((lines, (None, page.next, read))))
        });
        Ok(response(encoder.format, Body::from_stream(body)))
    }
}

fn encode_all<R: Serialize, C>(
    encoder: Encoder,
    rows: &[(C, R)],
    into: &mut Vec<u8>,
) -> Result<(), csv::Error> {
    for (_, row) in rows {
        into.extend(encoder.row(row)?);
    }
    Ok(())
}

/// The answer with all rows, for what has no pages.
///
/// # Errors
///
/// A row could not be encoded.
pub(in crate::api) fn rows(
    (format, columns): (ExportFormat, &'static [&'static str]),
    rows: &[impl Serialize],
) -> Result<Response, Problem> {
    let encoder = Encoder { format, columns };
    let mut body = encoder.header()?;
    for row in rows {
        body.extend(encoder.row(row)?);
    }
    Ok(response(format, Body::from(body)))
}

fn response(format: ExportFormat, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept"),
    ];
    (headers, body).into_response()
}

/// The link to the same list from a cursor on. It is relative to the request, whatever stage a gateway puts before its path.
fn link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let others = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(others.filter(|(name, _)| name != "cursor")).append_pair("cursor", cursor);
    HeaderValue::from_str(&format!("<?{}>; rel=\"next\"", query.finish())).ok()
}

/// An answer in JSON, of a list that has other formats too.
pub(in crate::api) fn json(list: &impl Serialize) -> Response {
    let mut response = super::response::json(StatusCode::OK, list);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

impl From<csv::Error> for Problem {
    /// A row could not be encoded.
    fn from(error: csv::Error) -> Self {
        tracing::error!(%error, "api.unserializable");
        Self::internal()
    }
}

#[cfg(test)]
mod tests;
