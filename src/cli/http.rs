//! The listener of the one process: HTTP/1.1 connections, served until they are asked to end.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{debug, warn};

/// A request whose head has not come by then is given up.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// The rest after the system would not give us a connection (it is out of file descriptors, say).
const REST: Duration = Duration::from_millis(100);

/// Serves until `stopped` is true, then ends once no request is being answered.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // That nobody is left to stop this means the same.
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "api.no_connection");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        // An answer is written whole: waiting to fill a packet would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "api.nodelay");
        }
        let service = TowerToHyperService::new(router.clone());
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "api.connection_ended");
            }
        });
    }
    drop(listener);
    connections.shutdown().await;
}
