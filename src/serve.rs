//! A loanhook in this process: the engine, the worker and the HTTP face, put together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use loanhook_core::deliver::Deliver;
use loanhook_core::keys;
use loanhook_core::keys::AdminKey;
use loanhook_core::model::key::SecretKey;
use loanhook_core::model::time::Timestamp;
use loanhook_http::web::Site;
use loanhook_http::{api, page};
use loanhook_sender::Client;
use loanhook_sqlite::{DispatchLimits, SqliteEngine, Task, Worker};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

use super::descriptors;
use super::listener::{self, Bounds};

/// The longest webhook takes 30 s: one that has not finished by then is not waited for.
const PATIENCE: Duration = Duration::from_secs(35);
/// How long callers that have not finished their requests are waited for.
const PATIENCE_WITH_CALLERS: Duration = Duration::from_secs(5);

pub(super) struct ServeOptions {
    pub(super) listen: SocketAddr,
    pub(super) data: PathBuf,
    pub(super) allow_networks: Vec<ipnet::IpNet>,
    /// Whose `X-Forwarded-For` says where a request came from.
    pub(super) trusted_proxies: Vec<ipnet::IpNet>,
    /// How many sends are in flight at once.
    pub(super) concurrency: u32,
    pub(super) admin_key: Option<String>,
    pub(super) site: Site,
}

pub(super) struct Running {
    pub(super) address: SocketAddr,
    /// The key of the first start, if this is it and none was chosen; else the chosen one.
    pub(super) admin_key: Option<String>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    worker: JoinHandle<()>,
}

/// Starts serving; what a run before this one left unfinished goes on at once.
pub(super) async fn start(options: ServeOptions) -> Result<Running, String> {
    let chosen = options.admin_key.as_deref().map(SecretKey::chosen).transpose();
    let chosen = chosen.map_err(|fault| format!("LOANHOOK_ADMIN_KEY {fault}"))?;
    let share = descriptors::share_out(options.concurrency);
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr().map_err(|error| format!("cannot listen: {error}"))?;
    let sender = Client::with_idle(options.allow_networks, share.idle).map_err(|error| error.to_string())?;
    let engine = SqliteEngine::open(&options.data).map_err(|error| error.to_string())?;
    // Last of what can fail: a key that was made must be shown.
    let ensured = keys::ensure_admin(&engine, chosen, Timestamp::now()).await;
    let made = match ensured.map_err(|error| error.to_string())? {
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
    let deliver = Arc::new(Deliver { store: engine.clone(), sender, lease: None, deadline: None });
    let handler = move |task, now| {
        let deliver = Arc::clone(&deliver);
        async move {
            match task {
                Task::Message(message) => deliver.handle(message, now).await,
                Task::Claimed(claimed, permit) => deliver.send_claimed(*claimed, permit).await,
            }
        }
    };
    let limits = DispatchLimits { process_permits: share.concurrency, ..DispatchLimits::default() };
    let worker = Worker::new(engine.clone(), handler, limits).run(stopped.clone());
    let router = api::events(engine.clone())
        .merge(api::history(engine.clone()))
        .merge(api::portal(engine.clone(), options.site.clone()))
        .merge(api::subscriptions(engine.clone()))
        .merge(page::router(engine, options.site));
    let bounds = Bounds { connections: share.connections, trusted_proxies: options.trusted_proxies };
    let server = listener::serve(listener, api::complete(router), bounds, stopped);
    Ok(Running {
        address,
        admin_key: made.or(options.admin_key),
        stop,
        server: tokio::spawn(server),
        worker: tokio::spawn(worker),
    })
}

impl Running {
    /// Waits until something that should go on for ever has ended, and says what.
    pub(super) async fn failed(&mut self) -> String {
        tokio::select! {
            ended = &mut self.server => format!("the server ended: {ended:?}"),
            ended = &mut self.worker => format!("the worker ended: {ended:?}"),
        }
    }

    /// Takes nothing more in and finishes what is in flight.
    pub(super) async fn stop(self) -> Result<(), String> {
        self.stop.send_replace(true);
        // A caller that sends half a request and no more is owed nothing.
        let (_, worked) = tokio::join!(
            tokio::time::timeout(PATIENCE_WITH_CALLERS, self.server),
            tokio::time::timeout(PATIENCE, self.worker),
        );
        match worked {
            Ok(worked) => worked.map_err(|error| format!("the worker failed: {error}")),
            Err(_) => {
                Err("a webhook had not finished; it is recorded as interrupted at the next start".into())
            }
        }
    }
}
