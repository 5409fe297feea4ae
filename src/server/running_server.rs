//! A server in this process: the SQLite engine, the worker that sends webhooks, and the HTTP interface with its pages.
//!
//! `loanhook serve` and `loanhook demo` start it. Data of an earlier run is read at the start, and its unfinished
//! deliveries go on at once. Signals are left to the caller.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loanhook_core::deliver::Deliver;
use loanhook_core::keys;
use loanhook_core::keys::AdminKey;
use loanhook_core::model::key::SecretKey;
use loanhook_core::model::ledger::LedgerScope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::tokens::{AuthenticatedSender, MemoryTokens};
use loanhook_http::web::SiteSettings;
use loanhook_http::{api, page};
use loanhook_sender::WebhookClient;
use loanhook_sqlite::{DispatchLimits, EngineOptions, MasterKey, SqliteEngine, Task, Worker};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use super::listener::{self, ListenerOptions};
use super::{
    file_descriptors, metrics, operational_events, recovery_jobs, sealed_secrets, stored_credentials,
};
use crate::error::CommandResult;
use crate::terminal::signals;

/// At the end webhooks in flight are waited for so long: more than the 30 s that an attempt may take.
const WORKER_STOP_TIMEOUT: Duration = Duration::from_secs(35);
/// At the end callers that have not finished their requests are waited for so long.
const LISTENER_STOP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct ServerOptions {
    /// With port 0 the system chooses one.
    pub(crate) listen: SocketAddr,
    pub(crate) data_folder: PathBuf,
    /// The key that seals secrets.
    pub(crate) master_key: MasterKey,
    /// Networks that webhooks may go to although they are not public.
    pub(crate) allow_networks: Vec<ipnet::IpNet>,
    /// Proxies whose `X-Forwarded-For` gives the address of a caller.
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    /// How many attempts may be in flight at once; fewer where the limit of open files is small.
    pub(crate) concurrency: u32,
    /// Which events the ledger keeps.
    pub(crate) event_ledger: LedgerScope,
    /// The key of `LOANHOOK_ADMIN_KEY`, not checked yet.
    pub(crate) admin_key: Option<String>,
    pub(crate) site: SiteSettings,
    /// Where metrics are read; nothing is counted for them without.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// How long exhausted deliveries are gathered before an operational event tells of them.
    pub(crate) exhausted_window: Duration,
}

/// A server that serves until it is stopped.
pub(crate) struct RunningServer {
    pub(crate) address: SocketAddr,
    /// Where metrics are read.
    pub(crate) metrics_address: Option<SocketAddr>,
    /// The chosen admin key, or the one that the first start made.
    pub(crate) admin_key: Option<String>,
    /// The data folder's own master key, where this start is the first that uses it.
    pub(crate) new_master_key_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    worker: JoinHandle<()>,
    jobs: JoinHandle<()>,
    operational_events: JoinHandle<()>,
    metrics: JoinHandle<()>,
}

/// Starts a server.
///
/// # Errors
///
/// The admin key is not valid, the address is taken, or the data folder or its master key cannot be used; in a sentence.
pub(crate) async fn start(options: ServerOptions) -> Result<RunningServer, String> {
    let chosen_key = options.admin_key.as_deref().map(SecretKey::chosen).transpose();
    let chosen_key = chosen_key.map_err(|fault| format!("LOANHOOK_ADMIN_KEY {fault}"))?;
    let budget = file_descriptors::allocate(options.concurrency);
    let (listener, address) = bind(options.listen).await?;
    let metrics_listener = match options.metrics_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let sender = WebhookClient::with_max_idle_connections(options.allow_networks, budget.idle_connections)
        .map_err(|error| error.to_string())?;
    let engine_options = EngineOptions {
        ledger_scope: options.event_ledger,
        metrics: metrics_listener.is_some(),
        master_key: options.master_key,
        exhausted_window: options.exhausted_window,
    };
    let engine =
        SqliteEngine::open_with(&options.data_folder, engine_options).map_err(|error| error.to_string())?;
    // Nothing after this can fail: a key that was made must be shown.
    let ensured = keys::ensure_admin(&engine, chosen_key, Timestamp::now()).await;
    let made_key = match ensured.map_err(|error| error.to_string())? {
        AdminKey::Made(key) => Some(key.expose().to_owned()),
        AdminKey::Ready => None,
        AdminKey::Deleted => {
            warn!(
                advice = "set LOANHOOK_ADMIN_KEY to another key, or unset it and use a key that there is",
                "key.admin_key_was_deleted_and_stays_so"
            );
            None
        }
    };

    let (stop, stopped) = watch::channel(false);
    let checking = sender.clone();
    let sender = AuthenticatedSender { sender, tokens: MemoryTokens::default() };
    let deliver = Arc::new(Deliver { store: engine.clone(), sender, lease: None, deadline: None });
    let handler = move |task: Task, now| {
        let deliver = Arc::clone(&deliver);
        async move { task.run(&deliver, now).await }
    };
    let limits = DispatchLimits { process_permits: budget.concurrency, ..DispatchLimits::default() };
    let worker = Worker::new(engine.clone(), handler, limits).run(stopped.clone());
    let jobs = recovery_jobs::run(engine.clone(), stopped.clone());
    let operational_events = operational_events::run(engine.clone(), stopped.clone());
    tokio::spawn(stored_credentials::take_out(engine.clone(), stopped.clone()));
    tokio::spawn(sealed_secrets::keep(engine.clone(), stopped.clone()));
    let new_master_key_file = engine.new_master_key_file();
    let metrics_address = metrics_listener.as_ref().map(|(_, address)| *address);
    let metrics =
        metrics_listener.map(|(listener, _)| metrics::serve(listener, engine.clone(), stopped.clone()));
    let router = api::events(engine.clone())
        .merge(api::history(engine.clone()))
        .merge(api::jobs(engine.clone()))
        .merge(api::operation(engine.clone()))
        .merge(api::portal(engine.clone(), options.site.clone()))
        .merge(api::subscriptions(engine.clone()))
        .merge(api::subscription_check(engine.clone(), checking.clone()))
        .merge(page::settings_router(engine.clone(), checking, options.site.clone()))
        .merge(page::router(engine, options.site));
    let listener_options = ListenerOptions {
        max_connections: budget.caller_connections,
        trusted_proxies: options.trusted_proxies,
    };
    let listener = listener::serve(listener, api::with_middleware(router), listener_options, stopped);
    Ok(RunningServer {
        address,
        metrics_address,
        admin_key: made_key.or(options.admin_key),
        new_master_key_file,
        stop,
        listener: tokio::spawn(listener),
        worker: tokio::spawn(worker),
        jobs: tokio::spawn(jobs),
        operational_events: tokio::spawn(operational_events),
        metrics: tokio::spawn(async {
            if let Some(metrics) = metrics {
                metrics.await
            }
        }),
    })
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), String> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|error: std::io::Error| format!("cannot listen on {address}: {error}"))
}

impl RunningServer {
    /// Waits until the listener, the worker or a task has ended, which they should not, and says which.
    pub(crate) async fn ended_unexpectedly(&mut self) -> String {
        tokio::select! {
            ended = &mut self.listener => format!("the server ended: {ended:?}"),
            ended = &mut self.worker => format!("the worker ended: {ended:?}"),
            ended = &mut self.jobs => format!("the task of recovery jobs ended: {ended:?}"),
            ended = &mut self.operational_events => format!("the task of operational events ended: {ended:?}"),
        }
    }

    /// Stops, and returns at once with an error if a signal asks to end meanwhile.
    pub(crate) async fn stop_unless_interrupted(self) -> CommandResult {
        let end_requested_again = signals::termination()?;
        tokio::select! {
            stopped = self.stop() => Ok(stopped?),
            () = end_requested_again => Err("ended before what was in flight had finished".to_owned().into()),
        }
    }

    /// Takes nothing more in, and finishes the requests of callers and the attempts in flight.
    async fn stop(self) -> Result<(), String> {
        self.stop.send_replace(true);
        // A caller that has sent half a request cannot delay the end for long.
        let (_, _, _, _, worker_result) = tokio::join!(
            tokio::time::timeout(LISTENER_STOP_TIMEOUT, self.listener),
            tokio::time::timeout(LISTENER_STOP_TIMEOUT, self.metrics),
            // A step that is cut off is finished after the next start.
            tokio::time::timeout(LISTENER_STOP_TIMEOUT, self.jobs),
            tokio::time::timeout(LISTENER_STOP_TIMEOUT, self.operational_events),
            tokio::time::timeout(WORKER_STOP_TIMEOUT, self.worker),
        );
        match worker_result {
            Ok(result) => result.map_err(|error| format!("the worker failed: {error}")),
            Err(_) => {
                Err("a webhook had not finished; it is recorded as interrupted at the next start".into())
            }
        }
    }
}
