//! A client of any loanhook, over its HTTP interface alone. The client commands and the demo use it.

mod call;
mod connection_args;
mod job_responses;
mod problem;
mod responses;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, IF_MATCH};
use reqwest::{RequestBuilder, Response, redirect};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::{Host, Url};

pub(crate) use call::Call;
pub(crate) use connection_args::ConnectionArgs;
pub(crate) use job_responses::{Job, JobPlan};
pub(crate) use problem::Problem;
pub(crate) use responses::{
    AcceptedEvent, Delivery, LedgerEvent, ListedDelivery, Page, Payload, Report, ReportItem, Row, Verdict,
    decode,
};

use crate::error::{CommandError, CommandResult};
use crate::terminal::output;

/// The largest page of a list that the HTTP interface gives.
pub(crate) const MAX_ITEMS_PER_PAGE: u32 = 200;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole call, from the connection to the end of the response.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for a response that may be long.
const LONG_CALL_TIMEOUT: Duration = Duration::from_secs(3600);
/// The waits before the retries of a call that may be repeated.
const RETRY_DELAYS: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// A response that asks for a longer wait is reported as an error instead.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// The address of a loanhook, and a key of it.
pub(crate) struct ApiClient {
    base: Url,
    http: reqwest::Client,
}

/// A response of any status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// When it was written, by the other machine's clock.
    pub(crate) date: Option<SystemTime>,
    pub(crate) body: Bytes,
}

impl ApiClient {
    /// A client of the loanhook that the command line or the environment names.
    pub(crate) fn from_args(args: &ConnectionArgs) -> CommandResult<Self> {
        let key = args.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| {
            "no key: give one with --key, or set LOANHOOK_KEY (`loanhook serve` prints an admin key at its first start)"
                .to_owned()
        })?;
        Self::new(args.url.trim(), key)
    }

    pub(crate) fn new(base: &str, key: &str) -> CommandResult<Self> {
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
            .timeout(CALL_TIMEOUT);
        if let Some(Host::Domain(name)) = base.host()
            && name.ends_with(".localhost")
        {
            // Emulators name their APIs so, and not every resolver follows RFC 6761.
            builder = builder.resolve(name, SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0));
        }
        let http = builder.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self { base, http })
    }

    /// Makes a call once; the body of its response.
    ///
    /// # Errors
    ///
    /// [`CommandError::Unreachable`] where no response came, [`CommandError::Refused`] where its status is not 2xx.
    pub(crate) async fn send(&self, call: &Call) -> CommandResult<Bytes> {
        let url = call.url(&self.base)?;
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(version) = call.expected_version {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        if let Some(media_type) = call.accept {
            request = request.header(ACCEPT, media_type);
        }
        let response = self.checked(request).await?;
        response.bytes().await.map_err(|error| self.unreachable(&error))
    }

    /// Makes a call once, whatever the status of its response.
    ///
    /// # Errors
    ///
    /// [`CommandError::Unreachable`] where no response came.
    pub(crate) async fn ask(&self, call: &Call) -> CommandResult<Answer> {
        let request = self.http.request(call.method.clone(), call.url(&self.base)?);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let date =
            response.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok(Answer { status, date, body })
    }

    /// The response of a request, if its status is 2xx.
    async fn checked(&self, request: RequestBuilder) -> CommandResult<Response> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Err(CommandError::Refused {
            status: status.as_u16(),
            retry_after: problem::retry_after(&headers),
            line: Problem::new(status.as_u16(), &body).to_string(),
        })
    }

    /// Begins a call whose response may be long: its body is to be read. It is begun again, as in
    /// [`send_with_retries`](Self::send_with_retries), where that may help.
    pub(crate) async fn open(&self, call: &Call) -> CommandResult<Response> {
        self.open_url(call.url(&self.base)?, call.accept).await
    }

    /// The same of a URL that a response named, if it is of this loanhook: the key goes nowhere else.
    pub(crate) async fn open_url(&self, url: Url, media_type: Option<&str>) -> CommandResult<Response> {
        if url.origin() != self.base.origin() {
            return Err(CommandError::Message(format!("{} is not of this loanhook", url.as_str())));
        }
        with_retries(async || {
            let request = self.http.get(url.clone()).timeout(LONG_CALL_TIMEOUT);
            let request = media_type.into_iter().fold(request, |request, of| request.header(ACCEPT, of));
            self.checked(request).await
        })
        .await
    }

    /// As [`send`](Self::send), with the retries of [`RETRY_DELAYS`] while the error may pass. Only for calls that may
    /// be repeated: reads, and those with idempotency keys.
    pub(crate) async fn send_with_retries(&self, call: &Call) -> CommandResult<Bytes> {
        with_retries(async || self.send(call).await).await
    }

    /// As [`send`](Self::send), with the response decoded from JSON.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> CommandResult<T> {
        decode(&self.send(call).await?)
    }

    /// All items of a list, page by page, as they came. `call` is without a cursor.
    pub(crate) async fn fetch_all_items(&self, call: &Call) -> CommandResult<Vec<Box<RawValue>>> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page: Page = self.fetch(&call.clone().query("cursor", cursor.as_ref())).await?;
            items.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(items);
            }
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> CommandError {
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_timeout() {
            return CommandError::Unreachable(format!("no answer in time from {base}"));
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        CommandError::Unreachable(format!(
            "cannot reach {base} ({cause}): is loanhook running there? set --url or LOANHOOK_URL"
        ))
    }
}

/// Makes a call again, as [`RETRY_DELAYS`] say, while its error may pass.
async fn with_retries<T>(call: impl AsyncFn() -> CommandResult<T>) -> CommandResult<T> {
    for (retries, delay) in RETRY_DELAYS.into_iter().enumerate() {
        let error = match call().await {
            Err(error) if error.is_transient() => error,
            result => return result,
        };
        let delay = error.retry_after().unwrap_or_default().max(delay);
        if delay > MAX_RETRY_DELAY {
            return Err(error);
        }
        if retries == 0 {
            output::note(format_args!("{error}; trying again"));
        }
        tokio::time::sleep(delay).await;
    }
    call().await
}
