//! Cases at full load: as many events as are accepted, from connections that each wait for an answer.

use serde_json::json;

use crate::Outcome;
use crate::driver::{LOANS, Plan};
use crate::figures::Figures;
use crate::load_run::LoadRun;
use crate::processes::{Receiver, drive};
use crate::server::Subscription;

use super::{Context, EVENT, subscriptions};

/// How many loans the case of an ordered subscription has.
const ORDERED_LOANS: u64 = 10_000;
const ORDERED: &str = "one subscription in order";

/// A kind of full load.
#[derive(PartialEq)]
pub(super) struct FullLoad {
    pub(super) name: &'static str,
    /// How many subscriptions each event matches.
    pub(super) fan_out: u64,
    pub(super) posters: usize,
    /// Events are of so many loans in turn.
    pub(super) loans: u64,
}

pub(super) const ONE: FullLoad = FullLoad { name: "one subscription", fan_out: 1, posters: 64, loans: LOANS };

impl FullLoad {
    pub(super) fn run(&self, context: &Context, figures: &mut Figures) -> Outcome {
        let receiver = Receiver::start()?;
        let subscriptions = subscriptions(self.fan_out, &receiver);
        self.measure(context, subscriptions, &[EVENT.to_owned()], &receiver, figures)
    }

    fn measure(
        &self,
        context: &Context,
        subscriptions: impl IntoIterator<Item = Subscription>,
        event_names: &[String],
        receiver: &Receiver,
        figures: &mut Figures,
    ) -> Outcome {
        let (server, _folder) = context.start(subscriptions)?;
        let plan = Plan {
            event_names: event_names.to_vec(),
            posters: self.posters,
            loans: self.loans,
            seconds: context.seconds,
            ..Plan::new(&server.address, EVENT)
        };
        let run = LoadRun::measure(&plan, receiver, self.fan_out, || server.processor_ms())?;
        run.add_to(self.name, figures);
        if self.fan_out == 1 {
            // Ten loans of all, with different last digits, so that of ten event names in turn each is among them.
            let step = self.loans as usize / 10 + 1;
            let waits = server.first_attempt_waits((0..self.loans).step_by(step))?;
            figures.add_latencies(&format!("{}: accepted to first attempt", self.name), waits);
        }
        if *self == ONE {
            let delivered = run.delivered_per_second();
            let most = context.maximum.get().map_or(delivered, |most| most.max(delivered));
            context.maximum.set(Some(most));
        }
        Ok(())
    }
}

/// Ten subscriptions, each to events of its own, that send to paths of one host: what may share connections.
pub(super) fn one_host(context: &Context, figures: &mut Figures) -> Outcome {
    let receiver = Receiver::start()?;
    let event_names: Vec<String> = (0..10).map(|number| format!("changed-{number}")).collect();
    let subscriptions =
        event_names.iter().map(|name| Subscription::new(name, receiver.url(&format!("/hook/{name}"))));
    let load = FullLoad { name: "ten subscriptions to one host", ..ONE };
    load.measure(context, subscriptions, &event_names, &receiver, figures)
}

/// One subscription that keeps the order of ten thousand loans.
pub(super) fn ordered(context: &Context, figures: &mut Figures) -> Outcome {
    let receiver = Receiver::start()?;
    let flow = Some(json!({"order": "loan"}));
    let subscription = Subscription { flow, ..Subscription::new(EVENT, receiver.url("/hook")) };
    let load = FullLoad { name: ORDERED, loans: ORDERED_LOANS, ..ONE };
    load.measure(context, [subscription], &[EVENT.to_owned()], &receiver, figures)?;
    let out_of_order = receiver.arrived()?.out_of_order;
    figures.add(format!("{ORDERED}: arrived out of order"), "", out_of_order as f64);
    Ok(())
}

/// The driver posts straight to the receiver: what the machine can do without a server.
pub(super) fn ceiling(context: &Context, figures: &mut Figures) -> Outcome {
    let receiver = Receiver::start()?;
    let plan = Plan { path: "/hook".into(), seconds: context.seconds, ..Plan::new(&receiver.address, EVENT) };
    let posted = drive(&plan)?;
    let arrived = receiver.arrived()?;
    figures.add("the ceiling: POSTs straight to the receiver", "/s", posted.accepted as f64 / posted.seconds);
    let processor = (posted.cpu + arrived.cpu) / posted.accepted as f64;
    figures.add("the ceiling: CPU of a POST, driver and receiver", "ms", processor);
    Ok(())
}
