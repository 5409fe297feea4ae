//! The keep-alive rule: which connections are kept for another request, and for how long.
//!
//! # The rule
//!
//! A connection is kept when its response was read to its end, the receiver has taken the whole request and did not say
//! `connection: close`, and the head of the response conforms to RFC 9112. It ends after a minute or a thousand requests
//! ([`ConnectionLimits`]), so that the name is looked up again however busy it is, in case it points elsewhere now. It
//! ends at once after a failure, a 5xx included, so that the next attempt looks the name up and may reach another
//! address.
//!
//! An idle connection is closed after four seconds, before the five seconds after which common servers (Node.js, Apache)
//! close it: a request written to a connection that is just being closed is lost. Where a receiver says how long it waits
//! (`keep-alive: timeout=`), that holds, less [`KEEP_ALIVE_MARGIN`].
//!
//! This module has the limits, and reads what a response says. The pool applies them.

use std::time::Duration;

use http::{
    HeaderMap, StatusCode, Version,
    header::{CONNECTION, HeaderName},
};

/// How long connections last, and how many are idle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) max_age: Duration,
    pub(crate) max_requests: u32,
    pub(crate) max_idle_time: Duration,
    /// For the end of a connection that is closed: TLS sends its `close_notify`, and a receiver may not read that.
    pub(crate) shutdown_timeout: Duration,
    /// How many are idle at once, over all origins. Where file descriptors run out before, all idle ones are closed.
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

/// By how much the receiver may close a connection earlier than it said.
const KEEP_ALIVE_MARGIN: Duration = Duration::from_secs(1);

/// For how long a connection may be idle after a response with this head, as far as the receiver says; none if it must not
/// be used again. Persistence is that of RFC 9112, section 9.3; `keep-alive` is described in RFC 2068, section 19.7.1.1.
pub(crate) fn receiver_idle_time(
    status: StatusCode,
    version: Version,
    headers: &HeaderMap,
) -> Option<Duration> {
    let connection_has = |token| has_token(headers, &CONNECTION, token);
    let persistent =
        if version >= Version::HTTP_11 { !connection_has("close") } else { connection_has("keep-alive") };
    if status.is_server_error() || !persistent {
        return None;
    }
    let (timeout, accepts_more) = parse_keep_alive(headers);
    let idle_time = timeout.map_or(Some(Duration::MAX), |timeout| timeout.checked_sub(KEEP_ALIVE_MARGIN))?;
    (!idle_time.is_zero() && accepts_more).then_some(idle_time)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// What `keep-alive` says: how long the receiver waits for another request, and whether it accepts one at all.
fn parse_keep_alive(headers: &HeaderMap) -> (Option<Duration>, bool) {
    let (mut timeout, mut accepts_more) = (None, true);
    let values = headers.get_all("keep-alive").into_iter().filter_map(|value| value.to_str().ok());
    for parameter in values.flat_map(|value| value.split([',', ';'])) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let Ok(number) = value.trim().trim_matches('"').parse::<u32>() else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "timeout" => timeout = Some(Duration::from_secs(number.into())),
            "max" => accepts_more &= number > 0,
            _ => {}
        }
    }
    (timeout, accepts_more)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The idle time where the receiver sets no limit.
    const UNLIMITED_SECONDS: Option<u64> = Some(Duration::MAX.as_secs());

    fn idle_seconds(status: u16, version: Version, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let status = StatusCode::from_u16(status).expect("a status");
        receiver_idle_time(status, version, &headers.collect()).map(|idle_time| idle_time.as_secs())
    }

    #[test]
    fn the_idle_time_is_the_receivers_keep_alive_timeout_less_a_margin() {
        for (keep_alive, seconds) in [
            ("timeout=1", None),
            ("timeout=0", None),
            ("timeout=2", Some(1)),
            ("timeout=5, max=1000", Some(4)),
            ("max=100, Timeout = 3", Some(2)),
            ("timeout=600", Some(599)),
            ("timeout=\"2\"", Some(1)),
            ("max=0", None),
            ("max=1", UNLIMITED_SECONDS),
            ("timeout=soon", UNLIMITED_SECONDS),
            ("", UNLIMITED_SECONDS),
        ] {
            assert_eq!(
                idle_seconds(200, Version::HTTP_11, &[("keep-alive", keep_alive)]),
                seconds,
                "{keep_alive}"
            );
        }
    }

    #[test]
    fn a_connection_is_not_reused_after_close_or_a_server_error() {
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[]), UNLIMITED_SECONDS);
        assert_eq!(idle_seconds(404, Version::HTTP_11, &[]), UNLIMITED_SECONDS);
        assert_eq!(idle_seconds(500, Version::HTTP_11, &[]), None);
        assert_eq!(idle_seconds(503, Version::HTTP_11, &[]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[("connection", "Close")]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_11, &[("connection", "x, close")]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_10, &[]), None);
        assert_eq!(idle_seconds(200, Version::HTTP_10, &[("connection", "keep-alive")]), UNLIMITED_SECONDS);
    }
}
