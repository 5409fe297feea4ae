//! The cases: what each does with a server in one run, and the figures that it measures.

mod drain;
mod full_load;
mod growth;
mod paced;

use std::cell::Cell;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::figures::Figures;
use crate::processes::Receiver;
use crate::server::{Server, Subscription, data_folder};
use full_load::FullLoad;

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    run: fn(&Context, &mut Figures) -> Outcome,
    /// Long, and its figures need no second run.
    once: bool,
}

/// All cases, in the order in which they are run and read. `rate-80-percent` comes after `full-load`, whose maximum it
/// takes.
pub(crate) const ALL: &[Case] = &[
    Case::new("ceiling", full_load::ceiling),
    Case::new("full-load", |context, figures| full_load::ONE.run(context, figures)),
    Case::new("full-load-256", |context, figures| {
        FullLoad { name: "one subscription, 256 posters", posters: 256, ..full_load::ONE }
            .run(context, figures)
    }),
    Case::new("fan-out-5", |context, figures| {
        FullLoad { name: "fan-out of five", fan_out: 5, ..full_load::ONE }.run(context, figures)
    }),
    Case::new("fan-out-10", |context, figures| {
        FullLoad { name: "fan-out of ten", fan_out: 10, ..full_load::ONE }.run(context, figures)
    }),
    Case::new("one-host", full_load::one_host),
    Case::new("ordered", full_load::ordered),
    Case::new("rate-100", |context, figures| paced::rate(context, 100, figures)),
    Case::new("rate-200", |context, figures| paced::rate(context, 200, figures)),
    Case::new("rate-300", |context, figures| paced::rate(context, 300, figures)),
    Case::new("rate-1000", |context, figures| paced::rate(context, 1000, figures)),
    Case::new("rate-80-percent", paced::rate_80_percent),
    Case::new("mix", paced::mix),
    Case::new("drain", drain::run),
    Case { once: true, ..Case::new("waiting", growth::waiting) },
    Case { once: true, ..Case::new("many", growth::many) },
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|case| case.name)
}

impl Case {
    const fn new(name: &'static str, run: fn(&Context, &mut Figures) -> Outcome) -> Self {
        Self { name, run, once: false }
    }

    /// One run, on a new server.
    pub(crate) fn run(&self, context: &Context) -> Outcome<Figures> {
        let mut figures = Figures::default();
        (self.run)(context, &mut figures)?;
        Ok(figures)
    }

    pub(crate) fn runs(&self, context: &Context) -> usize {
        if self.once { 1 } else { context.runs }
    }
}

/// The server that is measured, and how much each case does.
pub(crate) struct Context {
    pub(crate) server: PathBuf,
    seconds: f64,
    runs: usize,
    many: u64,
    /// Whether its metrics are on, and read.
    pub(super) with_metrics: bool,
    /// Of the runs at full load so far: the most webhooks a second, once there was one.
    maximum: Cell<Option<f64>>,
}

impl Context {
    pub(crate) fn new(server: PathBuf, with_metrics: bool, arguments: &Arguments) -> Self {
        let (seconds, runs, many) = (arguments.seconds(), arguments.runs, arguments.many);
        Self { server, seconds, runs, many, with_metrics, maximum: Cell::new(None) }
    }

    /// A server on a new folder, with these subscriptions.
    fn start(&self, subscriptions: impl IntoIterator<Item = Subscription>) -> Outcome<(Server, TempDir)> {
        let folder = data_folder()?;
        let server = Server::start(&self.server, folder.path(), self.with_metrics)?;
        for subscription in subscriptions {
            server.subscribe(&subscription)?;
        }
        Ok((server, folder))
    }
}

/// The event name of most cases.
const EVENT: &str = "changed";

/// So many subscriptions to [`EVENT`] that send to a receiver which answers at once.
fn subscriptions(count: u64, receiver: &Receiver) -> impl Iterator<Item = Subscription> {
    (0..count).map(|_| Subscription::new(EVENT, receiver.url("/hook")))
}
