//! Signals that ask this process to end: Ctrl-C, and SIGTERM where there is one.

use crate::error::CommandResult;

/// Listens from this call on; the future is ready when a signal asks the process to end.
#[cfg(unix)]
pub(crate) fn termination() -> CommandResult<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens from this call on; the future is ready when a signal asks the process to end.
#[cfg(windows)]
pub(crate) fn termination() -> CommandResult<impl Future<Output = ()>> {
    let mut interrupt =
        tokio::signal::windows::ctrl_c().map_err(|error| format!("cannot listen for signals: {error}"))?;
    Ok(async move {
        interrupt.recv().await;
    })
}
