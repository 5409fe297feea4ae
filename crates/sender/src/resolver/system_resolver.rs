//! The system resolver: a configured resolver for the current version of `/etc/resolv.conf` and `/etc/hosts`.
//!
//! A lookup checks, at most every five seconds, whether the files have changed. If so, they are read again into a new
//! [`ConfiguredResolver`], whose cache is empty. Files that cannot be read then leave the resolver as it is.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};

use crate::resolver::{
    configured_resolver::ConfiguredResolver,
    resolver_files::{ResolverConfigError, ResolverFiles},
    resolver_trait::Resolver,
};

const CHANGE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) struct SystemResolver(Mutex<LoadedConfiguration>);

struct LoadedConfiguration {
    files: ResolverFiles,
    checked_at: Instant,
    resolver: Arc<ConfiguredResolver>,
}

impl SystemResolver {
    /// # Errors
    ///
    /// When the system's configuration cannot be read or used.
    pub(crate) fn new() -> Result<Self, ResolverConfigError> {
        Self::from_files(ResolverFiles::system())
    }

    fn from_files(files: ResolverFiles) -> Result<Self, ResolverConfigError> {
        let resolver = Arc::new(ConfiguredResolver::from_files(&files)?);
        let loaded = LoadedConfiguration { files, checked_at: Instant::now(), resolver };
        Ok(Self(Mutex::new(loaded)))
    }

    fn current(&self) -> Arc<ConfiguredResolver> {
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.checked_at.elapsed() >= CHANGE_CHECK_INTERVAL {
            loaded.checked_at = Instant::now();
            if loaded.files.changed_since_last_check()
                && let Ok(resolver) = ConfiguredResolver::from_files(&loaded.files)
            {
                loaded.resolver = Arc::new(resolver);
            }
        }
        Arc::clone(&loaded.resolver)
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let resolver = self.current();
        async move { resolver.resolve(&name).await }.boxed()
    }

    fn resolve_locally(&self, name: &str) -> Option<io::Result<Vec<IpAddr>>> {
        self.current().resolve_locally(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changed_files_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (resolv_conf, hosts) = (folder.path().join("resolv.conf"), folder.path().join("hosts"));
        std::fs::write(&hosts, "192.0.2.1 core.example.test\n").expect("written");
        let files = ResolverFiles::at(&resolv_conf, &hosts);
        let resolver = SystemResolver::from_files(files).expect("a missing resolv.conf is an empty one");
        let addresses = async || resolver.resolve("core.example.test".into()).await.expect("addresses");
        assert_eq!(addresses().await, [IpAddr::from([192, 0, 2, 1])]);

        std::fs::write(&hosts, "192.0.2.2 core.example.test\n").expect("written");
        let later = std::time::SystemTime::now() + Duration::from_secs(60);
        std::fs::File::open(&hosts).and_then(|file| file.set_modified(later)).expect("a later time");
        resolver.0.lock().expect("the configuration").checked_at = Instant::now() - CHANGE_CHECK_INTERVAL;
        assert_eq!(addresses().await, [IpAddr::from([192, 0, 2, 2])]);
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = ResolverFiles::at(folder.path(), "/dev/null");
        let error = SystemResolver::from_files(files).err().expect("an error");
        assert!(error.to_string().contains("cannot be read"), "{error}");
    }
}
