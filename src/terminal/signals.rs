//! Being asked to end: Ctrl-C, or SIGTERM where there is one.

use crate::Outcome;

/// Listens from now on; what it returns is ready when the process is asked to end.
#[cfg(unix)]
pub(crate) fn asked_to_end() -> Outcome<impl Future<Output = ()>> {
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

/// Listens from now on; what it returns is ready when the process is asked to end.
#[cfg(windows)]
pub(crate) fn asked_to_end() -> Outcome<impl Future<Output = ()>> {
    let mut interrupt =
        tokio::signal::windows::ctrl_c().map_err(|error| format!("cannot listen for signals: {error}"))?;
    Ok(async move {
        interrupt.recv().await;
    })
}
