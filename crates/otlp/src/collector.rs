//! The client of the collector. It says in the log when the collector cannot be reached, once, and when it can be again.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;
use tracing::{info, warn};

/// So much of an answer is read; one that takes more says nothing that is needed.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Collector {
    client: reqwest::Client,
    /// The thread that exports has none.
    runtime: Handle,
    /// It did not take the latest export.
    failing: Arc<AtomicBool>,
}

impl Collector {
    /// A client on the current runtime, which tells whether exporting fails; a request takes so long at most.
    pub(crate) fn new(timeout: Duration, failing: Arc<AtomicBool>) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
        Ok(Self { client: client.build()?, runtime: Handle::current(), failing })
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { send(&client, request).await }).await?;
        match &answer {
            Ok(answer) if answer.status().is_success() => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    info!("spans.exported_again");
                }
            }
            failed => {
                let reason = match failed {
                    Ok(answer) => format!("it answered {}", answer.status()),
                    Err(error) => sentence(error),
                };
                if !self.failing.swap(true, Ordering::Relaxed) {
                    warn!(
                        reason,
                        "spans.not_exported: the collector does not take them; they are lost until it does"
                    );
                }
            }
        }
        Ok(answer?)
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> reqwest::Result<Response<Bytes>> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut body = BytesMut::new();
    while let Some(part) = answer.chunk().await? {
        if body.len() + part.len() > MAX_ANSWER_BYTES {
            body.clear();
            break;
        }
        body.extend_from_slice(&part);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

/// An error and its causes, without the URL, which may hold a password.
fn sentence(error: &reqwest::Error) -> String {
    let mut sentence =
        if error.is_timeout() { "it did not answer in time" } else { "it cannot be reached" }.to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence = format!("{sentence}: {error}");
        cause = error.source();
    }
    sentence
}
