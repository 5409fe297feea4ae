//! The TLS settings for receivers: TLS 1.2 and 1.3, HTTP/1.1 only (by ALPN), and the operating system's trusted
//! certificates; for a webhook with TLS settings of its own, its client certificate and its authorities beside those.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use loanhook_certificates::{ClientIdentity, authorities};
use loanhook_core::model::{subscription::Tls, time::Timestamp};
use rustls::{
    ClientConfig, ConfigBuilder, WantsVerifier,
    client::{ResolvesClientCert, WantsClientCert, WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::CertificateDer,
    sign::SingleCertAndKey,
};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsConnector;

use crate::{expiring_map::ExpiringMap, tls::private_authorities::PrivateAuthorities};

/// Settings of so many webhooks are kept ready, each for so long.
const MAX_PROFILES: usize = 1000;
const PROFILE_LIFETIME: Duration = Duration::from_secs(600);

type Fingerprint = [u8; 32];

/// The TLS settings of the platform, and those of webhooks that have their own.
pub(crate) struct TlsConnectors {
    pub(crate) default: TlsConnector,
    provider: Arc<CryptoProvider>,
    platform: Arc<Verifier>,
    profiles: Mutex<ExpiringMap<Fingerprint, Arc<TlsProfile>>>,
}

/// The TLS settings of a webhook that has its own.
pub(crate) struct TlsProfile {
    pub(crate) connector: TlsConnector,
    /// What tells its connections from those with other settings. It says nothing of a key.
    pub(crate) fingerprint: String,
    pub(crate) client: Option<ClientCertificateTimes>,
}

/// What failures say of a client certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientCertificateTimes {
    pub(crate) expires_at: Timestamp,
}

impl fmt::Debug for TlsProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsProfile").field("client", &self.client).finish_non_exhaustive()
    }
}

impl TlsConnectors {
    /// Connectors that trust what the operating system trusts, or the file that `SSL_CERT_FILE` names, and `extra_roots` as
    /// well.
    ///
    /// # Errors
    ///
    /// When there are no trusted certificates, or `extra_roots` cannot be read.
    pub(crate) fn new(extra_roots: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(extra_roots.iter().cloned(), Arc::clone(&provider))?;
        let platform = Arc::new(verifier);
        let builder = builder(&provider)?;
        let default = connector(verified_by(builder, Arc::clone(&platform) as _).with_no_client_auth());
        let profiles = Mutex::new(ExpiringMap::new(MAX_PROFILES));
        Ok(Self { default, provider, platform, profiles })
    }

    /// The settings of a webhook, made anew where they are not kept.
    ///
    /// # Errors
    ///
    /// Why they cannot be used: a sentence without what they hold.
    pub(crate) fn profile(&self, tls: &Tls) -> Result<Arc<TlsProfile>, String> {
        let (fingerprint, now) = (fingerprint(tls), Instant::now());
        let known = |profiles: &ExpiringMap<_, Arc<TlsProfile>>| {
            profiles.get(&fingerprint, now).map(|(_, profile)| Arc::clone(profile))
        };
        if let Some(profile) = known(&self.profiles.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(profile);
        }
        let profile = Arc::new(self.new_profile(tls, &fingerprint)?);
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        profiles.insert(fingerprint, now + PROFILE_LIFETIME, Arc::clone(&profile));
        Ok(profile)
    }

    fn new_profile(&self, tls: &Tls, fingerprint: &Fingerprint) -> Result<TlsProfile, String> {
        let verifier: Arc<dyn ServerCertVerifier> = match &tls.ca {
            None => Arc::clone(&self.platform) as _,
            Some(ca) => {
                let roots = authorities(ca).map_err(|fault| format!("request.tls.ca {fault}"))?;
                let private =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider));
                let private = private.build().map_err(|_| "request.tls.ca cannot be used".to_owned())?;
                Arc::new(PrivateAuthorities { platform: Arc::clone(&self.platform), private })
            }
        };
        let builder = builder(&self.provider).map_err(|_| "TLS cannot be set up".to_owned())?;
        let builder = verified_by(builder, verifier);
        let (config, client) = match &tls.client {
            None => (builder.with_no_client_auth(), None),
            Some(client) => {
                let identity = ClientIdentity::read(&client.certificate, &client.key);
                let identity = identity.map_err(|fault| format!("request.tls cannot be used: {fault}"))?;
                let expires_at = Timestamp::from_millis(identity.expires_at.saturating_mul(1000));
                let resolver: Arc<dyn ResolvesClientCert> = Arc::new(SingleCertAndKey::from(identity.key));
                let config = builder.with_client_cert_resolver(resolver);
                (config, Some(ClientCertificateTimes { expires_at }))
            }
        };
        let fingerprint = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(TlsProfile { connector: connector(config), fingerprint, client })
    }
}

fn builder(
    provider: &Arc<CryptoProvider>,
) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()
}

fn verified_by(
    builder: ConfigBuilder<ClientConfig, WantsVerifier>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    builder.dangerous().with_custom_certificate_verifier(verifier)
}

fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

/// A hash of all that the settings hold.
fn fingerprint(tls: &Tls) -> Fingerprint {
    let mut hash = Sha256::new();
    let client = tls.client.as_ref();
    for part in [client.map(|client| &client.certificate), client.map(|client| &client.key), tls.ca.as_ref()]
    {
        // The length keeps parts apart.
        hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
        hash.update(part.map_or("", String::as_str));
    }
    hash.finalize().into()
}
