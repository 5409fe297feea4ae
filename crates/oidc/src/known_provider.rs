//! What is known of the provider: what it says of itself (discovery), and its keys.
//!
//! Both are read when they are first needed, by one caller at a time, and kept for an hour. The keys are read again when an ID token
//! is signed with none of them, at most once a minute: so the provider can rotate its keys at any time.
//!
//! A provider that could not be read is not asked again for ten seconds: whoever comes meanwhile is refused at once, and waits for
//! nothing.

use std::fmt::Display;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::core::CoreJsonWebKeySet;
use openidconnect::{DiscoveryError, IssuerUrl};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;
use url::Url;

use crate::http_client::{HttpClient, HttpError};
use crate::metadata::Metadata;

const KEPT_FOR: Duration = Duration::from_secs(3600);
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// For what the provider says of itself and its keys together.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(10);
const DISCOVERY_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The provider cannot be reached, or answers what is no OpenID Connect. The log has said why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the OpenID provider does not answer as it should")]
pub struct ProviderUnavailable;

/// What the provider says of itself, and its keys.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) keys: Arc<CoreJsonWebKeySet>,
    /// How often the keys were read again.
    keys_generation: u64,
}

/// The same, as long as it is kept.
pub(crate) struct KnownProvider {
    issuer: IssuerUrl,
    http: HttpClient,
    kept: Mutex<Kept>,
    /// What was known last, however old; it is there while the provider is asked again.
    last: SyncMutex<Option<Known>>,
}

#[derive(Default)]
struct Kept {
    known: Option<(Known, Instant)>,
    discovery_failed_at: Option<Instant>,
    keys_read_again_at: Option<Instant>,
}

impl KnownProvider {
    pub(crate) fn new(issuer: IssuerUrl, http: HttpClient) -> Self {
        Self { issuer, http, kept: Mutex::default(), last: SyncMutex::default() }
    }

    /// What was known last, however old.
    pub(crate) fn last(&self) -> Option<Known> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known, read now where nothing is.
    pub(crate) async fn get(&self) -> Result<Known, ProviderUnavailable> {
        let mut kept = self.kept.lock().await;
        if let Some((known, read_at)) = &kept.known
            && read_at.elapsed() < KEPT_FOR
        {
            return Ok(known.clone());
        }
        // Nor does whoever waited for one that failed meanwhile ask again: many callers wait no longer than one.
        if kept.discovery_failed_at.is_some_and(|failed_at| failed_at.elapsed() < DISCOVERY_AGAIN_AFTER) {
            return Err(ProviderUnavailable);
        }
        let discovered = timeout(DISCOVERY_TIMEOUT, self.discover()).await;
        match discovered.unwrap_or_else(|_| Err(self.unavailable("discovery", &HttpError::Timeout))) {
            Ok(metadata) => {
                let keys = Arc::new(metadata.jwks().clone());
                let known = Known { metadata: Arc::new(metadata), keys, keys_generation: 0 };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
                *kept = Kept { known: Some((known.clone(), Instant::now())), ..Kept::default() };
                Ok(known)
            }
            Err(unavailable) => {
                kept.discovery_failed_at = Some(Instant::now());
                Err(unavailable)
            }
        }
    }

    /// The same with keys that are newer than these; none where they were read again less than a minute ago.
    pub(crate) async fn with_newer_keys(&self, than: &Known) -> Result<Option<Known>, ProviderUnavailable> {
        let mut kept = self.kept.lock().await;
        let Kept { known: Some((known, _)), keys_read_again_at, .. } = &mut *kept else { return Ok(None) };
        if known.keys_generation != than.keys_generation || !Arc::ptr_eq(&known.metadata, &than.metadata) {
            return Ok(Some(known.clone()));
        }
        if keys_read_again_at.is_some_and(|at| at.elapsed() < KEYS_AGAIN_AFTER) {
            return Ok(None);
        }
        *keys_read_again_at = Some(Instant::now());
        let read = CoreJsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.http).await;
        known.keys = Arc::new(read.map_err(|error| self.unavailable("keys", &discovery_fault(&error)))?);
        known.keys_generation += 1;
        Ok(Some(known.clone()))
    }

    async fn discover(&self) -> Result<Metadata, ProviderUnavailable> {
        let read = Metadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = read.map_err(|error| self.unavailable("discovery", &discovery_fault(&error)))?;
        // A browser is sent to these: nowhere but to web pages.
        let logout = metadata.additional_metadata().end_session_endpoint.as_ref().map(|url| url.url());
        let pages: [Option<&Url>; 2] = [Some(metadata.authorization_endpoint().url()), logout];
        if pages.into_iter().flatten().any(|url| !["https", "http"].contains(&url.scheme())) {
            return Err(self.unavailable("discovery", &"an endpoint of its pages is no web address"));
        }
        Ok(metadata)
    }

    /// Logs why the provider could not be asked.
    pub(crate) fn unavailable(&self, asked_for: &str, why: &dyn Display) -> ProviderUnavailable {
        warn!(issuer = self.issuer.as_str(), asked_for, %why, "oidc.provider_failed");
        ProviderUnavailable
    }
}

/// What went wrong, without what the provider answered.
fn discovery_fault(error: &DiscoveryError<HttpError>) -> String {
    match error {
        DiscoveryError::Request(error) => error.to_string(),
        DiscoveryError::Response(status, _, _) => format!("its answer has the status {status} or is no JSON"),
        DiscoveryError::Parse(error) => format!("its answer is not as it should be, at {}", error.path()),
        DiscoveryError::Validation(fault) => fault.clone(),
        other => other.to_string(),
    }
}
