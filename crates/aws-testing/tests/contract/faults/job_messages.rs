//! Messages of recovery jobs: one after the other drives a job, whatever is delivered twice, dies or is lost.

use std::time::{Duration, Instant, SystemTime};

use loanhook_aws::sweep::{OpenJobs, Sweep, SweepReport};
use loanhook_aws::{Added, Aws, JobTurn, run_job_batch};
use loanhook_aws_testing::fault_proxy::BROKEN;
use loanhook_aws_testing::{FaultyAwsEngine, run_with_faults};
use loanhook_contract::engine::Engine as _;
use loanhook_contract::job_scene::{counts, create, exhausted, job, later, of_traces, resends, send_queued};
use loanhook_contract::scene::{LEASE, SECOND, tenant};
use loanhook_contract::sender::Scripted;
use loanhook_core::model::id::{JobId, TraceId};
use loanhook_core::model::job::{ItemOutcome, JobKind};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Jobs as _, StoreResult};
use loanhook_core::recovery::{self, SeenLoans};
use serde_json::{Value, json};

use super::crash_before;
use super::simulated_time::{SimulatedTime, simulated_time};
use super::sqs_batch::{event, record};

/// A job of one delivery in simulated time, of which nothing is done yet.
struct Scene {
    engine: FaultyAwsEngine,
    store: Aws,
    time: SimulatedTime,
    traces: Vec<TraceId>,
    id: JobId,
}

impl Scene {
    async fn new(time: SimulatedTime) -> StoreResult<Self> {
        let (engine, traces) = exhausted::<FaultyAwsEngine>(&["1"]).await?;
        let store = engine.another(|stack| stack.clock = time.clock());
        engine.proxy.take_calls();
        let id = create(&engine, of_traces(&traces)).await.id;
        Ok(Self { engine, store, time, traces, id })
    }

    /// The body of the message of a turn of the job.
    fn body(&self, turn: u64) -> String {
        json!({"tenant": "acme", "job": self.id.uuid(), "turn": turn}).to_string()
    }

    /// Turns whose messages were sent since this was last asked, with their delays in seconds.
    fn sent_turns(&self) -> Vec<(u64, u64)> {
        let calls = self.engine.proxy.take_calls().into_iter().map(|call| call.body);
        let to_jobs =
            calls.filter(|body| body["QueueUrl"].as_str().is_some_and(|queue| queue.ends_with("-jobs")));
        let turn = |body: Value| {
            let message: Value = serde_json::from_str(body["MessageBody"].as_str()?).ok()?;
            assert_eq!(message["job"], json!(self.id.uuid()));
            Some((message["turn"].as_u64()?, body["DelaySeconds"].as_u64()?))
        };
        to_jobs.map(|body| turn(body).expect("the message of a turn")).collect()
    }

    /// Hands the message of a turn to the function, so long after the job was made; whether SQS must deliver it again.
    async fn handle(&self, turn: u64, after: Duration) -> StoreResult<bool> {
        self.time.set(later() + after);
        handle(self.store.clone(), self.body(turn)).await
    }

    /// Sweeps, so long after the job was made; how many jobs were woken.
    async fn sweep(&self, after: Duration) -> StoreResult<u64> {
        Ok(self.swept(after).await?.woken_jobs)
    }

    async fn swept(&self, after: Duration) -> StoreResult<SweepReport> {
        let now = later() + after;
        self.time.set(now);
        self.engine.direct.put_sweep_cursors(0..1, now).await;
        let sweep = Sweep { engine: self.store.clone(), lease: LEASE, shards: 0..1 };
        sweep.run(now, Instant::now() + 60 * SECOND).await
    }

    /// The resend is sent, and succeeds.
    async fn send(&self) -> StoreResult<()> {
        send_queued(&self.engine, Scripted::always(200), self.time.now()).await.map(drop)
    }

    async fn assert_done(&self) -> StoreResult<()> {
        let job = job(&self.engine, self.id).await?;
        assert_eq!(counts(&job), [1, 1, 0, 0, 0, 0]);
        assert_eq!((job.is_over(), resends(&self.engine, &self.traces).await?), (true, 1));
        assert_eq!(self.store.open_jobs().await?, []);
        Ok(())
    }
}

/// The function with a message, and with time for one step only.
async fn handle(store: Aws, body: String) -> StoreResult<bool> {
    let engine = store.clone();
    let step = |JobTurn { tenant, job, .. }: JobTurn, mut seen: SeenLoans, now: Timestamp| {
        let store = store.clone();
        async move {
            let next = recovery::advance(&store, &tenant, job, &mut seen, now).await;
            (seen, next)
        }
    };
    let response = run_job_batch(&engine, event([record("1", &body)]), SystemTime::now(), step).await?;
    Ok(!response.batch_item_failures.is_empty())
}

#[test]
fn a_job_is_driven_by_one_message_after_the_other_until_it_is_over() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        assert_eq!(s.sent_turns(), [(1, 0)]);
        assert_eq!(s.store.open_jobs().await?, [(tenant("acme"), s.id)]);
        assert!(!s.handle(1, Duration::ZERO).await?);
        // The next step is wanted sooner than SQS can count.
        assert_eq!(s.sent_turns(), [(2, 1)]);
        s.send().await?;
        s.sent_turns();
        assert!(!s.handle(2, SECOND).await?);
        assert_eq!(s.sent_turns(), []);
        s.assert_done().await?;
        // What is over is not woken, and a late message does nothing.
        assert_eq!(s.sweep(3600 * SECOND).await?, 0);
        s.sent_turns();
        assert!(!s.handle(3, 3600 * SECOND).await?);
        assert_eq!(s.engine.proxy.take_call_names(), ["UpdateItem O"]);
        Ok(())
    });
}

#[test]
fn the_sweep_and_the_counting_say_how_far_jobs_have_come() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        let open = async |after| StoreResult::Ok(s.swept(after).await?.gauges.expect("gauges").jobs);
        let jobs = |kind, jobs| OpenJobs { kind, jobs, items_left: jobs };
        let ended = async || {
            let mut added = Added::default();
            s.store.count_changes(Instant::now() + 60 * SECOND, &mut added).await?;
            let items = added.facts.job_items().filter(|(.., count)| *count > 0);
            StoreResult::Ok(items.collect::<Vec<_>>())
        };
        assert_eq!(open(Duration::ZERO).await?, [jobs(JobKind::Resend, 1), jobs(JobKind::Cancel, 0)]);
        assert_eq!(ended().await?, []);
        s.handle(1, SECOND).await?;
        s.send().await?;
        s.handle(2, 2 * SECOND).await?;
        assert_eq!(open(3 * SECOND).await?, [jobs(JobKind::Resend, 0), jobs(JobKind::Cancel, 0)]);
        assert_eq!(ended().await?, [(JobKind::Resend, ItemOutcome::Succeeded, 1)]);
        assert_eq!(ended().await?, [], "once");
        Ok(())
    });
}

#[test]
fn a_message_that_is_delivered_twice_is_handled_once() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        s.handle(1, Duration::ZERO).await?;
        for (turn, after) in [(1, SECOND), (1, 59 * SECOND)] {
            s.sent_turns();
            assert!(!s.handle(turn, after).await?);
            assert_eq!(s.engine.proxy.take_call_names(), ["UpdateItem O"]);
        }
        // Nor is an older one, when a later one was taken.
        s.handle(2, 60 * SECOND).await?;
        s.sent_turns();
        s.handle(1, 600 * SECOND).await?;
        assert_eq!(s.engine.proxy.take_call_names(), ["UpdateItem O"]);
        Ok(())
    });
}

#[test]
fn a_job_goes_on_when_the_message_is_delivered_again_whose_handler_died() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        // The message of the resend is the first that is sent.
        crash_before(&s.engine, ("SendMessage", 2), handle(s.store.clone(), s.body(1))).await;
        s.sent_turns();
        assert!(!s.handle(1, 180 * SECOND).await?);
        assert_eq!(s.sent_turns(), [(2, 1)]);
        s.send().await?;
        s.handle(2, 181 * SECOND).await?;
        s.assert_done().await
    });
}

#[test]
fn a_message_whose_step_failed_is_delivered_again() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        s.sent_turns();
        s.engine.proxy.fault_from("TransactWriteItems", 1, BROKEN);
        assert!(s.handle(1, Duration::ZERO).await?);
        assert_eq!(s.sent_turns(), []);
        s.engine.proxy.clear_faults();
        assert!(!s.handle(1, 180 * SECOND).await?);
        assert_eq!(s.sent_turns(), [(2, 1)]);
        Ok(())
    });
}

#[test]
fn a_job_whose_messages_are_lost_is_woken_by_the_sweep() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(later())).await?;
        s.sent_turns();
        // The first one is lost, and the one that the sweep sends.
        for (after, woken) in [(299, 0), (300, 1), (360, 0), (599, 0), (600, 1)] {
            assert_eq!(s.sweep(after * SECOND).await?, woken, "after {after} s");
            assert_eq!(s.sent_turns(), vec![(1, 0); usize::try_from(woken).expect("one")]);
        }
        s.handle(1, 601 * SECOND).await?;
        s.send().await?;
        // The second one is lost.
        s.sent_turns();
        assert_eq!(s.sweep(900 * SECOND).await?, 0);
        assert_eq!(s.sweep(901 * SECOND).await?, 1);
        assert_eq!(s.sent_turns(), [(2, 0)]);
        s.handle(2, 902 * SECOND).await?;
        s.assert_done().await
    });
}

#[test]
fn a_job_whose_first_message_cannot_be_sent_is_made_all_the_same() {
    run_with_faults(async {
        let (engine, traces) = exhausted::<FaultyAwsEngine>(&["1"]).await?;
        engine.proxy.fault_from("SendMessage", 1, BROKEN);
        let made = create(&engine, of_traces(&traces)).await;
        engine.proxy.clear_faults();
        assert_eq!(engine.ports().open_jobs().await?, [(tenant("acme"), made.id)]);
        Ok(())
    });
}

#[test]
fn a_message_that_is_none_of_ours_is_a_dead_letter() {
    run_with_faults(async {
        let engine = FaultyAwsEngine::fresh().await;
        assert!(!handle(engine.ports().clone(), "not ours".into()).await?);
        let stack = &engine.direct.stack;
        let received = stack.sqs.receive_message().queue_url(&stack.dead_letters_url).send().await;
        let bodies: Vec<_> =
            received.expect("received").messages().iter().map(|message| message.body.clone()).collect();
        assert_eq!(bodies, [Some("not ours".to_owned())]);
        Ok(())
    });
}
