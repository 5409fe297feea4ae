//! Secrets of the environment, which `serve` reads and does not keep in it: the admin key, the master keys and the
//! secret of the OpenID client.
//!
//! The environment that a process was started with can be read as long as it lives (`/proc/PID/environ`), whatever it
//! changes of it, and every child inherits it. So `serve` begins by replacing its program with the same program (`exec`,
//! which keeps the process ID) without these variables. They go through a pipe on standard input, which `serve` does
//! not use otherwise.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read as _};

use tracing::warn;

pub(crate) const ADMIN_KEY: &str = "LOANHOOK_ADMIN_KEY";
pub(crate) const MASTER_KEY: &str = "LOANHOOK_MASTER_KEY";
pub(crate) const MASTER_KEY_BEFORE: &str = "LOANHOOK_MASTER_KEY_OLD";
pub(crate) const OIDC_CLIENT_SECRET: &str = "LOANHOOK_OIDC_CLIENT_SECRET";
const VARIABLES: [&str; 4] = [ADMIN_KEY, MASTER_KEY, MASTER_KEY_BEFORE, OIDC_CLIENT_SECRET];
/// Says that the secrets are on standard input. Its value is the process ID, which `exec` keeps: a value that was inherited
/// from another process is ignored.
const ON_STDIN_VARIABLE: &str = "LOANHOOK_SECRETS_ON_STDIN";
/// Longer than valid ones are together, and what a pipe buffers without a reader.
const MAX_BYTES: usize = 4096;

/// The secrets that were given to this program, not checked yet.
#[derive(Default)]
pub(crate) struct EnvironmentSecrets(Vec<(&'static str, String)>);

impl EnvironmentSecrets {
    /// Those of the environment, for a command that ends soon and keeps them there.
    pub(crate) fn of_environment() -> Self {
        let found = set_variables().into_iter();
        Self(found.map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect())
    }

    /// The value of a variable.
    pub(crate) fn get(&self, variable: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == variable).map(|(_, value)| value.as_str())
    }
}

/// The variables that are set.
fn set_variables() -> Vec<(&'static str, OsString)> {
    let set = VARIABLES.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
    set.filter(|(name, value)| is_given(name, value.is_empty())).collect()
}

/// An empty admin key or client secret is none. An empty master key is an error, as every text that is no key: a folder would be sealed with a key of its own.
fn is_given(variable: &str, is_empty: bool) -> bool {
    !is_empty || ![ADMIN_KEY, OIDC_CLIENT_SECRET].contains(&variable)
}

/// Replaces this program with itself, without the secrets in its environment. Returns where there are none, or where this
/// failed: then they stay in the environment.
pub(crate) fn remove_from_environment() {
    let found = set_variables();
    let bytes: usize = found.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if !found.is_empty() && bytes <= MAX_BYTES {
        // `read` logs that it failed: there is no log yet.
        let _ = exec_without(&found);
    }
}

#[cfg(unix)]
fn exec_without(found: &[(&'static str, OsString)]) -> io::Error {
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::process::CommandExt as _;

    let command = || -> io::Result<std::process::Command> {
        let (reader, mut writer) = io::pipe()?;
        for (name, value) in found {
            // No variable has a zero byte.
            writer.write_all(&[name.as_bytes(), b"=", value.as_bytes(), b"\0"].concat())?;
        }
        let mut arguments = env::args_os();
        let mut command = std::process::Command::new(env::current_exe()?);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.args(arguments).env(ON_STDIN_VARIABLE, std::process::id().to_string()).stdin(reader);
        Ok(command)
    };
    match command() {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

#[cfg(not(unix))]
fn exec_without(_: &[(&'static str, OsString)]) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// Whether [`exec_without`] started this program.
#[cfg(unix)]
fn are_on_stdin() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let named = env::var(ON_STDIN_VARIABLE).is_ok_and(|id| id == std::process::id().to_string());
    let input =
        || io::stdin().as_fd().try_clone_to_owned().and_then(|input| std::fs::File::from(input).metadata());
    named && input().is_ok_and(|input| input.file_type().is_fifo())
}

#[cfg(not(unix))]
fn are_on_stdin() -> bool {
    false
}

/// The secrets that were given to this program.
///
/// # Errors
///
/// They could not be read from standard input.
pub(super) fn read() -> Result<EnvironmentSecrets, String> {
    if are_on_stdin() {
        let mut handed_over = String::new();
        io::stdin()
            .take(MAX_BYTES as u64)
            .read_to_string(&mut handed_over)
            .map_err(|error| format!("the secrets of the environment could not be handed over: {error}"))?;
        let of_line = |line: &str| {
            let (name, value) = line.split_once('=')?;
            let name = VARIABLES.into_iter().find(|variable| *variable == name)?;
            Some((name, value.trim_end().to_owned())).filter(|(name, value)| is_given(name, value.is_empty()))
        };
        return Ok(EnvironmentSecrets(handed_over.split('\0').filter_map(of_line).collect()));
    }
    let secrets = EnvironmentSecrets::of_environment();
    for (name, _) in &secrets.0 {
        warn!(name, advice = "who may look into this process can read it", "secret.stays_in_the_environment");
    }
    Ok(secrets)
}
