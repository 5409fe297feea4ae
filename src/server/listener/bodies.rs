//! Bodies of a connection's requests and answers, which tell the connection when all of them was handed on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};

use super::connection_state::ConnectionState;
use super::connection_stream::Answering;

/// The body of a request. It tells once it is read, or once nobody wants the rest of it.
pub(super) struct Asked {
    body: Incoming,
    state: Arc<ConnectionState>,
}

impl Asked {
    pub(super) fn new(body: Incoming, state: Arc<ConnectionState>) -> Self {
        if body.is_end_stream() {
            state.body_is_read();
        }
        Self { body, state }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.state.body_is_read();
    }
}

impl HttpBody for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.state.body_is_read();
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

/// The body of an answer.
pub(super) struct Answer {
    body: Body,
    answering: Arc<Answering>,
}

impl Answer {
    pub(super) fn new(body: Body, answering: Arc<Answering>) -> Self {
        Self { body, answering }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.answering.is_whole();
    }
}

impl HttpBody for Answer {
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
