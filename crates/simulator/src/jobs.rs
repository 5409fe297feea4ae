//! Recovery jobs of a run: a client asks for one, and processes run it that may stop at any moment. At times two run the same.

use std::time::Duration;

use fastrand::Rng;
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::JobKind;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::recovery::{self, CreateJobError, JobInput, SeenLoans};
use tokio::time::sleep;

use crate::Simulation;
use crate::clients::{MAX_CALLS, on_server, pause};
use crate::rules::Rule;
use crate::world::TaskKind;

/// Makes a bulk resend and sees to it that it is run to its end.
pub(crate) async fn make_and_run(simulation: &Simulation, tenant: &TenantId, number: u32, seed: u64) {
    simulation.world.lock().jobs += 1;
    for call in 0..MAX_CALLS {
        let made = create(simulation.clone(), tenant.clone(), number, seed);
        if let Some(Some(id)) = on_server(simulation, format!("job {number}.{call}"), made).await {
            run_to_its_end(simulation, tenant, (number, id), seed).await;
            break;
        }
        pause(simulation).await;
    }
    simulation.world.lock().jobs -= 1;
}

/// The job, if the call was answered.
async fn create(simulation: Simulation, tenant: TenantId, number: u32, seed: u64) -> Option<JobId> {
    let new = input(seed).check().ok()?;
    let (name, key) =
        (format!("Job {number}"), (format!("job-{number}"), PayloadKey::of(&seed.to_be_bytes())));
    let made = recovery::create(&simulation.store, &tenant, new, name, Some(key), Timestamp::now()).await;
    let inner = &mut *simulation.world.lock();
    inner.trace.line(&inner.current.name, |_| match &made {
        Ok(job) => format!("answers {} with {} deliveries", job.id, job.counts.total),
        Err(error) => format!("answers: {error}"),
    });
    match made {
        Ok(job) => {
            let known = *inner.model.jobs.entry((tenant, number)).or_insert(job.id);
            if known != job.id {
                inner.broken(Rule::DuplicateMakesNothing, format!("job {number} was made twice"));
            }
            Some(job.id)
        }
        Err(CreateJobError::KeyReused) => {
            inner.broken(Rule::DuplicateMakesNothing, format!("job {number} is refused under its own key"));
            None
        }
        Err(CreateJobError::TooMany | CreateJobError::Store(_)) => None,
    }
}

fn input(seed: u64) -> JobInput {
    let mut rng = Rng::with_seed(seed);
    let any = DeliveryFilterInput { test: Some("false".into()), ..DeliveryFilterInput::default() };
    let failed = DeliveryFilterInput { status: Some("failed".into()), ..DeliveryFilterInput::default() };
    JobInput {
        kind: JobKind::Resend,
        filter: if rng.bool() { any } else { failed },
        trace_ids: None,
        to: None,
        per_second: Some([0.1, 2.0, 1000.0][rng.usize(..3)]),
        newest_per_loan: rng.u32(..4) == 0,
        stop_after_failures: (rng.u32(..6) == 0).then_some(2),
        force: rng.u32(..4) == 0,
    }
}

async fn run_to_its_end(simulation: &Simulation, tenant: &TenantId, (number, id): (u32, JobId), seed: u64) {
    if seed.is_multiple_of(3) {
        // Whether it comes to the end does not matter.
        let second = steps(simulation.clone(), tenant.clone(), id);
        simulation.world.spawn(format!("steps {number}.second"), TaskKind::Server, second);
    }
    for process in 0_u32.. {
        let name = format!("steps {number}.{process}");
        if on_server(simulation, name, steps(simulation.clone(), tenant.clone(), id)).await.is_some() {
            return;
        }
        pause(simulation).await;
    }
}

/// Makes steps until the job is over.
async fn steps(simulation: Simulation, tenant: TenantId, id: JobId) {
    let mut seen = SeenLoans::default();
    loop {
        let now = Timestamp::now();
        let wait = match recovery::advance(&simulation.store, &tenant, id, &mut seen, now).await {
            Ok(None) => return,
            Ok(Some(at)) => at.since(now).max(Duration::from_millis(1)),
            Err(_) => Duration::from_secs(1),
        };
        sleep(wait).await;
    }
}
