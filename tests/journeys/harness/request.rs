//! A request to the API, built step by step and sent with retries where the server asks for them.

use std::time::Instant;

use serde_json::Value;

use super::response::ApiResponse;
use super::wait::{deadline, pause};

/// A request that is not sent yet.
pub(crate) struct ApiRequest {
    request: reqwest::RequestBuilder,
    /// At an external server all callers have one address and share its rate limits.
    is_external: bool,
}

impl ApiRequest {
    pub(super) fn new(request: reqwest::RequestBuilder, is_external: bool) -> Self {
        Self { request, is_external }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// These bytes, with the content type of JSON.
    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.header("content-type", "application/json").bytes(body)
    }

    /// These bytes, without a content type.
    pub(crate) fn bytes(self, body: impl Into<reqwest::Body>) -> Self {
        Self { request: self.request.body(body), ..self }
    }

    /// Sends the request and returns the response. Where that asks for a later retry, or is what a gateway answers in
    /// place of a busy function, the request is sent again after a while, as any caller would.
    pub(crate) async fn send(self) -> ApiResponse {
        let start = Instant::now();
        let is_external = self.is_external;
        let mut request = self;
        for tries in 0_u32.. {
            let same = request.request.try_clone();
            let response = request.try_send().await;
            let response = response.unwrap_or_else(|error| panic!("the API gave no response: {error:?}"));
            match same {
                Some(same) if response.is_retryable(is_external) && start.elapsed() < deadline() => {
                    pause(response.retry_delay(tries)).await;
                    request = Self::new(same, is_external);
                }
                _ => return response,
            }
        }
        unreachable!("it is sent again until the deadline")
    }

    /// Sends the request once; an error where the server died before it answered.
    pub(crate) async fn try_send(self) -> reqwest::Result<ApiResponse> {
        let response = self.request.send().await?;
        let url = response.url().to_string();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(ApiResponse { url, status, headers, body: response.bytes().await?.to_vec() })
    }
}
