//! The destination of a request: scheme, host and port of its URL, and how they are shown in the detail of a failure.

use std::{net::IpAddr, sync::Arc};

use rustls::pki_types::ServerName;
use url::{Host, Position, Url};

use crate::{
    address_guard::Scheme,
    tls::tls_connector::{ClientCertificateTimes, TlsProfile},
};

/// How long a host may be in the detail of a failure, in characters.
const MAX_SHOWN_HOST_CHARS: usize = 100;

/// Where a request goes.
pub(crate) struct Destination {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// What the receiver's certificate must be valid for; none where no certificate can be valid for the host.
    pub(crate) tls_server_name: Option<ServerName<'static>>,
    /// The TLS settings of the webhook, where it has its own and the scheme is `https`.
    pub(crate) tls_profile: Option<Arc<TlsProfile>>,
    /// Which connections may carry its requests: the origin, and the TLS settings that are not the platform's.
    pub(crate) pool_key: String,
}

impl Destination {
    /// None where the URL has no host or no port.
    pub(crate) fn new(scheme: Scheme, url: &Url, tls_profile: Option<Arc<TlsProfile>>) -> Option<Self> {
        let host = url.host()?.to_owned();
        let tls_server_name = match &host {
            Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
            Host::Ipv4(address) => Some(IpAddr::from(*address).into()),
            Host::Ipv6(address) => Some(IpAddr::from(*address).into()),
        };
        let tls_profile = tls_profile.filter(|_| scheme == Scheme::Https);
        let mut pool_key = url[..Position::BeforePath].to_owned();
        if let Some(profile) = &tls_profile {
            // No origin has a space.
            pool_key.push(' ');
            pool_key.push_str(&profile.fingerprint);
        }
        Some(Self {
            scheme,
            host,
            port: url.port_or_known_default()?,
            tls_server_name,
            tls_profile,
            pool_key,
        })
    }

    /// What is known of the client certificate that it is shown; none where it is shown none.
    pub(crate) fn client_certificate(&self) -> Option<ClientCertificateTimes> {
        self.tls_profile.as_ref()?.client
    }

    /// The address where the host is one, and not a name.
    pub(crate) fn literal_address(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// The host for the detail of a failure, cut at [`MAX_SHOWN_HOST_CHARS`].
    pub(crate) fn shown_host(&self) -> String {
        let host = self.host.to_string();
        match host.char_indices().nth(MAX_SHOWN_HOST_CHARS) {
            Some((cut, _)) => format!("{}…", &host[..cut]),
            None => host,
        }
    }

    /// `host:port` for the detail of a failure.
    pub(crate) fn shown_host_and_port(&self) -> String {
        format!("{}:{}", self.shown_host(), self.port)
    }
}
