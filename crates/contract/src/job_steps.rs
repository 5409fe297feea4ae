//! Steps of recovery jobs: each delivery is resent once, in order, whatever is repeated and whoever loses.

use futures_util::future::try_join_all;
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::attempt::MAX_RESEND_WAIT;
use loanhook_core::model::job::{ItemOutcome, ItemState, JobStatus, SkipReason};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{Attempts, Jobs, StoreResult};
use loanhook_core::recovery::JobInput;

use crate::delivery_list::{SUCCEEDED, acme, attempt, delivery, of_all_events};
use crate::engine::Engine;
use crate::job_scene::{
    counts, create, exhausted, failed, forget_attempts, items, job, later, of_failed, of_traces, outcomes,
    resends, send_queued, step, traces_of, without_retries, work_off,
};
use crate::scene::SECOND;
use crate::sender::Scripted;
use crate::triggers::{send, with};

const WAITING: ItemOutcome = ItemOutcome::Waiting;

pub(crate) async fn a_job_resends_each_delivery_of_its_list_once_oldest_first<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "3", "4"]).await?;
    let made = create(&engine, of_failed()).await;
    assert_eq!((made.status(), counts(&made)), (JobStatus::Running, [4, 0, 0, 0, 0, 4]));
    let sent = work_off(&engine, made.id, Scripted::always(200).script(&[500])).await?;
    assert_eq!(traces_of(&sent), traces);
    let ended = job(&engine, made.id).await?;
    assert_eq!((ended.status(), counts(&ended)), (JobStatus::Done, [4, 3, 1, 0, 0, 0]));
    assert!(ended.ended_at.is_some());
    let [failed, succeeded @ ..] = &outcomes(&engine, made.id).await?[..] else { panic!("four") };
    assert_eq!((*failed, succeeded), (ItemOutcome::Failed, &[ItemOutcome::Succeeded; 3][..]));
    // The rows are those of resends, and the items name them.
    for item in items(&engine, made.id).await? {
        let id = item.state.attempt().expect("an attempt");
        let row = engine.ports().row(&acme(), &item.loan, id).await?.expect("its row").attempt;
        assert_eq!((row.trace_id, row.requested_by.as_deref()), (item.trace, Some("Servicing")));
        assert!(row.is_manual());
    }
    assert_eq!(resends(&engine, &traces).await?, 4);
    Ok(())
}

pub(crate) async fn of_steps_at_once_one_counts_and_each_delivery_is_resent_once<E: Engine>()
-> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "3", "4", "5", "6"]).await?;
    let id = create(&engine, of_failed()).await.id;
    let (mut now, mut sender, mut sent) = (later(), Scripted::always(200), 0);
    loop {
        let steps = try_join_all((0..8).map(|_| step(&engine, id, now))).await?;
        if steps.iter().all(Option::is_none) {
            break;
        }
        let (same, requests) = send_queued(&engine, sender, now).await?;
        (sender, sent) = (same, sent + requests.len());
        now = now + SECOND;
        assert!(now < later() + 100 * SECOND, "the job does not end");
    }
    assert_eq!((sent, resends(&engine, &traces).await?), (6, 6));
    assert_eq!(counts(&job(&engine, id).await?), [6, 6, 0, 0, 0, 0]);
    Ok(())
}

/// A process that dies after the resends and before it stored their attempts.
pub(crate) async fn a_step_that_is_repeated_gives_the_same_attempts<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "3"]).await?;
    let id = create(&engine, of_failed()).await.id;
    step(&engine, id, later() + SECOND).await?;
    let before = items(&engine, id).await?;
    assert!(before.iter().all(|item| matches!(item.state, ItemState::Sent(_))), "{before:?}");
    forget_attempts(&engine, id).await?;
    step(&engine, id, later() + 60 * SECOND).await?;
    assert_eq!(items(&engine, id).await?, before);

    // Also where they ended meanwhile, and made their deliveries succeed.
    forget_attempts(&engine, id).await?;
    send_queued(&engine, Scripted::always(200), later() + 61 * SECOND).await?;
    assert_eq!(work_off(&engine, id, Scripted::always(500)).await?, []);
    let ended = job(&engine, id).await?;
    assert_eq!(counts(&ended), [3, 3, 0, 0, 0, 0], "succeeded, and not skipped");
    assert_eq!(resends(&engine, &traces).await?, 3);
    Ok(())
}

pub(crate) async fn deliveries_of_one_loan_are_resent_one_after_the_other<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "1", "2", "1"]).await?;
    let id = create(&engine, of_failed()).await.id;
    let now = later() + SECOND;
    step(&engine, id, now).await?;
    let (_, sent) = send_queued(&engine, Scripted::always(200), now).await?;
    let first: Vec<_> = sent.iter().map(|request| request.trace_id).collect();
    assert_eq!(first, [traces[0], traces[2]], "one of each loan");
    // Of the others none goes before its elder has ended, however often it is asked for.
    for (step_number, expected) in [(1, traces[1]), (2, traces[3])] {
        let now = now + step_number * SECOND;
        step(&engine, id, now).await?;
        step(&engine, id, now).await?;
        let (_, sent) = send_queued(&engine, Scripted::always(200), now).await?;
        assert_eq!(sent.iter().map(|request| request.trace_id).collect::<Vec<_>>(), [expected]);
    }
    assert_eq!(step(&engine, id, now + 9 * SECOND).await?, None);
    assert_eq!(counts(&job(&engine, id).await?), [4, 4, 0, 0, 0, 0]);
    Ok(())
}

pub(crate) async fn a_job_keeps_its_pace<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2", "3", "4", "5"]).await?;
    let id = create(&engine, JobInput { per_second: Some(2.0), ..of_failed() }).await.id;
    let left = async |millis: i64| {
        step(&engine, id, later().plus_millis(millis)).await?;
        let items = items(&engine, id).await?;
        StoreResult::Ok(items.iter().filter(|item| item.state == ItemState::Waiting).count())
    };
    for (millis, expected) in [(0, 4), (499, 4), (500, 3), (501, 3), (1000, 2), (3_600_000, 0)] {
        assert_eq!(left(millis).await?, expected, "after {millis} ms");
    }
    Ok(())
}

/// A slow receiver must not make a heap of resends, of which the last would wait for too long.
pub(crate) async fn while_resends_of_a_subscription_wait_to_be_sent_no_more_are_taken<E: Engine>()
-> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1", "2", "3"]).await?;
    let id = create(&engine, JobInput { per_second: Some(1.0), ..of_failed() }).await.id;
    let asked = async |seconds: u32| {
        step(&engine, id, later() + seconds * SECOND).await?;
        resends(&engine, &traces).await
    };
    for (seconds, expected) in [(0, 1), (9, 2), (11, 2), (60, 2)] {
        assert_eq!(asked(seconds).await?, expected, "after {seconds} s");
    }
    let (_, sent) = send_queued(&engine, Scripted::always(200), later() + 61 * SECOND).await?;
    assert_eq!((sent.len(), asked(62).await?), (2, 3));
    Ok(())
}

/// At a fast pace too, no more wait than are sent before they are too old: one after the other, each until its timeout.
pub(crate) async fn however_fast_the_pace_few_resends_wait_to_be_sent<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let loans: Vec<String> = (0..50).map(|loan| loan.to_string()).collect();
    let loans: Vec<&str> = loans.iter().map(String::as_str).collect();
    let (engine, traces) = exhausted::<E>(&loans).await?;
    let id = create(&engine, of_failed()).await.id;
    for seconds in 1..=5 {
        step(&engine, id, later() + seconds * SECOND).await?;
        assert_eq!(resends(&engine, &traces).await?, 20, "after {seconds} s");
    }
    // A receiver that answers gets more at once.
    let (_, sent) = send_queued(&engine, Scripted::always(200), later() + 5 * SECOND).await?;
    step(&engine, id, later() + 5 * SECOND).await?;
    assert_eq!((sent.len(), resends(&engine, &traces).await?), (20, 50));
    Ok(())
}

pub(crate) async fn what_succeeded_by_itself_is_skipped_unless_it_is_forced<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    for force in [false, true] {
        let engine = with::<E>(&[&of_all_events("Core", 0)]).await?;
        let (by_itself, still) = (failed(&engine, "1", 0).await?, failed(&engine, "2", 1).await?);
        let mut input = of_traces(&[by_itself, still]);
        input.force = force;
        let id = create(&engine, input).await.id;
        attempt(&engine, by_itself, SUCCEEDED).await?;
        engine.drain().await;
        let sent = work_off(&engine, id, Scripted::always(200)).await?;
        let ended = job(&engine, id).await?;
        if force {
            assert_eq!(traces_of(&sent), [by_itself, still]);
            assert_eq!(counts(&ended), [2, 2, 0, 0, 0, 0]);
        } else {
            assert_eq!(traces_of(&sent), [still]);
            assert_eq!(counts(&ended), [2, 1, 0, 1, 0, 0]);
            let skipped = items(&engine, id).await?[1].state;
            assert_eq!(skipped, ItemState::Skipped(SkipReason::Succeeded));
        }
        // The schedule of the other goes on as it was.
        assert_eq!(delivery(&engine, still).await?.progress.status(), Status::Pending);
    }
    Ok(())
}

/// A receiver may have lost what it took.
pub(crate) async fn what_had_succeeded_when_it_was_listed_is_resent<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let engine = with::<E>(&[&without_retries("Core", 0)]).await?;
    let trace = send(&engine, "1", crate::delivery_list::CONTEXT, 0).await.deliveries[0].trace_id;
    attempt(&engine, trace, SUCCEEDED).await?;
    engine.drain().await;
    let mut input = of_failed();
    input.filter = DeliveryFilterInput { status: Some("succeeded".into()), ..input.filter };
    let id = create(&engine, input).await.id;
    assert_eq!(traces_of(&work_off(&engine, id, Scripted::always(200)).await?), [trace]);
    Ok(())
}

pub(crate) async fn a_resend_that_nobody_took_is_a_failure<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1"]).await?;
    let id = create(&engine, of_failed()).await.id;
    step(&engine, id, later()).await?;
    let end = later() + MAX_RESEND_WAIT;
    assert!(step(&engine, id, end.minus(SECOND)).await?.is_some());
    assert_eq!(outcomes(&engine, id).await?, [WAITING]);
    assert_eq!(step(&engine, id, end).await?, None);
    assert_eq!(outcomes(&engine, id).await?, [ItemOutcome::Failed]);
    Ok(())
}
