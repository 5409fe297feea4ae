//! The admin key that the environment names, which `serve` does not keep there.
//!
//! What a process was started with can be read for as long as it lives (`/proc/PID/environ`), whatever it changes of its
//! environment, and every child inherits it. So `serve` begins by starting itself anew in this very process, without
//! the variable; the key goes through a pipe, on standard input, which `serve` has no other use for.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read as _};

use tracing::warn;

const VARIABLE: &str = "LOANHOOK_ADMIN_KEY";
/// Says to the program that is started anew that the key is on its standard input: its value is the ID of the process,
/// which stays the same, so that nobody else's word is taken for it.
const ON_STANDARD_INPUT: &str = "LOANHOOK_ADMIN_KEY_ON_STDIN";
/// No key is longer, and a pipe takes as much without a reader.
const LONGEST: usize = 4096;

/// Starts this program anew in this process without the key in its environment. Comes back where there is nothing to
/// do, or where it could not be done: then the key stays where it is.
pub(crate) fn leave_environment() {
    if let Some(key) = env::var_os(VARIABLE).filter(|key| !key.is_empty() && key.len() <= LONGEST) {
        // That it failed is told by `given`, once there is a log.
        let _ = start_anew(&key);
    }
}

#[cfg(unix)]
fn start_anew(key: &OsString) -> io::Error {
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
            .env_remove(VARIABLE)
            .env(ON_STANDARD_INPUT, std::process::id().to_string())
            .stdin(reader);
        Ok(command)
    };
    match command() {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

#[cfg(not(unix))]
fn start_anew(_: &OsString) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// Whether this very process was started anew by [`start_anew`].
#[cfg(unix)]
fn is_on_standard_input() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let named = env::var(ON_STANDARD_INPUT).is_ok_and(|id| id == std::process::id().to_string());
    let input =
        || io::stdin().as_fd().try_clone_to_owned().and_then(|input| std::fs::File::from(input).metadata());
    named && input().is_ok_and(|input| input.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_on_standard_input() -> bool {
    false
}

/// The key that this program was given, if any.
pub(super) fn given() -> Result<Option<String>, String> {
    let unread = |error| format!("{VARIABLE} could not be handed over: {error}");
    if is_on_standard_input() {
        let mut key = String::new();
        io::stdin().take(LONGEST as u64).read_to_string(&mut key).map_err(unread)?;
        return Ok(Some(key.trim_end().to_owned()).filter(|key| !key.is_empty()));
    }
    let Some(key) = env::var_os(VARIABLE).filter(|key| !key.is_empty()) else { return Ok(None) };
    warn!(
        advice = "who may look into this process can read LOANHOOK_ADMIN_KEY",
        "key.admin_key_stays_in_the_environment"
    );
    Ok(Some(key.to_string_lossy().into_owned()))
}
