//! One call: a method on a path, made of segments that are percent-encoded here.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use url::Url;

use super::Client;
use crate::Outcome;
use crate::error::Failure;
use crate::terminal::output;

/// The waits between tries of a call that may safely be repeated.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// An answer that asks for a longer wait is reported instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(crate) struct Call {
    pub(super) method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) idempotency_key: Option<String>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(ToString::to_string).collect();
        Self { method, path, query: Vec::new(), body: None, idempotency_key: None }
    }

    pub(crate) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &[&str]) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Gives this value in the place of any other of that name.
    pub(crate) fn query_instead(mut self, name: &'static str, value: String) -> Self {
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

    /// The call's address below the base, which may have a path of its own (a gateway's stage).
    pub(super) fn url(&self, base: &Url) -> Outcome<Url> {
        let mut url = base.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Some(segment) = self.path.iter().find(|segment| matches!(segment.as_str(), "" | "." | "..")) {
            // Such a segment would silently name another resource.
            return Err(Failure::Message(format!("`{segment}` is not an ID")));
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }

    /// Makes the call, and again after a pause while the failure may pass. Only for calls whose
    /// repetition does no harm: reads, and those with idempotency keys.
    pub(crate) async fn patiently(&self, client: &Client) -> Outcome<Bytes> {
        for (retries, pause) in PAUSES.into_iter().enumerate() {
            let failure = match client.ask(self).await {
                Err(failure) if failure.is_passing() => failure,
                outcome => return outcome,
            };
            let pause = failure.retry_after().unwrap_or_default().max(pause);
            if pause > LONGEST_PAUSE {
                return Err(failure);
            }
            if retries == 0 {
                output::note(format_args!("{failure}; trying again"));
            }
            tokio::time::sleep(pause).await;
        }
        client.ask(self).await
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
    fn segments_and_filters_are_encoded_below_the_base() {
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
    fn a_segment_never_leads_elsewhere() {
        for segment in ["", ".", ".."] {
            assert_eq!(url("http://127.0.0.1", &Call::get(&["v1", "loans", segment, "webhooks"])), None);
        }
    }
}
