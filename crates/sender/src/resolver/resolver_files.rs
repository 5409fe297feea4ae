//! The files that configure how the system looks names up: `/etc/resolv.conf` (name servers, search list, options;
//! resolv.conf(5)) and `/etc/hosts` (hosts(5)).

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

/// The system's configuration of name lookups cannot be read or used.
#[derive(Debug, Error)]
#[error("names cannot be looked up: {0}")]
pub struct ResolverConfigError(String);

impl ResolverConfigError {
    pub(crate) fn new(error: &impl Display) -> Self {
        Self(error.to_string())
    }
}

/// When `resolv.conf` and `hosts` were last modified, as far as that is known.
type ModificationTimes = [Option<SystemTime>; 2];

/// The paths of the files, and when they were last modified as of the last check.
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

    /// Whether a file was modified since the last call.
    pub(crate) fn changed_since_last_check(&self) -> bool {
        let modified = |path: &PathBuf| fs::metadata(path).and_then(|file| file.modified()).ok();
        let now = [modified(&self.resolv_conf), modified(&self.hosts)];
        let mut last_seen = self.last_seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last_seen, now) != now
    }

    /// The name servers, the search list and the options. Without a file, or without a name server in it, the name server
    /// of this machine is asked, as resolv.conf(5) says.
    pub(crate) fn configuration(&self) -> Result<(ResolverConfig, ResolverOpts), ResolverConfigError> {
        let path = self.resolv_conf.display();
        let text = match fs::read(&self.resolv_conf) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(ResolverConfigError(format!("{path} cannot be read: {error}"))),
        };
        let has_name_server =
            text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"nameserver"));
        let text = if has_name_server { text } else { [&text[..], b"\nnameserver 127.0.0.1\n"].concat() };
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
