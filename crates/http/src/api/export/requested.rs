//! Export as a request asks for it: the format, and whether its answer is bounded.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Uri, Version};

use super::encoding::{Encoder, ExportFormat};
use super::{BoundedExports, Export, MAX_ROWS_PER_PART};

/// What a request says of an export.
pub(in crate::api) struct RequestedExport {
    /// None where JSON is asked for: no export.
    pub(super) format: Option<ExportFormat>,
    pub(super) bounded: bool,
    /// Of the request: the link to the next part is made of it.
    pub(super) uri: Uri,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestedExport {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let format = ExportFormat::asked_for(&parts.headers);
        Ok(Self { format, bounded: is_bounded(parts), uri: parts.uri.clone() })
    }
}

/// Whether the answer to a request holds one part of a list.
pub(crate) fn is_bounded(parts: &Parts) -> bool {
    // Below HTTP/1.1 a streamed body ends with its connection, also where it breaks off (RFC 9112, section 8).
    parts.extensions.get::<BoundedExports>().is_some() || parts.version < Version::HTTP_11
}

impl RequestedExport {
    /// That of a page, whose link says the format.
    pub(in crate::api) fn for_page(format: ExportFormat, parts: &Parts) -> Self {
        Self { format: Some(format), bounded: is_bounded(parts), uri: parts.uri.clone() }
    }

    /// The format that is asked for; none is JSON.
    pub(in crate::api) const fn format(&self) -> Option<ExportFormat> {
        self.format
    }

    /// The export of a list with these columns, if one is asked for. `limit` is that of the query, if it has one.
    pub(in crate::api) fn of(self, columns: &'static [&'static str], limit: Option<usize>) -> Option<Export> {
        let max_rows = limit.or(self.bounded.then_some(MAX_ROWS_PER_PART));
        Some(Export { encoder: Encoder { format: self.format?, columns }, max_rows, uri: self.uri })
    }
}
