//! Bulk cancels: the automatic attempts of what is pending end.

use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::attempt::Outcome;
use loanhook_core::model::job::{ItemOutcome, ItemState, JobKind, JobStatus};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Attempts, Jobs, Ledger, StoreResult};

use crate::delivery_list::{CONTEXT, SUCCEEDED, acme, attempt, cancel, of_all_events, resend};
use crate::engine::Engine;
use crate::job_scene::{counts, create, failed, job, of_failed, of_traces, outcomes, work_off};
use crate::sender::Scripted;
use crate::triggers::{send, with};

pub(crate) async fn a_bulk_cancel_ends_the_automatic_attempts_of_what_is_pending<E: Engine>()
-> StoreResult<()>
where
    E::Ports: Jobs,
{
    let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
    let new = send(&engine, "1", CONTEXT, 0).await.deliveries[0].trace_id;
    let (retried, ended, canceled) =
        (failed(&engine, "1", 1).await?, failed(&engine, "2", 2).await?, failed(&engine, "3", 3).await?);
    let before = resend(&engine, ended, SUCCEEDED).await?;
    let mut input = of_failed();
    input.kind = JobKind::Cancel;
    input.filter = DeliveryFilterInput { test: Some("false".into()), ..DeliveryFilterInput::default() };
    let id = create(&engine, input).await.id;
    assert_eq!(job(&engine, id).await?.counts.total, 4);
    attempt(&engine, ended, SUCCEEDED).await?;
    cancel(&engine, canceled).await?;
    assert_eq!(work_off(&engine, id, Scripted::always(200)).await?, []);
    let statuses = engine.ports().delivery_statuses(&acme(), &[new, retried, ended, canceled]).await?;
    let (canceled_status, succeeded) = (Some(Status::Canceled), Some(Status::Succeeded));
    assert_eq!(statuses, [canceled_status, canceled_status, succeeded, canceled_status]);
    let ended_job = job(&engine, id).await?;
    assert_eq!((ended_job.status(), counts(&ended_job)), (JobStatus::Done, [4, 2, 0, 2, 0, 0]));
    let row = engine.ports().row(&acme(), &crate::scene::loan("2"), before).await?.expect("a row");
    assert_eq!(row.attempt.outcome(), Outcome::Succeeded);

    // A process that died after it canceled one and before it stored that.
    let trace = failed(&engine, "4", 40).await?;
    let mut input = of_traces(&[trace]);
    input.kind = JobKind::Cancel;
    let again = create(&engine, input).await;
    let mut chunks = engine.ports().job_chunks(&acme(), again.id, &[0]).await?;
    chunks[0].items[0].state = ItemState::Taken;
    let mut taken = again.clone();
    (taken.version, taken.progress.next, taken.progress.open) = (2, 0, vec![0]);
    assert!(engine.ports().save_job(taken, chunks).await?);
    cancel(&engine, trace).await?;
    work_off(&engine, again.id, Scripted::always(200)).await?;
    assert_eq!(outcomes(&engine, again.id).await?, [ItemOutcome::Succeeded]);
    Ok(())
}
