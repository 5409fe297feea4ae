//! A client of any loanhook, over its HTTP interface alone.

mod call;
mod problem;
mod responses;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect;
use serde::de::DeserializeOwned;
use url::{Host, Url};

pub(super) use call::Call;
pub(super) use problem::Problem;
use problem::retry_after;
pub(super) use responses::{Accepted, Delivery, Page, Payload, Row};

use crate::Outcome;
use crate::arguments::Remote;
use crate::error::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(60);

/// One loanhook, and the key that it knows us by.
pub(super) struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    pub(super) fn of(remote: &Remote) -> Outcome<Self> {
        let key = remote.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            "no key: give one with --key, or set LOANHOOK_KEY (`loanhook serve` prints an admin key at its first start)"
                .to_owned()
        })?;
        Self::new(remote.url.trim(), key)
    }

    pub(super) fn new(base: &str, key: &str) -> Outcome<Self> {
        let base = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                format!("`{base}` is not an address such as http://127.0.0.1:8080 (--url or LOANHOOK_URL)")
            })?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| "the key (--key or LOANHOOK_KEY) has characters that no key has".to_owned())?;
        authorization.set_sensitive(true);

        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("loanhook-cli/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if let Some(Host::Domain(name)) = base.host()
            && name.ends_with(".localhost")
        {
            // Local gateways name their APIs so, and not every resolver knows RFC 6761.
            builder = builder.resolve(name, SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
        }
        let http = builder.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self { base, http })
    }

    /// Reads a resource.
    pub(super) async fn get(&self, path: &[&str]) -> Outcome<Bytes> {
        self.ask(&Call::get(path)).await
    }

    /// Reads a resource as a value.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Outcome<T> {
        decode(&self.ask(call).await?)
    }

    /// Makes a call; what it answered, if that is a success.
    pub(super) async fn ask(&self, call: &Call) -> Outcome<Bytes> {
        let url = call.url(&self.base)?;
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            return Ok(body);
        }
        Err(Failure::Refused {
            status: status.as_u16(),
            retry_after: retry_after(&headers),
            line: Problem::of(status.as_u16(), &body).to_string(),
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_timeout() {
            return Failure::Unreachable(format!("no answer in time from {base}"));
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Failure::Unreachable(format!(
            "cannot reach {base} ({cause}): is loanhook running there? set --url or LOANHOOK_URL"
        ))
    }
}

/// Reads an answer of loanhook's.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::Message(format!("this is no answer of loanhook's: {error}")))
}
