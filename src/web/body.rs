//! Reading a body to its end, up to a limit.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::timeout;

/// What of a body beyond its limit is still read, so that its sender hears the answer instead of a reset.
const DRAINED: usize = 8 << 20;

/// A body of which nothing came for this long is given up.
const STALLED: Duration = Duration::from_secs(30);

/// Why a body was not read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unread {
    TooLarge,
    Stalled,
    Broken,
}

/// Reads a body of at most so many bytes.
pub(crate) async fn read(mut body: Body, limit: usize) -> Result<Bytes, Unread> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > limit + DRAINED) {
        return Err(Unread::TooLarge);
    }
    loop {
        let Ok(frame) = timeout(STALLED, body.frame()).await else { return Err(Unread::Stalled) };
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Unread::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > limit + DRAINED {
            break;
        }
        if length <= limit {
            bytes.extend_from_slice(&data);
        }
    }
    if length > limit { Err(Unread::TooLarge) } else { Ok(bytes.freeze()) }
}
