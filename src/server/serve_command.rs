//! `loanhook serve`: runs a server until a signal asks it to end, then finishes the requests and webhooks in flight.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::operational::EXHAUSTED_WINDOW;
use loanhook_http::web::{FrameAncestors, Origin, SiteSettings};
use tracing::warn;

use super::environment_secrets::{self, ADMIN_KEY};
use super::logging::{self, LogFormat};
use super::master_key::MasterKeyArgs;
use super::networks::Networks;
use super::oidc::OidcArgs;
use super::running_server::{self, ServerOptions};
use crate::error::CommandResult;
use crate::terminal::{output, signals};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on
    #[arg(long, value_name = "ADDR:PORT", env = "LOANHOOK_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The folder that keeps everything; made if it is not there
    #[arg(long, value_name = "FOLDER", env = "LOANHOOK_DATA", default_value = "./loanhook-data")]
    data: PathBuf,
    #[command(flatten)]
    master_key: MasterKeyArgs,
    /// A network that webhooks may go to although it is not public (repeatable, or comma-separated)
    #[arg(long, value_name = "CIDR", env = "LOANHOOK_ALLOW_NETWORKS")]
    allow_network: Vec<Networks>,
    /// A proxy before this whose X-Forwarded-For is believed (repeatable, or comma-separated)
    #[arg(long, value_name = "CIDR", env = "LOANHOOK_TRUSTED_PROXIES")]
    trusted_proxy: Vec<Networks>,
    /// How many requests may be under way at once: of one tenant half of them, of one webhook a quarter, fewer while its receiver is slow or fails
    #[arg(
        long,
        value_name = "N",
        env = "LOANHOOK_CONCURRENCY",
        default_value = "256",
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=65_536)
    )]
    concurrency: u32,
    /// Which events are kept with what each webhook decided about them: all, matched (those that were sent) or none
    #[arg(long, value_name = "WHICH", env = "LOANHOOK_EVENT_LEDGER", default_value = "all")]
    event_ledger: LedgerScope,
    /// The address under which people reach the loan pages, for portal links [default: that of the request]
    #[arg(long, value_name = "URL", env = "LOANHOOK_PUBLIC_URL")]
    public_url: Option<Origin>,
    // No doc comment: rustdoc would want the address to be a link.
    #[arg(
        long,
        value_name = "ORIGINS",
        env = "LOANHOOK_FRAME_ANCESTORS",
        help = "Sites that may show the loan pages in a frame, such as https://lms.lender.example (comma-separated)"
    )]
    frame_ancestors: Option<FrameAncestors>,
    #[command(flatten)]
    oidc: OidcArgs,
    /// Where metrics are read, at /metrics, by whoever reaches this address [default: nowhere]
    #[arg(long, value_name = "ADDR:PORT", env = "LOANHOOK_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// How many seconds exhausted deliveries are gathered before an operational event tells of them; for tests
    #[arg(long, value_name = "S", env = "LOANHOOK_EXHAUSTED_WINDOW_SECONDS", hide = true)]
    exhausted_window_seconds: Option<u64>,
    /// How the log on standard error looks
    #[arg(long, env = "LOANHOOK_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

pub(crate) async fn run(args: ServeArgs) -> CommandResult {
    logging::start(args.log_format, "info")?;
    let end_requested = signals::termination()?;
    warn_of_unencrypted_listening(args.listen, args.public_url.as_ref());
    let secrets = environment_secrets::read()?;
    let master_key = args.master_key.read(&secrets)?;
    let provider = args.oidc.provider(&secrets)?;
    let chosen_key = secrets.get(ADMIN_KEY).map(str::to_owned);
    let key_was_chosen = chosen_key.is_some();
    // Before the start, which ends what an earlier process left under way.
    let span_export = loanhook_otlp::start().map_err(|error| error.to_string())?;
    let mut server = running_server::start(ServerOptions {
        listen: args.listen,
        data_folder: args.data,
        master_key,
        allow_networks: args.allow_network.into_iter().flat_map(|networks| networks.0).collect(),
        trusted_proxies: args.trusted_proxy.into_iter().flat_map(|networks| networks.0).collect(),
        concurrency: args.concurrency,
        event_ledger: args.event_ledger,
        admin_key: chosen_key,
        site: SiteSettings {
            public_url: args.public_url,
            frame_ancestors: args.frame_ancestors.unwrap_or_default(),
            provider,
            // Wrong settings end the start.
            provider_is_set_up_wrongly: false,
        },
        metrics_listen: args.metrics_listen,
        exhausted_window: args.exhausted_window_seconds.map_or(EXHAUSTED_WINDOW, Duration::from_secs),
    })
    .await?;

    // A closed standard output is no reason not to serve.
    if let (Some(key), false) = (&server.admin_key, key_was_chosen) {
        let _ = output::line(format_args!("admin key (shown once, keep it): {key}"));
    }
    if let Some(address) = server.metrics_address {
        let _ = output::line(format_args!("metrics are at http://{address}/metrics"));
    }
    if let Some(file) = &server.new_master_key_file {
        let _ = output::line(format_args!(
            "master key: {}, which only its owner can read. Header values and signing secrets are sealed with it: a copy or a backup \
             of the database alone does not show them, a copy of the whole folder does. Keep a copy of the key elsewhere: without \
             it they are lost",
            file.display()
        ));
    }
    let _ = output::line(format_args!("loanhook is listening on http://{}", server.address));

    let result = tokio::select! {
        () = end_requested => server.stop_unless_interrupted().await,
        reason = server.ended_unexpectedly() => Err(reason.into()),
    };
    if let Some(export) = span_export {
        export.stop().await;
    }
    result
}

/// Keys and data of loans must not travel unencrypted between machines.
fn warn_of_unencrypted_listening(listen: SocketAddr, public_url: Option<&Origin>) {
    if !listen.ip().to_canonical().is_loopback() && !public_url.is_some_and(Origin::is_https) {
        warn!(
            %listen,
            "listen.in_clear: other machines reach this address over HTTP in clear; put TLS in front of it, and name \
             its address with --public-url https://…"
        );
    }
}
