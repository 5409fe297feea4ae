//! Workers: each handles one message, as a function does, with a time limit and a lease.

use std::time::Duration;

use loanhook_core::deliver::Deliver;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::QueueMessage;
use tokio::time::{Instant, sleep, timeout_at};

use crate::Simulation;
use crate::faults::Fault;
use crate::queue::Receipt;
use crate::receiver::Receiver;
use crate::world::TaskKind;

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
            while inner.workers < most_workers
                && let Some((receipt, message)) = inner.queue.receive(&mut inner.rng, now)
            {
                inner.workers += 1;
                let name = format!("worker {}", receipt.id);
                let future = Box::pin(work(simulation.clone(), receipt, message));
                inner.new_tasks.push(crate::world::NewTask { name, kind: TaskKind::Worker, future });
            }
            let busy = inner.workers >= most_workers;
            inner.queue.next_visible().filter(|_| !busy).map(|at| at.since(now))
        };
        let changed = world.messages_changed.notified();
        match next {
            // A message that is visible now is taken when a worker is free, which is told.
            Some(wait) => {
                let wait = wait.max(Duration::from_millis(1));
                tokio::select! { biased; () = changed => {}, () = sleep(wait) => {} }
            }
            None => changed.await,
        }
    }
}

async fn work(simulation: Simulation, receipt: Receipt, message: QueueMessage) {
    let world = simulation.world.clone();
    let (now, ends) = (Timestamp::now(), Instant::now() + WORKER_TIMEOUT);
    world
        .trace(|trace| format!("gets a message of {}: {}", trace.delivery(message.trace_id), kind(&message)));
    let deliver = Deliver {
        store: simulation.store.clone(),
        sender: Receiver(simulation.clone()),
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
