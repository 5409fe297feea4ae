//! The reader of request bodies: a body is read to its end, up to a limit of its length, within a time that grows with
//! what has arrived. A client that sends slowly on purpose cannot hold a request open.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

/// The time that every body may take, whatever its size.
const BASE_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// The rate that a body must arrive with beyond that time. A slower one is given up.
const MIN_BYTES_PER_SECOND: u32 = 64 << 10;

/// The limits of a body, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimit {
    /// The largest body that is read.
    pub(crate) max_bytes: usize,
    /// How much of a larger body is read and dropped, so that its sender gets the response instead of a reset.
    pub(crate) drained_bytes: usize,
}

impl BodyLimit {
    /// For callers whose key was checked.
    pub(crate) const fn for_authenticated_caller(bytes: usize) -> Self {
        Self { max_bytes: bytes, drained_bytes: 8 << 20 }
    }

    /// For everybody else: no byte beyond the limit is read.
    pub(crate) const fn for_anonymous_caller(bytes: usize) -> Self {
        Self { max_bytes: bytes, drained_bytes: 0 }
    }
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// It arrived too slowly.
    Stalled,
    /// The connection failed before its end.
    Broken,
}

/// The time that a body may take: a base, and more for what has arrived.
#[derive(Debug, Clone, Copy)]
struct ReadTimeout {
    base: Duration,
    min_bytes_per_second: u32,
}

impl ReadTimeout {
    fn after(self, length: usize) -> Duration {
        self.base + Duration::from_secs(u64::try_from(length).unwrap_or_default()) / self.min_bytes_per_second
    }
}

/// Reads a body to its end.
pub(crate) async fn read(body: Body, limit: BodyLimit) -> Result<Bytes, BodyError> {
    read_with_timeout(
        body,
        limit,
        ReadTimeout { base: BASE_READ_TIMEOUT, min_bytes_per_second: MIN_BYTES_PER_SECOND },
    )
    .await
}

async fn read_with_timeout(mut body: Body, limit: BodyLimit, pace: ReadTimeout) -> Result<Bytes, BodyError> {
    let begun = Instant::now();
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    let most = limit.max_bytes + limit.drained_bytes;
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > most) {
        return Err(BodyError::TooLarge);
    }
    loop {
        let frame = timeout_at(begun + pace.after(length), body.frame()).await;
        let Some(frame) = frame.map_err(|_| BodyError::Stalled)? else { break };
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > most {
            break;
        }
        if length <= limit.max_bytes {
            bytes.extend_from_slice(&data);
        }
    }
    if length > limit.max_bytes { Err(BodyError::TooLarge) } else { Ok(bytes.freeze()) }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    /// A body that never ends: a frame of so many bytes after each pause.
    fn endless(frame: usize, pause: Duration) -> Body {
        Body::from_stream(stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; frame])), ()))
        }))
    }

    #[test]
    fn a_larger_body_may_take_longer() {
        let pace = ReadTimeout { base: BASE_READ_TIMEOUT, min_bytes_per_second: MIN_BYTES_PER_SECOND };
        for (length, seconds) in [(0, 30), (1, 30), (64 << 10, 31), (4 << 20, 94)] {
            assert_eq!(pace.after(length).as_secs(), seconds, "{length}");
        }
    }

    #[tokio::test]
    async fn a_body_that_arrives_too_slowly_is_given_up() {
        let pace =
            ReadTimeout { base: Duration::from_millis(200), min_bytes_per_second: MIN_BYTES_PER_SECOND };
        let body = endless(1, Duration::from_millis(5));
        assert_eq!(
            read_with_timeout(body, BodyLimit::for_authenticated_caller(4 << 20), pace).await,
            Err(BodyError::Stalled)
        );
    }

    #[tokio::test]
    async fn an_anonymous_callers_body_is_not_read_beyond_the_limit() {
        let limit = BodyLimit::for_anonymous_caller(16);
        assert_eq!(read(Body::from(vec![b'x'; 17]), limit).await, Err(BodyError::TooLarge));
        assert_eq!(read(endless(17, Duration::from_millis(1)), limit).await, Err(BodyError::TooLarge));
        assert_eq!(read(Body::from(vec![b'x'; 16]), limit).await.map(|bytes| bytes.len()), Ok(16));
    }
}
