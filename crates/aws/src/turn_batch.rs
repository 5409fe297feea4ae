//! Handler of the messages of turns: those that drive recovery jobs, and those that wake deliveries that wait.
//!
//! A message is one step or several: it ends where there is nothing left to do, where the next step is not wanted soon, or
//! where the time of the invocation is used up. Then the next message is sent, delayed until the next step. A message whose
//! step failed is received again after the visibility timeout of its queue.

use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use tokio::time::sleep;
use tracing::error;

use crate::engine::Aws;
use crate::flow::WaitingTurn;
use crate::jobs::JobTurn;
use crate::queue::UNREADABLE;
use crate::turns::Turn;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// The shortest time between two steps that wait for the pace or for the ends of resends: each reads the rows of all resends
/// that are on their way.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a step is waited for within an invocation: about what an invocation and a message cost.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The time that is left for a step at least. One that takes longer is cut off, and repeated.
const STEP_TIME: Duration = Duration::from_secs(12);

/// Handles a batch of messages until `end` at the latest; returns the records that SQS must deliver again. `step` makes one step
/// of the job of a turn at a time, and gives when the next one is wanted, none where the job is over; what it remembers for the
/// next step, of type `M`, is kept for as long as the message is handled.
///
/// # Errors
///
/// When such a record has no ID to be named by: SQS then delivers the whole batch again.
pub async fn run_job_batch<M, F>(
    engine: &Aws,
    batch: SqsEvent,
    end: SystemTime,
    step: impl Fn(JobTurn, M, Timestamp) -> F,
) -> StoreResult<SqsBatchResponse>
where
    M: Default,
    F: Future<Output = (M, StoreResult<Option<Timestamp>>)>,
{
    let ends = Instant::now() + end.duration_since(SystemTime::now()).unwrap_or_default();
    let mut response = SqsBatchResponse::default();
    for record in &batch.records {
        let body = record.body.as_deref().unwrap_or_default();
        let id = record.message_id.as_deref().unwrap_or_default();
        let handled =
            match (loanhook_stored::read::<JobTurn>(body), loanhook_stored::read::<WaitingTurn>(body)) {
                (Ok(turn), _) => {
                    handle(engine, &turn, ends, &step).await.map_err(|failure| (failure, log_of_job(&turn)))
                }
                (_, Ok(turn)) => {
                    let wake = |turn: WaitingTurn, (), now: Timestamp| async move {
                        ((), engine.wake_waiting(&turn, now).await)
                    };
                    handle(engine, &turn, ends, &wake)
                        .await
                        .map_err(|failure| (failure, log_of_waiting(&turn)))
                }
                (Err(_), Err(_)) => {
                    error!(message_id = id, "message.unreadable");
                    engine.dead_letter(body, UNREADABLE).await.map_err(|failure| (failure, String::new()))
                }
            };
        if let Err((failure, of)) = handled {
            error!(message_id = id, of, %failure, "turn.put_off");
            if id.is_empty() {
                return Err(failure);
            }
            response.add_failure(id);
        }
    }
    Ok(response)
}

fn log_of_job(turn: &JobTurn) -> String {
    format!("job {} of {}", turn.job, turn.tenant)
}

fn log_of_waiting(turn: &WaitingTurn) -> String {
    format!("what waits of subscription {} of {}", turn.subscription, turn.tenant)
}

/// Makes the steps of a turn, and sends the message of the next.
async fn handle<T, M, F>(
    engine: &Aws,
    turn: &T,
    ends: Instant,
    step: &impl Fn(T, M, Timestamp) -> F,
) -> StoreResult<()>
where
    T: Turn,
    M: Default,
    F: Future<Output = (M, StoreResult<Option<Timestamp>>)>,
{
    let clock = engine.stack().clock;
    if !engine.take_turn(turn, clock()).await? {
        return Ok(());
    }
    let mut memory = M::default();
    loop {
        let now = clock();
        let (kept, next) = step(turn.clone(), memory, now).await;
        memory = kept;
        let Some(next) = next? else { return Ok(()) };
        let at = if next <= now { next } else { next.max(now + INTERVAL) };
        let wait = at.since(clock());
        if wait > MAX_WAIT || Instant::now() + wait + STEP_TIME > ends {
            return engine.send_turn(&turn.clone().next(), at).await;
        }
        sleep(wait).await;
    }
}
