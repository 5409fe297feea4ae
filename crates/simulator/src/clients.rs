//! Clients: they call the API as programs and people do, and call again under a key where no answer came.

use std::time::Duration;

use loanhook_core::model::id::TenantId;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::Simulation;
use crate::calls::{self, EventCall};
use crate::holds;
use crate::jobs;
use crate::model::SeenEvent;
use crate::plan::Action;
use crate::settings;
use crate::world::TaskKind;

/// How often a call is repeated that was not answered.
pub(crate) const MAX_CALLS: u32 = 8;

/// Does what was planned.
pub(crate) async fn act(simulation: Simulation, tenant: TenantId, action: Action) {
    match action {
        Action::SendEvent { number, loan, days, key } => {
            send_event(&simulation, &tenant, (number, loan, days), key).await;
        }
        Action::SendTest { number, choice } => {
            let call = calls::send_test(simulation.clone(), tenant, number, choice);
            on_server(&simulation, format!("test {number}"), call).await;
        }
        Action::Cancel { choice } => {
            let call = calls::cancel(simulation.clone(), tenant, choice);
            on_server(&simulation, format!("cancel {choice}"), call).await;
        }
        Action::Resend { choice, target, key } => {
            let repeated = key.is_some();
            for call in 0..MAX_CALLS {
                let name = format!("resend {choice}.{call}");
                let server = calls::resend(simulation.clone(), tenant.clone(), (choice, target), key.clone());
                let answered = on_server(&simulation, name, server).await;
                if !repeated || answered == Some(true) {
                    break;
                }
                pause(&simulation).await;
            }
        }
        Action::Job { number, seed } => jobs::make_and_run(&simulation, &tenant, number, seed).await,
        Action::Edit { choice, seed } => {
            let call = calls::edit(simulation.clone(), tenant, choice, seed);
            on_server(&simulation, format!("edit {choice}"), call).await;
        }
        Action::Hold { choice } => {
            let call = holds::hold(simulation.clone(), tenant, choice);
            on_server(&simulation, format!("hold {choice}"), call).await;
        }
        Action::Release { choice } => {
            let call = holds::release(simulation.clone(), tenant, choice);
            on_server(&simulation, format!("release {choice}"), call).await;
        }
    }
}

/// Runs a call in a process of its own, which may stop at any moment; none then.
pub(crate) async fn on_server<T: Send + 'static>(
    simulation: &Simulation,
    name: String,
    call: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    simulation.world.spawn(name, TaskKind::Server, async move {
        // Nobody waits for the answer where the run is over.
        let _ = answer.send(call.await);
    });
    answered.await.ok()
}

pub(crate) async fn pause(simulation: &Simulation) {
    let millis = simulation.world.lock().rng.u64(..20_000);
    sleep(Duration::from_millis(millis)).await;
}

async fn send_event(
    simulation: &Simulation,
    tenant: &TenantId,
    (number, loan, days): (u32, u32, u32),
    key: Option<String>,
) {
    let event = settings::event(number, loan, days);
    let expected = {
        let inner = &mut *simulation.world.lock();
        let began = inner.model.moment();
        inner
            .trace
            .line(&format!("event {number}"), |_| format!("{} of {tenant}, under {key:?}", event.context));
        let (tenant, loan, triggers) = (tenant.clone(), event.loan_id.clone(), settings::triggers(days));
        let promised = Vec::new();
        let seen = SeenEvent { tenant, loan, triggers, began, ended: None, promised };
        let first = !inner.model.events.contains_key(&number);
        inner.model.events.entry(number).or_insert(seen);
        // A repeat promises what matched at the first call.
        if first { calls::matching(&simulation.memory.state()) } else { Vec::new() }
    };
    for call in 0..MAX_CALLS {
        let call_of =
            EventCall { number, event: event.clone(), key: key.clone(), expected: expected.clone() };
        let server = calls::accept(simulation.clone(), tenant.clone(), call_of);
        let answered = on_server(simulation, format!("event {number}.{call}"), server).await;
        if key.is_none() || answered == Some(true) {
            return;
        }
        pause(simulation).await;
    }
}
