//! The files in which the system says how names are found.

use std::{
    fmt::Display,
    fs, io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use hickory_resolver::{
    Hosts,
    config::{ResolverConfig, ResolverOpts},
    system_conf::parse_resolv_conf,
};
use thiserror::Error;

/// The system's way to find names cannot be used.
#[derive(Debug, Error)]
#[error("names cannot be looked up: {0}")]
pub struct ResolverConfigError(String);

impl ResolverConfigError {
    pub(crate) fn new(error: &impl Display) -> Self {
        Self(error.to_string())
    }
}

/// When files were last changed, as far as that is known.
type ModificationTimes = [Option<SystemTime>; 2];

/// Where the configuration is.
#[derive(Debug)]
pub(crate) struct ResolverFiles {
    resolv_conf: PathBuf,
    hosts: PathBuf,
    last_seen: Mutex<ModificationTimes>,
}

impl ResolverFiles {
    pub(crate) fn system() -> Self {
        Self::at("/etc/resolv.conf", "/etc/hosts")
    }

    pub(crate) fn at(resolv_conf: impl Into<PathBuf>, hosts: impl Into<PathBuf>) -> Self {
        let files =
            Self { resolv_conf: resolv_conf.into(), hosts: hosts.into(), last_seen: Mutex::default() };
        files.changed_since_last_check();
        files
    }

    /// Whether they are other than when this was asked last.
    pub(crate) fn changed_since_last_check(&self) -> bool {
        let changed = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        let now = [changed(&self.resolv_conf), changed(&self.hosts)];
        let mut read = self.last_seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *read, now) != now
    }

    /// The name servers, the search list and the options. Without a file, or without a name server in it, the
    /// machine's own is asked, as resolv.conf(5) says.
    pub(crate) fn configuration(&self) -> Result<(ResolverConfig, ResolverOpts), ResolverConfigError> {
        let path = self.resolv_conf.display();
        let text = match fs::read(&self.resolv_conf) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(ResolverConfigError(format!("{path} cannot be read: {error}"))),
        };
        let named =
            text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"nameserver"));
        let text = if named { text } else { [&text[..], b"\nnameserver 127.0.0.1\n"].concat() };
        parse_resolv_conf(text)
            .map_err(|error| ResolverConfigError(format!("{path} cannot be used: {error}")))
    }

    /// The hosts file; an empty one where there is none.
    pub(crate) fn hosts(&self) -> Hosts {
        let mut hosts = Hosts::default();
        let read = fs::read(&self.hosts).and_then(|text| hosts.read_hosts_conf(&text[..]));
        if let Err(error) = read
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.hosts.display(), %error, "hosts.unread");
        }
        hosts
    }
}
