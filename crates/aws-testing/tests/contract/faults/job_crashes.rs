//! Steps of recovery jobs that die between two calls.

use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::job_scene::{
    counts, create, exhausted, job, later, of_traces, resends, send_queued, step, work_off,
};
use loanhook_contract::scene::{SECOND, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::model::id::{JobId, TraceId};
use loanhook_core::ports::StoreResult;
use loanhook_core::recovery::{self, SeenLoans};

use super::crash_before;

/// Which step of a job dies: the one that resends, or the one that reads what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    First,
    Second,
}

/// A job of these deliveries before the step that dies.
async fn begun(engine: &FaultyAwsEngine, traces: &[TraceId], dies: Dies) -> StoreResult<JobId> {
    let id = create(engine, of_traces(traces)).await.id;
    if dies == Dies::Second {
        step(engine, id, later() + SECOND).await?;
        send_queued(engine, Scripted::always(200), later() + SECOND).await?;
    }
    Ok(id)
}

#[test]
fn after_a_step_that_died_between_any_two_calls_each_delivery_is_resent_once() {
    run_with_faults(async {
        let (engine, traces) = exhausted::<FaultyAwsEngine>(&["1", "2"]).await?;
        let (mut made, now) = (0, later() + 2 * SECOND);
        for dies in [Dies::First, Dies::Second] {
            let id = begun(&engine, &traces, dies).await?;
            engine.proxy.take_calls();
            step(&engine, id, now).await?;
            let calls = engine.proxy.take_call_names();
            work_off(&engine, id, Scripted::always(200)).await?;
            made += 1;
            assert!(calls.len() > 4, "{calls:?}");
            for (index, name) in calls.iter().enumerate() {
                let nth = calls[..=index].iter().filter(|other| *other == name).count();
                let id = begun(&engine, &traces, dies).await?;
                let (store, acme) = (engine.ports().clone(), tenant("acme"));
                let dying =
                    async move { recovery::advance(&store, &acme, id, &mut SeenLoans::default(), now).await };
                crash_before(&engine, (name, nth), dying).await;
                work_off(&engine, id, Scripted::always(200)).await?;
                made += 1;
                let found = (counts(&job(&engine, id).await?), resends(&engine, &traces).await?);
                assert_eq!(found, ([2, 2, 0, 0, 0, 0], 2 * made), "{dies:?} before {name} {nth}");
            }
        }
        Ok(())
    });
}
