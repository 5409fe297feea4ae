//! What the API answered.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::rows::text;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(super) asked: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Nothing was done, and the same request may do it a little later: too many at once, of which loanhook says with
    /// `Retry-After` when to come again, and a gateway nothing. Elsewhere all callers have one address, and share what is
    /// allowed to it.
    pub(super) fn asks_to_come_again(&self, is_external: bool) -> bool {
        self.status == 503 || (is_external && self.status == 429)
    }

    pub(super) fn comes_again_after(&self, tries: u32) -> Duration {
        let told = self.header("retry-after").parse().ok().map(Duration::from_secs);
        told.unwrap_or_else(|| Duration::from_millis(200) * 2_u32.pow(tries.min(4)))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        let Self { asked, status: got, body, .. } = &self;
        assert_eq!(*got, status, "{asked} answered {}", String::from_utf8_lossy(body));
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|no_json| panic!("{}: {no_json}: {self:?}", self.asked))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A problem of RFC 9457 with this status, as the API promises every error to be.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        let problem = answer.json();
        for field in ["type", "title", "detail"] {
            assert!(!text(&problem[field]).is_empty(), "a problem has a {field}: {problem}");
        }
        assert_eq!(problem["status"], status, "{problem}");
        problem
    }

    /// A 422 that points at these places, and no other, in any order.
    #[track_caller]
    pub(crate) fn points_at(self, pointers: &[&str]) {
        let problem = self.problem(422);
        let errors =
            problem["errors"].as_array().unwrap_or_else(|| panic!("validation lists errors: {problem}"));
        assert_eq!(errors.len(), pointers.len(), "{problem}");
        for pointer in pointers {
            assert!(errors.iter().any(|error| is_about(error, pointer)), "{pointer}: {problem}");
        }
    }
}

/// Whether an error is about this place. One about a member that is missing may point at its parent and name it.
fn is_about(error: &Value, pointer: &str) -> bool {
    let (found, detail) = (text(&error["pointer"]), text(&error["detail"]));
    let (parent, member) = pointer.rsplit_once('/').unwrap_or_default();
    !detail.is_empty()
        && (found == pointer || found == parent && detail.contains("missing") && detail.contains(member))
}
