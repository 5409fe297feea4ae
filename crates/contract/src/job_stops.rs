//! Ends of recovery jobs before their lists end: somebody stops one, or too much fails in a row.

use loanhook_core::model::job::{ItemOutcome, JobKind, JobStatus, StopReason};
use loanhook_core::ports::{Jobs, StoreResult};
use loanhook_core::recovery::{self, JobInput};

use crate::delivery_list::acme;
use crate::engine::Engine;
use crate::job_scene::{
    counts, create, exhausted, job, later, of_failed, outcomes, send_queued, step, work_off,
};
use crate::scene::SECOND;
use crate::sender::Scripted;

pub(crate) async fn a_stopped_job_sends_nothing_more_and_what_was_sent_gets_its_outcome<E: Engine>()
-> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2", "3"]).await?;
    let id = create(&engine, JobInput { per_second: Some(1.0), ..of_failed() }).await.id;
    step(&engine, id, later()).await?;
    let tenant = acme();
    let stop = || recovery::stop(engine.ports(), &tenant, JobKind::Resend, id, later() + SECOND);
    let stopped = stop().await?.expect("the job");
    assert_eq!((stopped.status(), stopped.ended_at), (JobStatus::Stopped, None), "one is on its way");
    assert_eq!(counts(&stopped), [3, 0, 0, 0, 0, 3]);
    send_queued(&engine, Scripted::always(200), later() + 2 * SECOND).await?;
    assert_eq!(step(&engine, id, later() + 60 * SECOND).await?, None);
    let ended = job(&engine, id).await?;
    assert_eq!((ended.status(), counts(&ended)), (JobStatus::Stopped, [3, 1, 0, 0, 0, 2]));
    assert_eq!(ended.stopped, Some(StopReason::Requested));
    assert_eq!(stop().await?, Some(ended), "it stays as it is");
    assert_eq!(engine.drain().await, []);
    let waiting = ItemOutcome::Waiting;
    assert_eq!(outcomes(&engine, id).await?, [ItemOutcome::Succeeded, waiting, waiting]);
    Ok(())
}

pub(crate) async fn a_job_that_sent_nothing_is_over_when_it_is_stopped<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2"]).await?;
    let id = create(&engine, of_failed()).await.id;
    for kind in [JobKind::Cancel, JobKind::Resend] {
        let stopped = recovery::stop(engine.ports(), &acme(), kind, id, later() + SECOND).await?;
        assert_eq!(stopped.is_some(), kind == JobKind::Resend, "a job of another kind is not there");
    }
    assert_eq!(job(&engine, id).await?.ended_at, Some(later() + SECOND));
    assert_eq!(step(&engine, id, later() + 2 * SECOND).await?, None);
    assert_eq!(engine.drain().await, []);
    assert_eq!(engine.ports().open_jobs().await?, []);
    Ok(())
}

pub(crate) async fn so_many_failures_in_a_row_stop_a_job<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2", "3", "4", "5", "6", "7"]).await?;
    let input = JobInput { per_second: Some(1.0), stop_after_failures: Some(2), ..of_failed() };
    let id = create(&engine, input).await.id;
    let sender = Scripted::always(200).script(&[500, 200, 500, 503]);
    assert_eq!(work_off(&engine, id, sender).await?.len(), 4);
    let ended = job(&engine, id).await?;
    assert_eq!((ended.status(), ended.stopped), (JobStatus::Stopped, Some(StopReason::Failures)));
    assert_eq!(counts(&ended), [7, 1, 3, 0, 0, 3]);
    Ok(())
}

/// So a receiver that is still down is sent no more than that.
pub(crate) async fn no_more_are_on_their_way_than_may_fail_before_the_job_stops<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2", "3", "4", "5"]).await?;
    let input = JobInput { per_second: Some(4.0), stop_after_failures: Some(2), ..of_failed() };
    let id = create(&engine, input).await.id;
    step(&engine, id, later() + SECOND).await?;
    let sender = Scripted::always(500);
    assert_eq!(send_queued(&engine, sender, later() + SECOND).await?.1.len(), 2);
    assert_eq!(step(&engine, id, later() + 9 * SECOND).await?, None);
    let ended = job(&engine, id).await?;
    assert_eq!((ended.status(), counts(&ended)), (JobStatus::Stopped, [5, 0, 2, 0, 0, 3]));
    Ok(())
}
