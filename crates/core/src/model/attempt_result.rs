//! Result of an attempt, as far as the schedule goes.

use std::time::Duration;

use super::attempt::Completion;
use super::failure::ErrorKind;
use super::time::Timestamp;

/// The result of an attempt, as far as the schedule goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptResult {
    Succeeded,
    /// The next attempt follows after this delay; none at the end of the schedule.
    Failed {
        retry_after: Option<Duration>,
    },
    /// A failure that would only be repeated.
    PermanentFailure,
    /// The attempt uses up no slot: the next one follows at once.
    Interrupted,
}

impl AttemptResult {
    /// The result of an attempt that is complete.
    pub(super) fn of(completion: &Completion) -> Self {
        if completion.succeeded() {
            return Self::Succeeded;
        }
        match completion.error().map(|error| error.kind) {
            Some(ErrorKind::Interrupted) => Self::Interrupted,
            Some(ErrorKind::Blocked | ErrorKind::Template) => Self::PermanentFailure,
            _ => Self::Failed { retry_after: retry_after(completion) },
        }
    }
}

/// What a 429 or 503 asks for (RFC 9110, 10.2.3): seconds or an HTTP date.
fn retry_after(completion: &Completion) -> Option<Duration> {
    let (Ok(429 | 503), Some(response)) = (&completion.result, &completion.response) else { return None };
    let (_, value) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    let since_epoch = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((Timestamp::from_millis(0) + since_epoch).since(completion.ended_at))
}

#[cfg(test)]
#[path = "attempt_result_tests.rs"]
mod tests;
