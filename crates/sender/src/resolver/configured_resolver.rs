//! The configured resolver: looks names up with one version of the system's configuration.
//!
//! The order is that of nsswitch's usual `files dns`: first the hosts file, then the name servers of `resolv.conf`, with
//! its search list and options. `localhost` and the names under it are loopback addresses without a question to anybody
//! (RFC 6761). What the name servers say goes into a [`LookupCache`].
//!
//! Lookups hold no thread. A lookup that is dropped ends.

use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future};
use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::{Query, ResponseCode},
        rr::{Name, RecordType},
    },
};

use crate::resolver::{
    lookup_cache::{DnsAnswer, LookupCache},
    lookup_errors::lookup_error,
    resolver_files::{ResolverConfigError, ResolverFiles},
};

/// The time to live of the answer that there is no such name, where its zone does not say.
const DEFAULT_NEGATIVE_TTL_SECONDS: u32 = 5;
/// How long the answer of one address family is waited for when the other's has come.
const OTHER_FAMILY_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct ConfiguredResolver {
    hosts: Hosts,
    dns_client: TokioResolver,
    search_list: Vec<Name>,
    /// How many dots a name has that is tried as it is first (resolv.conf(5)).
    ndots: usize,
    cache: LookupCache,
}

impl ConfiguredResolver {
    /// # Errors
    ///
    /// When the configuration cannot be read or used.
    pub(super) fn from_files(files: &ResolverFiles) -> Result<Self, ResolverConfigError> {
        let (config, options) = files.configuration()?;
        Self::new(config, options, files.hosts())
    }

    fn new(
        config: ResolverConfig,
        mut options: ResolverOpts,
        hosts: Hosts,
    ) -> Result<Self, ResolverConfigError> {
        // hickory would ask name servers for the address family that the hosts file does not have.
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        // A truncated or refused answer is asked for again over TCP, where many share a connection.
        options.max_active_requests = 256;
        options.try_tcp_on_error = true;
        let mut search_list: Vec<Name> = config.search().to_vec();
        search_list.extend(config.domain().filter(|domain| !search_list.contains(domain)).cloned());
        let ndots = options.ndots;
        let dns_client = dns_client(config, options)?;
        Ok(Self { hosts, dns_client, search_list, ndots, cache: LookupCache::default() })
    }

    /// The addresses of a name, IPv6 first; none where it has no address or does not exist. Errors are those of
    /// [`Resolver`](super::resolver_trait::Resolver).
    pub(super) async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let parsed = parse_name(name)?;
        if let Some(known) = self.known_addresses(name, &parsed) {
            return known;
        }
        let answer = self.query_candidates(parsed).await;
        self.cache.put(name.to_owned(), &answer, Instant::now());
        answer.map(|answer| answer.addresses)
    }

    /// The result of [`Self::resolve`] where no name server must be asked for it.
    pub(super) fn resolve_locally(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        match parse_name(name) {
            Ok(parsed) => self.known_addresses(name, &parsed),
            Err(error) => Some(Err(error)),
        }
    }

    /// From the hosts file, or from the cache.
    fn known_addresses(&self, name: &str, parsed: &Name) -> Option<io::Result<Vec<IpAddr>>> {
        let in_hosts_file = Some(self.hosts_file_addresses(parsed)).filter(|found| !found.is_empty());
        in_hosts_file.map(Ok).or_else(|| self.cache.get(name, Instant::now()))
    }

    fn hosts_file_addresses(&self, name: &Name) -> Vec<IpAddr> {
        let lookups = [RecordType::A, RecordType::AAAA]
            .map(|family| self.hosts.lookup_static_host(&Query::query(name.clone(), family)));
        let answers = lookups.iter().flatten().flat_map(|lookup| lookup.answers());
        answers.filter_map(|record| record.data.ip_addr()).collect()
    }

    /// Asks for each name that `name` may mean, until one has an address. An error for one of them does not end this: a
    /// search domain whose name server fails must not break every short name.
    async fn query_candidates(&self, name: Name) -> io::Result<DnsAnswer> {
        let (mut first_empty, mut first_error) = (None, None);
        for candidate in self.candidate_names(name) {
            match self.query_both_families(candidate).await {
                Ok(answer) if !answer.addresses.is_empty() => return Ok(answer),
                Ok(empty) => first_empty = first_empty.or(Some(empty)),
                // What this machine lacks, it lacks for the others too.
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => {
                Ok(first_empty.unwrap_or(DnsAnswer { addresses: Vec::new(), time_to_live: Duration::ZERO }))
            }
        }
    }

    /// What a name may mean, in the order in which it is asked for: the name itself and, where it may be a short one, the
    /// name under each domain of the search list.
    fn candidate_names(&self, name: Name) -> Vec<Name> {
        if name.is_fqdn() {
            return vec![name];
        }
        let completed = self.search_list.iter().filter_map(|domain| name.clone().append_domain(domain).ok());
        let mut candidates: Vec<Name> = completed.collect();
        let itself_first = usize::from(name.num_labels()) > self.ndots || name.is_localhost();
        let mut itself = name;
        itself.set_fqdn(true);
        candidates.insert(if itself_first { 0 } else { candidates.len() }, itself);
        candidates
    }

    /// Asks for IPv4 and IPv6 addresses at once. A late answer for one family does not hold up the other's.
    async fn query_both_families(&self, name: Name) -> io::Result<DnsAnswer> {
        let ipv6 = self.query_family(name.clone(), RecordType::AAAA).boxed();
        let ipv4 = self.query_family(name, RecordType::A).boxed();
        let (first, other) = future::select(ipv6, ipv4).await.factor_first();
        let other = match &first {
            Ok(answer) if !answer.addresses.is_empty() => {
                // So that the cache soon asks again for the family that is missing.
                let late = Ok(DnsAnswer { addresses: Vec::new(), time_to_live: OTHER_FAMILY_TIMEOUT });
                tokio::time::timeout(OTHER_FAMILY_TIMEOUT, other).await.unwrap_or(late)
            }
            _ => other.await,
        };
        match (first, other) {
            (Ok(first), Ok(other)) => {
                let mut addresses = [first.addresses, other.addresses].concat();
                addresses.sort_by_key(IpAddr::is_ipv4);
                Ok(DnsAnswer { addresses, time_to_live: first.time_to_live.min(other.time_to_live) })
            }
            (Ok(answer), Err(_)) | (Err(_), Ok(answer)) if !answer.addresses.is_empty() => Ok(answer),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    async fn query_family(&self, name: Name, family: RecordType) -> io::Result<DnsAnswer> {
        let (addresses, ttl_seconds) = match self.dns_client.lookup(name, family).await {
            Ok(lookup) => {
                // The times to live of aliases (CNAME) count too.
                let ttl_seconds = lookup.answers().iter().map(|record| record.ttl).min();
                let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
                (addresses.collect(), ttl_seconds.unwrap_or(DEFAULT_NEGATIVE_TTL_SECONDS))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NXDomain | ResponseCode::NoError,
                negative_ttl,
                ..
            }))) => (Vec::new(), negative_ttl.unwrap_or(DEFAULT_NEGATIVE_TTL_SECONDS)),
            Err(error) => return Err(lookup_error(&error)),
        };
        Ok(DnsAnswer { addresses, time_to_live: Duration::from_secs(ttl_seconds.into()) })
    }
}

/// The host of a URL as a DNS name. It is in ASCII already, and may contain underscores.
fn parse_name(name: &str) -> io::Result<Name> {
    Name::from_ascii(name)
        .map_err(|_| io::Error::other("it is not a name that the domain name system can have"))
}

fn dns_client(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, ResolverConfigError> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build().map_err(|error| ResolverConfigError::new(&error))
}

#[cfg(test)]
#[path = "configured_resolver_tests.rs"]
mod tests;
