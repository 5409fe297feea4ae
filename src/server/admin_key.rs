//! The admin key of `LOANHOOK_ADMIN_KEY`, which `serve` reads and does not keep in its environment.
//!
//! The environment that a process was started with can be read as long as it lives (`/proc/PID/environ`), whatever it
//! changes of it, and every child inherits it. So `serve` begins by replacing its program with the same program (`exec`,
//! which keeps the process ID) without the variable. The key goes through a pipe on standard input, which `serve` does
//! not use otherwise.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read as _};

use tracing::warn;

const KEY_VARIABLE: &str = "LOANHOOK_ADMIN_KEY";
/// Says that the key is on standard input. Its value is the process ID, which `exec` keeps: a value that was inherited
/// from another process is ignored.
const KEY_ON_STDIN_VARIABLE: &str = "LOANHOOK_ADMIN_KEY_ON_STDIN";
/// Longer than any valid key, and what a pipe buffers without a reader.
const MAX_KEY_BYTES: usize = 4096;

/// Replaces this program with itself, without the key in its environment. Returns where there is no key, or where this
/// failed: then the key stays in the environment.
pub(crate) fn remove_from_environment() {
    if let Some(key) = env::var_os(KEY_VARIABLE).filter(|key| !key.is_empty() && key.len() <= MAX_KEY_BYTES) {
        // `read` logs that it failed: there is no log yet.
        let _ = exec_without_key(&key);
    }
}

#[cfg(unix)]
fn exec_without_key(key: &OsString) -> io::Error {
    use std::io::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::process::CommandExt as _;

    let command = || -> io::Result<std::process::Command> {
        let (reader, mut writer) = io::pipe()?;
        writer.write_all(key.as_bytes())?;
        let mut arguments = env::args_os();
        let mut command = std::process::Command::new(env::current_exe()?);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command
            .args(arguments)
            .env_remove(KEY_VARIABLE)
            .env(KEY_ON_STDIN_VARIABLE, std::process::id().to_string())
            .stdin(reader);
        Ok(command)
    };
    match command() {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

#[cfg(not(unix))]
fn exec_without_key(_: &OsString) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// Whether [`exec_without_key`] started this program.
#[cfg(unix)]
fn key_is_on_stdin() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let named = env::var(KEY_ON_STDIN_VARIABLE).is_ok_and(|id| id == std::process::id().to_string());
    let input =
        || io::stdin().as_fd().try_clone_to_owned().and_then(|input| std::fs::File::from(input).metadata());
    named && input().is_ok_and(|input| input.file_type().is_fifo())
}

#[cfg(not(unix))]
fn key_is_on_stdin() -> bool {
    false
}

/// The key that was given to this program, if any, not checked yet.
///
/// # Errors
///
/// The key could not be read from standard input.
pub(super) fn read() -> Result<Option<String>, String> {
    let read_error = |error| format!("{KEY_VARIABLE} could not be handed over: {error}");
    if key_is_on_stdin() {
        let mut key = String::new();
        io::stdin().take(MAX_KEY_BYTES as u64).read_to_string(&mut key).map_err(read_error)?;
        return Ok(Some(key.trim_end().to_owned()).filter(|key| !key.is_empty()));
    }
    let Some(key) = env::var_os(KEY_VARIABLE).filter(|key| !key.is_empty()) else { return Ok(None) };
    warn!(
        advice = "who may look into this process can read LOANHOOK_ADMIN_KEY",
        "key.admin_key_stays_in_the_environment"
    );
    Ok(Some(key.to_string_lossy().into_owned()))
}
