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
    resolver::lookup_cache::{Answer, Cache},
    resolver::lookup_errors::told,
    resolver::resolver_files::{Files, Unusable},
    resolver::resolver_trait::Resolver,
};

/// How long it is good that there is no such name, where its zone does not say.
const NEGATIVE: u32 = 5;
/// How long the answer of one family is waited for when the other's is there.
const OTHER_FAMILY: Duration = Duration::from_secs(1);
/// How often it is looked whether the files have changed.
const CHECKED_EVERY: Duration = Duration::from_secs(5);

/// The system's names. Cheap to clone.
#[derive(Clone)]
pub struct SystemResolver(Arc<Mutex<Current>>);

struct Current {
    files: Files,
    checked: Instant,
    reader: Arc<Reader>,
}

impl SystemResolver {
    /// Reads the system's configuration.
    ///
    /// # Errors
    ///
    /// When it cannot be read or used, as a sentence.
    pub fn new() -> Result<Self, Unusable> {
        Self::of(Files::system())
    }

    pub(crate) fn of(files: Files) -> Result<Self, Unusable> {
        let reader = Arc::new(Reader::of(&files)?);
        Ok(Self(Arc::new(Mutex::new(Current { files, checked: Instant::now(), reader }))))
    }

    fn reader(&self) -> Arc<Reader> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.checked.elapsed() >= CHECKED_EVERY {
            current.checked = Instant::now();
            // What cannot be read for now leaves what was read before.
            if current.files.have_changed()
                && let Ok(reader) = Reader::of(&current.files)
            {
                current.reader = Arc::new(reader);
            }
        }
        Arc::clone(&current.reader)
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let reader = self.reader();
        async move { reader.addresses(&name).await }.boxed()
    }

    fn known(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        self.reader().known(name)
    }
}

/// One reading of the configuration.
struct Reader {
    hosts: Hosts,
    servers: TokioResolver,
    search: Vec<Name>,
    ndots: usize,
    cache: Cache,
}

impl Reader {
    fn of(files: &Files) -> Result<Self, Unusable> {
        let (config, options) = files.configuration()?;
        Self::new(config, options, files.hosts())
    }

    fn new(config: ResolverConfig, mut options: ResolverOpts, hosts: Hosts) -> Result<Self, Unusable> {
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = 0;
        // A truncated or refused answer is asked for again over TCP, where many share a connection.
        options.max_active_requests = 256;
        options.try_tcp_on_error = true;
        let mut search: Vec<Name> = config.search().to_vec();
        search.extend(config.domain().filter(|domain| !search.contains(domain)).cloned());
        let ndots = options.ndots;
        Ok(Self { hosts, servers: servers(config, options)?, search, ndots, cache: Cache::default() })
    }

    /// What needs no question to a name server.
    fn known(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        match parsed(name) {
            Ok(parsed) => self.known_of(name, &parsed),
            Err(error) => Some(Err(error)),
        }
    }

    fn known_of(&self, name: &str, parsed: &Name) -> Option<io::Result<Vec<IpAddr>>> {
        let in_hosts = Some(self.in_hosts(parsed)).filter(|found| !found.is_empty());
        in_hosts.map(Ok).or_else(|| self.cache.get(name, Instant::now()))
    }

    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let parsed = parsed(name)?;
        if let Some(known) = self.known_of(name, &parsed) {
            return known;
        }
        let answer = self.answer(parsed).await;
        self.cache.put(name.to_owned(), &answer, Instant::now());
        answer.map(|answer| answer.addresses)
    }

    /// Asks for what a name may mean, until one of it has an address. Where a name server fails for one, the others are
    /// asked for nevertheless: one bad domain of the search list is not the end of every short name.
    async fn answer(&self, name: Name) -> io::Result<Answer> {
        let (mut none, mut failed) = (None, None);
        for name in self.candidates(name) {
            match self.of_both_families(name).await {
                Ok(found) if !found.addresses.is_empty() => return Ok(found),
                Ok(found) => none = none.or(Some(found)),
                // What this machine lacks, it lacks for the others too.
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(none.unwrap_or(Answer { addresses: Vec::new(), good_for: Duration::ZERO })),
        }
    }

    fn in_hosts(&self, name: &Name) -> Vec<IpAddr> {
        let lookups = [RecordType::A, RecordType::AAAA]
            .map(|family| self.hosts.lookup_static_host(&Query::query(name.clone(), family)));
        let answers = lookups.iter().flatten().flat_map(|lookup| lookup.answers());
        answers.filter_map(|record| record.data.ip_addr()).collect()
    }

    /// What a name may mean, in order: itself and, where it may be a short one, with what the search list appends.
    fn candidates(&self, name: Name) -> Vec<Name> {
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
    async fn of_both_families(&self, name: Name) -> io::Result<Answer> {
        let v6 = self.of_one_family(name.clone(), RecordType::AAAA).boxed();
        let v4 = self.of_one_family(name, RecordType::A).boxed();
        let (first, other) = future::select(v6, v4).await.factor_first();
        let other = match &first {
            Ok(found) if !found.addresses.is_empty() => {
                let late = Ok(Answer { addresses: Vec::new(), good_for: OTHER_FAMILY });
                tokio::time::timeout(OTHER_FAMILY, other).await.unwrap_or(late)
            }
            _ => other.await,
        };
        match (first, other) {
            (Ok(first), Ok(other)) => {
                let mut addresses = [first.addresses, other.addresses].concat();
                addresses.sort_by_key(IpAddr::is_ipv4);
                Ok(Answer { addresses, good_for: first.good_for.min(other.good_for) })
            }
            (Ok(found), Err(_)) | (Err(_), Ok(found)) if !found.addresses.is_empty() => Ok(found),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    async fn of_one_family(&self, name: Name, family: RecordType) -> io::Result<Answer> {
        let (addresses, seconds) = match self.servers.lookup(name, family).await {
            Ok(lookup) => {
                // Those of the names in between count too.
                let seconds = lookup.answers().iter().map(|record| record.ttl).min();
                let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
                (addresses.collect(), seconds.unwrap_or(NEGATIVE))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(NoRecords {
                response_code: ResponseCode::NXDomain | ResponseCode::NoError,
                negative_ttl,
                ..
            }))) => (Vec::new(), negative_ttl.unwrap_or(NEGATIVE)),
            Err(error) => return Err(told(&error)),
        };
        Ok(Answer { addresses, good_for: Duration::from_secs(seconds.into()) })
    }
}

/// A URL's host as a name. It is in ASCII already, and may hold underscores.
fn parsed(name: &str) -> io::Result<Name> {
    Name::from_ascii(name)
        .map_err(|_| io::Error::other("it is not a name that the domain name system can have"))
}

fn servers(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, Unusable> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build().map_err(|error| Unusable::because(&error))
}

#[cfg(test)]
#[path = "configured_resolver_tests.rs"]
mod tests;
