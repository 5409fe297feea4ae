//! Schedules run to their end: how many requests of SQS they take, and how long the chains of invocations are.
//!
//! Lambda follows a chain of invocations by the trace header that the SDK sends and SQS keeps with a message, and stops a
//! chain that comes back to the same function about 16 times ("Use Lambda recursive loop detection to prevent infinite
//! loops" in Lambda's guide). Here a message has the lineage of the invocation that sent it, as with that header.

use std::collections::BTreeMap;

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::{SECOND, START};
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{QueueMessage, StoreResult};

use super::simulated_time::simulated_time;
use super::simulation::{MINUTE, Simulation};
use super::take_sent_messages;

/// The delays of SPEC's default schedule, in seconds.
const DEFAULT_DELAYS: [u32; 6] = [300, 1800, 7200, 18_000, 36_000, 36_000];
/// The longest schedule: 30 days.
const LONGEST_DELAYS: [u32; 5] = [604_800, 604_800, 604_800, 604_800, 172_800];
/// A message that is received in a batch of five is a send, a fifth of a receive and a fifth of a delete (docs/cost.md).
const REQUESTS_PER_MESSAGE: f64 = 1.4;
/// How many invocations of one chain Lambda is given at most between two attempts.
const MAX_CHAIN: u32 = 8;

/// What running a schedule to its end took.
#[derive(Debug, Default)]
struct Run {
    attempts: usize,
    messages: u32,
    /// The longest chain of invocations between two attempts.
    longest_chain: u32,
}

/// Fails every attempt of a schedule.
async fn run_to_the_end(s: &Simulation) -> StoreResult<Run> {
    let mut run = Run { messages: 1, ..Run::default() };
    // The lineage of each message, and how many invocations of it there were since the last attempt.
    let (mut lineage, mut lineages) = (0_u32, 0_u32);
    let mut invocations: BTreeMap<u32, u32> = BTreeMap::new();
    let mut message = s.scene.first.clone();
    s.time.set(START + SECOND);
    loop {
        let before = s.sent().len();
        *invocations.entry(lineage).or_default() += 1;
        take_sent_messages(&s.scene);
        s.handle_when_due(message).await?;
        run.longest_chain = run.longest_chain.max(*invocations.values().max().expect("an invocation"));
        run.attempts = s.sent().len();
        if run.attempts > before {
            invocations.clear();
        }
        // An attempt ends a second after it began, as the sender says.
        s.time.set(s.time.now() + SECOND);
        let mut sent = take_sent_messages(&s.scene);
        if sent.is_empty() {
            let Some(next) = s.scene.delivery().await?.progress.waiting() else { return Ok(run) };
            s.skip_sweeps_until(next.due.minus(10 * MINUTE)).await;
            sent = s.messages_of_next_sweeps(next.due).await?;
            // A schedule invokes the sweep, which begins a chain.
            lineages += 1;
            lineage = lineages;
            *invocations.entry(lineage).or_default() += 1;
        }
        let [next] = <[QueueMessage; 1]>::try_from(sent).expect("one message");
        run.messages += 1;
        message = next;
    }
}

#[test]
fn the_default_schedule_run_to_its_end_takes_one_message_an_attempt() {
    run_with_faults(async {
        let s = Simulation::new(simulated_time!(START), &DEFAULT_DELAYS, &[500; 7]).await?;
        let run = run_to_the_end(&s).await?;
        assert_eq!((run.attempts, run.messages), (7, 7));
        let requests = f64::from(run.messages) * REQUESTS_PER_MESSAGE;
        assert!(requests <= 16.0, "{requests} requests of SQS");
        assert_eq!(s.scene.delivery().await?.progress.status(), Status::Failed);
        Ok(())
    });
}

#[test]
fn no_chain_of_invocations_between_two_attempts_is_longer_than_eight() {
    run_with_faults(async {
        let every_16_minutes = [960; 24];
        let schedules: [&[u32]; 3] = [&DEFAULT_DELAYS, &LONGEST_DELAYS, &every_16_minutes];
        for delays in schedules {
            let s = Simulation::new(simulated_time!(START), delays, &[500; 25]).await?;
            let run = run_to_the_end(&s).await?;
            assert_eq!(run.attempts, delays.len() + 1);
            assert!(run.longest_chain <= MAX_CHAIN, "{delays:?}: {run:?}");
        }
        Ok(())
    });
}
