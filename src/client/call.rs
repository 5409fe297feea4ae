//! One call of the HTTP interface: a method, a path, a query and a body. Segments of the path are percent-encoded here.

use bytes::Bytes;
use reqwest::Method;
use url::Url;

use crate::error::{CommandError, CommandResult};

#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) idempotency_key: Option<String>,
    /// The media type of the response, where it is not JSON.
    pub(super) accept: Option<&'static str>,
    /// The version of a subscription that the call may change, no other.
    pub(super) expected_version: Option<u64>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(ToString::to_string).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            accept: None,
            expected_version: None,
        }
    }

    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &[&str]) -> Self {
        Self::new(Method::POST, path)
    }

    /// Adds a parameter, if there is a value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Adds a parameter in place of any other of that name.
    pub(crate) fn replace_query(mut self, name: &'static str, value: String) -> Self {
        self.query.retain(|(other, _)| *other != name);
        self.query.push((name, value));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub(crate) fn idempotency_key(mut self, key: String) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// The media type of the response, where it is not JSON.
    pub(crate) const fn media_type(&self) -> Option<&'static str> {
        self.accept
    }

    pub(crate) fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = Some(media_type);
        self
    }

    /// Changes this version of a subscription only.
    pub(crate) fn expect_version(self, version: Option<u64>) -> Self {
        Self { expected_version: version, ..self }
    }

    /// The URL of the call below `base`, which may have a path of its own (the stage of a gateway).
    ///
    /// # Errors
    ///
    /// A segment of the path is empty, `.` or `..`.
    pub(super) fn url(&self, base: &Url) -> CommandResult<Url> {
        let mut url = base.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Some(segment) = self.path.iter().find(|segment| matches!(segment.as_str(), "" | "." | "..")) {
            // With such a segment the path would name another resource.
            return Err(CommandError::Message(format!("`{segment}` is not an ID")));
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::Call;

    fn url(base: &str, call: &Call) -> Option<String> {
        call.url(&Url::parse(base).ok()?).ok().map(String::from)
    }

    #[test]
    fn segments_and_parameters_are_encoded_below_the_base() {
        let call = Call::get(&["v1", "loans", "A 7/é?", "webhooks"])
            .query("eventTitle", Some("Core & more"))
            .query("limit", None::<u32>);
        assert_eq!(
            url("https://api.example.com/prod/", &call).as_deref(),
            Some("https://api.example.com/prod/v1/loans/A%207%2F%C3%A9%3F/webhooks?eventTitle=Core+%26+more")
        );
        assert_eq!(
            url("http://127.0.0.1:8080", &Call::get(&["v1", "keys"])).as_deref(),
            Some("http://127.0.0.1:8080/v1/keys")
        );
    }

    #[test]
    fn a_segment_that_would_name_another_resource_is_refused() {
        for segment in ["", ".", ".."] {
            assert_eq!(url("http://127.0.0.1", &Call::get(&["v1", "loans", segment, "webhooks"])), None);
        }
    }
}
