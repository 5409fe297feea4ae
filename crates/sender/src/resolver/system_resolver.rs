//! Names, as the system is configured to find them.
//!
//! `/etc/hosts` first, then the name servers of `/etc/resolv.conf` with its search list and options, the order of
//! nsswitch's usual `files dns`. `localhost`, and names under it, are loopback's without asking anybody. Look-ups are
//! asynchronous: none holds a thread, and one that nobody waits for any more is called off.
//!
//! What was found is kept in a [`Cache`]. Both files are read again when they have changed, which is looked for at a
//! look-up, and then nothing that was kept counts any more.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future, future::BoxFuture};
use hickory_resolver::{
    Hosts, TokioResolver,
    config::{ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::{Query, ResponseCode},
        rr::{Name, RecordType},
    },
};

use crate::{
    resolver::lookup_cache::{DnsAnswer, LookupCache},
    resolver::lookup_errors::lookup_error,
    resolver::resolver_files::{ResolverConfigError, ResolverFiles},
    resolver::resolver_trait::Resolver,
};

/// How long it is good that there is no such name, where its zone does not say.
const DEFAULT_NEGATIVE_TTL_SECONDS: u32 = 5;
/// How long the answer of one family is waited for when the other's is there.
const OTHER_FAMILY_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it is looked whether the files have changed.
const CHANGE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The system's names. Cheap to clone.
#[derive(Clone)]
pub struct SystemResolver(Arc<Mutex<LoadedConfiguration>>);

struct LoadedConfiguration {
    files: ResolverFiles,
    checked_at: Instant,
    resolver: Arc<ConfiguredResolver>,
}

impl SystemResolver {
    /// Reads the system's configuration.
    ///
    /// # Errors
    ///
    /// When it cannot be read or used, as a sentence.
    pub fn new() -> Result<Self, ResolverConfigError> {
        Self::of(ResolverFiles::system())
    }

    pub(crate) fn of(files: ResolverFiles) -> Result<Self, ResolverConfigError> {
        let reader = Arc::new(ConfiguredResolver::of(&files)?);
        Ok(Self(Arc::new(Mutex::new(LoadedConfiguration {
            files,
            checked_at: Instant::now(),
            resolver: reader,
        }))))
    }

    fn current(&self) -> Arc<ConfiguredResolver> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.checked_at.elapsed() >= CHANGE_CHECK_INTERVAL {
            current.checked_at = Instant::now();
            // What cannot be read for now leaves what was read before.
            if current.files.changed_since_last_check()
                && let Ok(reader) = ConfiguredResolver::of(&current.files)
            {
                current.resolver = Arc::new(reader);
            }
        }
        Arc::clone(&current.resolver)
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let reader = self.current();
        async move { reader.resolve(&name).await }.boxed()
    }

    fn resolve_locally(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        self.current().resolve_locally(name)
    }
}

/// One reading of the configuration.
struct ConfiguredResolver {
    hosts: Hosts,
    dns_client: TokioResolver,
    search: Vec<Name>,
    ndots: usize,
    cache: LookupCache,
}

impl ConfiguredResolver {
    fn of(files: &ResolverFiles) -> Result<Self, ResolverConfigError> {
        let (config, options) = files.configuration()?;
        Self::new(config, options, files.hosts())
    }

    fn new(
        config: ResolverConfig,
        mut options: ResolverOpts,
        hosts: Hosts,
    ) -> Result<Self, ResolverConfigError> {
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        // A truncated or refused answer is asked for again over TCP, where many share a connection.
        options.max_active_requests = 256;
        options.try_tcp_on_error = true;
        let mut search: Vec<Name> = config.search().to_vec();
        search.extend(config.domain().filter(|domain| !search.contains(domain)).cloned());
        let ndots = options.ndots;
        Ok(Self {
            hosts,
            dns_client: dns_client(config, options)?,
            search,
            ndots,
            cache: LookupCache::default(),
        })
    }

    /// What needs no question to a name server.
    fn resolve_locally(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        match parse_name(name) {
            Ok(parsed) => self.local_addresses(name, &parsed),
            Err(error) => Some(Err(error)),
        }
    }

    fn local_addresses(&self, name: &str, parsed: &Name) -> Option<io::Result<Vec<IpAddr>>> {
        let in_hosts = Some(self.hosts_file_addresses(parsed)).filter(|found| !found.is_empty());
        in_hosts.map(Ok).or_else(|| self.cache.get(name, Instant::now()))
    }

    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let parsed = parse_name(name)?;
        if let Some(known) = self.local_addresses(name, &parsed) {
            return known;
        }
        let answer = self.query_candidates(parsed).await;
        self.cache.put(name.to_owned(), &answer, Instant::now());
        answer.map(|answer| answer.addresses)
    }

    /// Asks for what a name may mean, until one of it has an address. Where a name server fails for one, the others are
    /// asked for nevertheless: one bad domain of the search list is not the end of every short name.
    async fn query_candidates(&self, name: Name) -> io::Result<DnsAnswer> {
        let (mut none, mut failed) = (None, None);
        for name in self.candidate_names(name) {
            match self.query_both_families(name).await {
                Ok(found) if !found.addresses.is_empty() => return Ok(found),
                Ok(found) => none = none.or(Some(found)),
                // What this machine lacks, it lacks for the others too.
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(none.unwrap_or(DnsAnswer { addresses: Vec::new(), time_to_live: Duration::ZERO })),
        }
    }

    fn hosts_file_addresses(&self, name: &Name) -> Vec<IpAddr> {
        let lookups = [RecordType::A, RecordType::AAAA]
            .map(|family| self.hosts.lookup_static_host(&Query::query(name.clone(), family)));
        let answers = lookups.iter().flatten().flat_map(|lookup| lookup.answers());
        answers.filter_map(|record| record.data.ip_addr()).collect()
    }

    /// What a name may mean, in order: itself and, where it may be a short one, with what the search list appends.
    fn candidate_names(&self, name: Name) -> Vec<Name> {
        if name.is_fqdn() {
            return vec![name];
        }
        let appended = self.search.iter().filter_map(|domain| name.clone().append_domain(domain).ok());
        let mut candidates: Vec<Name> = appended.collect();
        let first = usize::from(name.num_labels()) > self.ndots || name.is_localhost();
        let mut whole = name;
        whole.set_fqdn(true);
        candidates.insert(if first { 0 } else { candidates.len() }, whole);
        candidates
    }

    /// A family whose answer takes long does not hold up the other's.
    async fn query_both_families(&self, name: Name) -> io::Result<DnsAnswer> {
        let v6 = self.query_family(name.clone(), RecordType::AAAA).boxed();
        let v4 = self.query_family(name, RecordType::A).boxed();
        let (first, other) = future::select(v6, v4).await.factor_first();
        let other = match &first {
            Ok(found) if !found.addresses.is_empty() => {
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
            (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.addresses.is_empty() => Ok(found),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    async fn query_family(&self, name: Name, family: RecordType) -> io::Result<DnsAnswer> {
        let (addresses, seconds) = match self.dns_client.lookup(name, family).await {
            Ok(lookup) => {
                // Those of the names in between count too.
                let seconds = lookup.answers().iter().map(|record| record.ttl).min();
                let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
                (addresses.collect(), seconds.unwrap_or(DEFAULT_NEGATIVE_TTL_SECONDS))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NXDomain | ResponseCode::NoError,
                negative_ttl,
                ..
            }))) => (Vec::new(), negative_ttl.unwrap_or(DEFAULT_NEGATIVE_TTL_SECONDS)),
            Err(error) => return Err(lookup_error(&error)),
        };
        Ok(DnsAnswer { addresses, time_to_live: Duration::from_secs(seconds.into()) })
    }
}

/// A URL's host as a name. It is in ASCII already, and may hold underscores.
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
