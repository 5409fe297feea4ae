//! The HTTP response: the status, and what is kept of headers and body.

use loanhook_core::ports::ReceivedResponse;

/// A response, or what arrived of one.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: u16,
    /// Headers in lower case, whose values are read as UTF-8, or else as Latin-1, up to
    /// [`MAX_HEADER_BYTES`](super::response_reader::MAX_HEADER_BYTES). The body as it came, never decompressed, up to
    /// [`MAX_BODY_BYTES`](super::response_reader::MAX_BODY_BYTES).
    pub(crate) received: ReceivedResponse,
}
