//! Problem documents (`application/problem+json`, RFC 9457), with which loanhook refuses, as one line.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::terminal::format::clean;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    title: String,
    detail: String,
    errors: Vec<ValidationError>,
}

#[derive(Debug, Deserialize)]
struct ValidationError {
    #[serde(default)]
    pointer: String,
    detail: String,
}

impl Problem {
    /// `body` may be anything: a gateway may have answered instead of loanhook.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        let mut problem = serde_json::from_slice(body).unwrap_or_else(|_| Self {
            detail: "this is no answer of loanhook's; is the address right?".to_owned(),
            ..Self::default()
        });
        problem.status = status;
        if problem.title.is_empty() {
            let status = StatusCode::from_u16(status).ok();
            problem.title =
                status.and_then(|status| status.canonical_reason()).unwrap_or("Refused").to_owned();
        }
        problem
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, clean(&self.title))?;
        if !self.detail.is_empty() {
            write!(f, ": {}", clean(&self.detail))?;
        }
        // A single validation error is the detail.
        let errors = if self.errors.len() > 1 { &*self.errors } else { &[] };
        for (index, error) in errors.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { "; " })?;
            if !error.pointer.is_empty() {
                write!(f, "{}: ", clean(&error.pointer))?;
            }
            f.write_str(&clean(&error.detail))?;
        }
        if !errors.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// The wait that `Retry-After` asks for, in seconds or as an HTTP date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok())
}

#[cfg(test)]
mod tests {
    use super::Problem;

    #[test]
    fn a_problem_is_one_line() {
        let body = br#"{"type": "about:blank", "title": "Unprocessable", "status": 422, "detail": "The subscription\nis not valid.",
            "errors": [{"pointer": "/request/url", "detail": "must be an URL"}, {"pointer": "/title", "detail": "is missing"}]}"#;
        assert_eq!(
            Problem::new(422, body).to_string(),
            "422 Unprocessable: The subscription is not valid. (/request/url: must be an URL; /title: is missing)"
        );
    }

    #[test]
    fn a_body_that_is_no_problem_document_is_named_by_its_status() {
        assert_eq!(
            Problem::new(502, b"<html>").to_string(),
            "502 Bad Gateway: this is no answer of loanhook's; is the address right?"
        );
    }
}
