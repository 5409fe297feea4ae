//! `loanhook serve`: runs until it is asked to end, then finishes what is in flight.

use std::net::SocketAddr;

use loanhook_http::web::{Reached, Site};
use tracing::warn;

use super::running_server::{self, Running, ServeOptions};
use super::{admin_key, logging};
use crate::Outcome;
use crate::arguments::ServeArgs;
use crate::terminal::{output, signals};

pub(crate) async fn run(args: ServeArgs) -> Outcome {
    logging::start(args.log_format, "info")?;
    let ended = signals::asked_to_end()?;
    warn_of_listening_in_clear(args.listen, args.public_url.as_ref());
    let given_key = admin_key::given()?;
    let key_was_given = given_key.is_some();
    let mut running = running_server::start(ServeOptions {
        listen: args.listen,
        data: args.data,
        allow_networks: args.allow_network.into_iter().flat_map(|networks| networks.0).collect(),
        trusted_proxies: args.trusted_proxy.into_iter().flat_map(|networks| networks.0).collect(),
        concurrency: args.concurrency,
        admin_key: given_key,
        site: Site { public_url: args.public_url, frame_ancestors: args.frame_ancestors.unwrap_or_default() },
    })
    .await?;

    // That nobody reads these lines (any more) is no reason not to serve.
    if let (Some(key), false) = (&running.admin_key, key_was_given) {
        let _ = output::line(format_args!("admin key (shown once, keep it): {key}"));
    }
    let _ = output::line(format_args!("loanhook is listening on http://{}", running.address));

    tokio::select! {
        () = ended => stop(running).await,
        failure = running.failed() => Err(failure.into()),
    }
}

/// Keys, and what is known of loans, must not travel where others can read along.
fn warn_of_listening_in_clear(listen: SocketAddr, public_url: Option<&Reached>) {
    if !listen.ip().to_canonical().is_loopback() && !public_url.is_some_and(Reached::is_https) {
        warn!(
            %listen,
            "listen.in_clear: other machines reach this address over HTTP in clear; put TLS in front of it, and name \
             its address with --public-url https://…"
        );
    }
}

/// Finishes what is in flight, unless asked to end once more.
pub(crate) async fn stop(running: Running) -> Outcome {
    let asked_again = signals::asked_to_end()?;
    tokio::select! {
        stopped = running.stop() => Ok(stopped?),
        () = asked_again => Err("ended before what was in flight had finished".to_owned().into()),
    }
}
