//! Scene of recovery jobs: deliveries that failed, a job of them, and its steps with the resends that they queue.

use loanhook_core::deliver::Deliver;
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::id::{JobId, LoanId, TraceId};
use loanhook_core::model::job::{ItemOutcome, ItemState, Job, JobItem, JobKind};
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, Jobs, StoreResult, WebhookRequest};
use loanhook_core::recovery::{self, CreateJobError, JobInput, SeenLoans};

use crate::delivery_list::{CONTEXT, FAILED, acme, attempt, delivery};
use crate::engine::Engine;
use crate::scene::{SECOND, START, subscription};
use crate::sender::Scripted;
use crate::triggers::{submit, with};

/// More items than any list here has on one page.
const MANY: usize = 10_000;

/// When jobs are made: after all attempts of the deliveries.
pub fn later() -> Timestamp {
    START + 3600 * SECOND
}

/// A subscription of every event without retries, made so many milliseconds after the start.
pub(crate) fn without_retries(title: &str, millis: u32) -> Subscription {
    subscription(&acme(), title, &[], START + millis * crate::scene::MILLISECOND)
}

/// An engine with a subscription, and a delivery of each of these loans whose schedule ran out, a second apart.
pub async fn exhausted<E: Engine>(loans: &[&str]) -> StoreResult<(E, Vec<TraceId>)> {
    let engine = with::<E>(&[&without_retries("Core", 0)]).await?;
    let mut traces = Vec::new();
    for (step, loan) in (0..).zip(loans) {
        traces.push(failed(&engine, loan, step).await?);
    }
    engine.drain().await;
    Ok((engine, traces))
}

/// A delivery of a loan that was accepted so many seconds after the start, and whose first attempt failed.
pub(crate) async fn failed<E: Engine>(engine: &E, loan: &str, step: u32) -> StoreResult<TraceId> {
    let receipt = submit(engine, loan, CONTEXT, None, START + step * SECOND).await;
    let trace = receipt.deliveries[0].trace_id;
    attempt(engine, trace, FAILED).await?;
    Ok(trace)
}

/// A bulk resend of what failed, 1,000 a second.
pub(crate) fn of_failed() -> JobInput {
    JobInput {
        kind: JobKind::Resend,
        filter: DeliveryFilterInput { status: Some("failed".into()), ..DeliveryFilterInput::default() },
        trace_ids: None,
        to: None,
        per_second: Some(1000.0),
        newest_per_loan: false,
        stop_after_failures: None,
        force: false,
    }
}

/// A bulk resend of the deliveries of these traces, 1,000 a second.
pub fn of_traces(traces: &[TraceId]) -> JobInput {
    let trace_ids = Some(traces.iter().map(ToString::to_string).collect());
    JobInput { filter: DeliveryFilterInput::default(), trace_ids, ..of_failed() }
}

pub(crate) async fn create_with<E: Engine>(
    engine: &E,
    input: JobInput,
    key: Option<(&str, &[u8])>,
) -> Result<Job, CreateJobError>
where
    E::Ports: Jobs,
{
    let digest = |body| loanhook_core::model::payload::PayloadKey::of(body);
    let key = key.map(|(key, body)| (key.to_owned(), digest(body)));
    let new = input.check().expect("it may be asked for");
    recovery::create(engine.ports(), &acme(), new, "Servicing".into(), key, later()).await
}

/// A job as it was made.
pub async fn create<E: Engine>(engine: &E, input: JobInput) -> Job
where
    E::Ports: Jobs,
{
    create_with(engine, input, None).await.expect("made")
}

/// One step of a job, by somebody who remembers nothing of the steps before; when the next is wanted.
pub async fn step<E: Engine>(engine: &E, id: JobId, now: Timestamp) -> StoreResult<Option<Timestamp>>
where
    E::Ports: Jobs,
{
    recovery::advance(engine.ports(), &acme(), id, &mut SeenLoans::default(), now).await
}

/// Sends the resends that are queued, and gives what was sent.
pub async fn send_queued<E: Engine>(
    engine: &E,
    sender: Scripted,
    now: Timestamp,
) -> StoreResult<(Scripted, Vec<WebhookRequest>)> {
    let deliver = Deliver { store: engine.ports().clone(), sender, lease: None, deadline: None };
    for message in engine.drain().await {
        if matches!(message.work, DueWork::Resend { .. }) {
            deliver.handle(message, now).await?;
        }
    }
    let sent = deliver.sender.take_sent();
    Ok((deliver.sender, sent))
}

/// Works a job off to its end, a step a second, with the answers of this sender; gives what was sent, in its order.
pub async fn work_off<E: Engine>(
    engine: &E,
    id: JobId,
    mut sender: Scripted,
) -> StoreResult<Vec<(LoanId, TraceId)>>
where
    E::Ports: Jobs,
{
    let (mut all, mut now) = (Vec::new(), later());
    while step(engine, id, now).await?.is_some() {
        let (same, sent) = send_queued(engine, sender, now).await?;
        sender = same;
        all.extend(sent.into_iter().map(|request| (request.loan_id, request.trace_id)));
        now = now + SECOND;
        assert!(now < later() + 1000 * SECOND, "the job does not end");
    }
    Ok(all)
}

/// The traces of what was sent, in its order.
pub(crate) fn traces_of(sent: &[(LoanId, TraceId)]) -> Vec<TraceId> {
    sent.iter().map(|(_, trace)| *trace).collect()
}

/// A job as it is now.
pub async fn job<E: Engine>(engine: &E, id: JobId) -> StoreResult<Job>
where
    E::Ports: Jobs,
{
    Ok(engine.ports().job(&acme(), id).await?.expect("the job"))
}

/// The items of a job, the newest delivery first.
pub(crate) async fn items<E: Engine>(engine: &E, id: JobId) -> StoreResult<Vec<JobItem>>
where
    E::Ports: Jobs,
{
    let page = recovery::items(engine.ports(), &job(engine, id).await?, None, 0, MANY).await?;
    Ok(page.items.into_iter().map(|(_, item)| item).collect())
}

/// What became of the items of a job, the oldest delivery first.
pub(crate) async fn outcomes<E: Engine>(engine: &E, id: JobId) -> StoreResult<Vec<ItemOutcome>>
where
    E::Ports: Jobs,
{
    let items = items(engine, id).await?;
    Ok(items.iter().rev().map(|item| item.state.outcome()).collect())
}

/// In all, succeeded, failed, skipped, superseded, left.
pub fn counts(job: &Job) -> [u32; 6] {
    let counts = job.counts;
    [counts.total, counts.succeeded, counts.failed, counts.skipped, counts.superseded, counts.left()]
}

/// Stores a job as if the second half of its last step had not been stored: what was sent is only taken.
pub(crate) async fn forget_attempts<E: Engine>(engine: &E, id: JobId) -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let mut chunks = engine.ports().job_chunks(&acme(), id, &[0]).await?;
    for item in chunks.iter_mut().flat_map(|chunk| &mut chunk.items) {
        if let ItemState::Sent(_) = item.state {
            item.state = ItemState::Taken;
        }
    }
    let mut job = job(engine, id).await?;
    job.version += 1;
    assert!(engine.ports().save_job(job, chunks).await?);
    Ok(())
}

/// How often these deliveries were resent, all together.
pub async fn resends<E: Engine>(engine: &E, traces: &[TraceId]) -> StoreResult<u32> {
    let mut all = 0;
    for trace in traces {
        all += delivery(engine, *trace).await?.history.resends;
    }
    Ok(all)
}
