//! A response of the API, and what a test expects of it.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::json_values::text;

#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(super) url: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl ApiResponse {
    /// Whether the same request may succeed a little later: 503 of loanhook or of a gateway, and, at an external server,
    /// 429 too, since all callers have one address there and share its rate limits.
    pub(super) fn is_retryable(&self, is_external: bool) -> bool {
        self.status == 503 || (is_external && self.status == 429)
    }

    /// What `Retry-After` says, else a delay that doubles with each try.
    pub(super) fn retry_delay(&self, tries: u32) -> Duration {
        let wait = self.header("retry-after").parse().ok().map(Duration::from_secs);
        wait.unwrap_or_else(|| Duration::from_millis(200) * 2_u32.pow(tries.min(4)))
    }

    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        let Self { url, status: got, body, .. } = &self;
        assert_eq!(*got, status, "{url} answered {}", String::from_utf8_lossy(body));
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|no_json| panic!("{}: {no_json}: {self:?}", self.url))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A problem of RFC 9457 with this status: every error of the API is one.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16) -> Value {
        let answer = self.expect_status(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        let problem = answer.json();
        for field in ["type", "title", "detail"] {
            assert!(!text(&problem[field]).is_empty(), "a problem has a {field}: {problem}");
        }
        assert_eq!(problem["status"], status, "{problem}");
        problem
    }

    /// A 422 whose errors have these JSON pointers, and no others, in any order.
    #[track_caller]
    pub(crate) fn expect_errors_at(self, pointers: &[&str]) {
        let problem = self.expect_problem(422);
        let errors =
            problem["errors"].as_array().unwrap_or_else(|| panic!("validation lists errors: {problem}"));
        assert_eq!(errors.len(), pointers.len(), "{problem}");
        for pointer in pointers {
            assert!(errors.iter().any(|error| is_about(error, pointer)), "{pointer}: {problem}");
        }
    }
}

/// Whether an error has this pointer. One about a missing member may point at its parent and name the member.
fn is_about(error: &Value, pointer: &str) -> bool {
    let (found, detail) = (text(&error["pointer"]), text(&error["detail"]));
    let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
    !detail.is_empty()
        && (found == pointer || found == parent && detail.contains("missing") && detail.contains(member))
}
