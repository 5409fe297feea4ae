//! Bodies of a connection's requests and responses, which report to the connection when they were passed on completely.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::connection_state::ConnectionState;
use super::connection_stream::ResponseProgress;

/// The body of a request. It reports when it is read, or when nobody wants the rest of it.
pub(super) struct RequestBody {
    body: Incoming,
    state: Arc<ConnectionState>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, state: Arc<ConnectionState>) -> Self {
        if body.is_end_stream() {
            state.set_body_read();
        }
        Self { body, state }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.state.set_body_read();
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.state.set_body_read();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response. The HTTP layer drops it when it has taken all of it.
pub(super) struct ResponseBody {
    body: Body,
    progress: Arc<ResponseProgress>,
}

impl ResponseBody {
    pub(super) fn new(body: Body, progress: Arc<ResponseProgress>) -> Self {
        Self { body, progress }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.progress.complete();
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
