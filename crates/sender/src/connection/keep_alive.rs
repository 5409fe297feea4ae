//! The rule of which connections are kept for another request, and for how long.
//!
//! # The rule
//!
//! A connection is kept when its answer was read to its end, the receiver has taken the whole request and did not say
//! `connection: close`, and the answer's head was of today's grammar. It ends after a minute or a thousand requests
//! ([`Limits`]), so that a name that was pointed elsewhere is looked up again however busy it is; it ends at once after
//! a failure, a 5xx included, so that the next attempt looks the name up and may reach another address.
//!
//! An idle one is closed after four seconds, below the five seconds after which common servers (Node.js, Apache) hang up:
//! a request written into a connection that is just being closed is lost. A receiver that says how long it waits
//! (`keep-alive: timeout=`) is taken at its word, less [`MARGIN`].

use std::time::Duration;

use http::{
    HeaderMap, StatusCode, Version,
    header::{CONNECTION, HeaderName},
};

/// How long a connection lasts, and how many wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) max_age: Duration,
    pub(crate) max_requests: u32,
    /// Without a request.
    pub(crate) max_idle_time: Duration,
    /// For the end of a connection, once it is given up: TLS says farewell, and a receiver may not take that.
    pub(crate) shutdown_timeout: Duration,
    /// How many wait in all. Where descriptors run out before, all that wait are closed.
    pub(crate) max_idle_connections: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(60),
            max_requests: 1000,
            max_idle_time: Duration::from_secs(4),
            shutdown_timeout: Duration::from_secs(5),
            max_idle_connections: 1024,
        }
    }
}

/// What the receiver's end of a connection may be late or early by.
const KEEP_ALIVE_MARGIN: Duration = Duration::from_secs(1);

/// For how long a connection may be idle after this answer, as far as the receiver says; none if it is not to be used
/// again.
pub(crate) fn allowed_idle_time(
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
) -> Option<Duration> {
    let says = |token| has_token(headers, &CONNECTION, token);
    let persistent = if version >= Version::HTTP_11 { !says("close") } else { says("keep-alive") };
    if status.is_server_error() || !persistent {
        return None;
    }
    let (timeout, more) = parse_keep_alive(headers);
    let idle = timeout.map_or(Some(Duration::MAX), |timeout| timeout.checked_sub(KEEP_ALIVE_MARGIN))?;
    (!idle.is_zero() && more).then_some(idle)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// What `keep-alive` says: how long the receiver waits for another request, and whether it takes one at all.
fn parse_keep_alive(headers: &HeaderMap) -> (Option<Duration>, bool) {
    let (mut timeout, mut more) = (None, true);
    let values = headers.get_all("keep-alive").into_iter().filter_map(|value| value.to_str().ok());
    for parameter in values.flat_map(|value| value.split([',', ';'])) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let Ok(number) = value.trim().trim_matches('"').parse::<u32>() else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "timeout" => timeout = Some(Duration::from_secs(number.into())),
            "max" => more &= number > 0,
            _ => {}
        }
    }
    (timeout, more)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// What the receiver sets no limit to.
    const LONG: Option<u64> = Some(Duration::MAX.as_secs());

    fn idle_seconds(status: u16, version: Version, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).expect("a status");
        allowed_idle_time(status, version, &headers.collect()).map(|idle| idle.as_secs())
    }

    #[test]
    fn the_idle_time_is_the_receivers_keep_alive_timeout_less_a_margin() {
        for (said, idle) in [
            ("timeout=1", None),
            ("timeout=0", None),
            ("timeout=2", Some(1)),
            ("timeout=5, max=1000", Some(4)),
            ("max=100, Timeout = 3", Some(2)),
            ("timeout=600", Some(599)),
            ("timeout=\"2\"", Some(1)),
            ("max=0", None),
            ("max=1", LONG),
            ("timeout=soon", LONG),
            ("", LONG),
        ] {
            assert_eq!(idle_seconds(200, Version::HTTP_11, &[("keep-alive", said)]), idle, "{said}");
        }
    }

    #[test]
    fn a_connection_is_not_reused_after_close_or_a_server_error() {
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[]), LONG);
        assert_eq!(idle_seconds(404, Version::HTTP_11, &[]), LONG);
        assert_eq!(idle_seconds(500, Version::HTTP_11, &[]), None);
        assert_eq!(idle_seconds(503, Version::HTTP_11, &[]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[("connection", "Close")]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[("connection", "x, close")]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_10, &[]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_10, &[("connection", "keep-alive")]), LONG);
    }
}
