//! Workers: each handles one message, as a function does, with a time limit and a lease. What they are handed keeps to the limits
//! and the hold of its subscription, as in the one process.

use std::time::Duration;

use loanhook_core::deliver::Deliver;
use loanhook_core::model::flow::throttle::Allowance;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Simulation;
use crate::breaks::Break;
use crate::faults::Fault;
use crate::queue::Receipt;
use crate::receiver::Receiver;
use crate::rules::flow;
use crate::throttles::Permit;
use crate::world::{Inner, NewTask, TaskKind};

/// How long a worker may take for one message.
const WORKER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a worker that says nothing is taken to be alive.
pub(crate) const LEASE: Duration = Duration::from_secs(70);

/// Hands visible messages to workers, for as long as the run lasts.
pub(crate) async fn dispatch(simulation: Simulation, most_workers: usize) {
    let world = simulation.world.clone();
    loop {
        let next = {
            let inner = &mut *world.lock();
            let now = Timestamp::now();
            if simulation.store.breaks(Break::HeldMessageLost) {
                let Inner { queue, throttles, model, .. } = &mut *inner;
                queue.lose(|message| throttles.holds(message) && model.promises(message));
            }
            while inner.workers < most_workers
                && let Some((receipt, message)) = receive(inner, now)
            {
                inner.workers += 1;
                let id = inner.throttles.take(&message);
                flow::handed_out(inner, id, &message);
                let name = format!("worker {}", receipt.id);
                let permit = Permit { world: world.clone(), id };
                let future = Box::pin(work(simulation.clone(), receipt, message, permit));
                inner.new_tasks.push(NewTask { name, kind: TaskKind::Worker(id), future });
            }
            let busy = inner.workers >= most_workers;
            if busy { None } else { next_time(inner, now).map(|at| at.since(now)) }
        };
        let changed = world.messages_changed.notified();
        match next {
            // One that may be handed out now is taken when a worker is free, and one that waits for the end of a hold or of a
            // request when that comes: both is told.
            Some(wait) => {
                let wait = wait.max(Duration::from_millis(1));
                tokio::select! { biased; () = changed => {}, () = sleep(wait) => {} }
            }
            None => changed.await,
        }
    }
}

/// Takes one of the messages that may be handed out.
fn receive(inner: &mut Inner, now: Timestamp) -> Option<(Receipt, QueueMessage)> {
    let Inner { queue, throttles, rng, .. } = inner;
    let mut allowance = throttles.allowances();
    queue.receive(rng, now, |message| matches!(allowance(message), Allowance::Requests(_)))
}

/// When the next message may be handed out, as far as that depends on time.
fn next_time(inner: &mut Inner, now: Timestamp) -> Option<Timestamp> {
    let Inner { queue, throttles, .. } = inner;
    let mut allowance = throttles.allowances();
    queue.next_time(now, |message| match allowance(message) {
        Allowance::Requests(_) => Some(now),
        Allowance::NotBefore(time) => Some(time),
        Allowance::None => None,
    })
}

async fn work(simulation: Simulation, receipt: Receipt, message: QueueMessage, permit: Permit) {
    let world = simulation.world.clone();
    let (now, ends) = (Timestamp::now(), Instant::now() + WORKER_TIMEOUT);
    world
        .trace(|trace| format!("gets a message of {}: {}", trace.delivery(message.trace_id), kind(&message)));
    let deliver = Deliver {
        store: simulation.store.clone(),
        sender: Receiver { simulation: simulation.clone(), permit: permit.id },
        lease: Some(LEASE),
        deadline: Some(ends.into_std()),
    };
    // A worker that is not stopped in time goes on although its lease is over.
    let stopped = if world.lock().workers_are_stopped { ends } else { ends + WORKER_TIMEOUT * 60 };
    let handled = timeout_at(stopped, deliver.handle(message, now)).await;
    let inner = &mut *world.lock();
    match handled {
        Ok(Ok(())) if inner.fault(Fault::AcknowledgementLost) => {}
        Ok(Ok(())) => inner.queue.acknowledge(receipt),
        Ok(Err(_)) => {
            let again = Timestamp::now().plus_millis(inner.rng.i64(..30_000));
            inner.queue.return_at(receipt, again);
        }
        // The message comes again at the end of its visibility timeout.
        Err(_) => inner.trace.line(&inner.current.name, |_| "has no time left".into()),
    }
}

fn kind(message: &QueueMessage) -> String {
    match &message.work {
        loanhook_core::ports::DueWork::Attempt(number) => format!("#{number}"),
        loanhook_core::ports::DueWork::Resend { .. } => "a resend".into(),
    }
}
