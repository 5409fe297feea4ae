//! Data of the benchmark: a loan, a month and a week of deliveries, stored as intake and delivery store them.

use std::time::Duration;

use bench_measure::milliseconds;
use bytes::Bytes;
use loanhook_core::intake::{PromisedDelivery, Submission, accept};
use loanhook_core::keys::ensure_admin;
use loanhook_core::model::attempt::{AttemptState, Completion, StoredResponse};
use loanhook_core::model::event::EventInput;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::{FIRST_TENANT, SecretKey};
use loanhook_core::model::payload::Payload;
use loanhook_core::model::subscription::{CriteriaInput, SubscriptionInput};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{ClaimOutcome, Deliveries, DueWork, QueueMessage};
use loanhook_core::subscriptions;
use loanhook_sqlite::SqliteEngine;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{KEY, MONTH_BEGINS, MONTH_ENDS, MONTH_SUBSCRIPTIONS, Outcome, ROWS};

/// Deliveries of a subscription in an hour of the month, each with a response time of its own.
const DELIVERIES_PER_HOUR: u32 = 3;
/// So many deliveries share commits.
const AT_ONCE: u32 = 200;
const ANSWER: &[u8] = br#"{"received": true, "amount": 250.00, "queue": "core-banking", "took": 12}"#;

/// A loan with that many webhooks, each delivered at its first attempt.
pub(crate) async fn fill(engine: &SqliteEngine) -> Outcome {
    let now = Timestamp::now();
    ensure_admin(engine, Some(SecretKey::chosen(KEY)?), now).await?;
    let tenant = TenantId::try_from(FIRST_TENANT.to_owned())?;
    subscribe(engine, &tenant, "Core banking: payment posted".into(), now).await?;
    for number in 0..ROWS {
        let context = json!({"loan-display-id": "727", "number": number});
        let now = Timestamp::now();
        for wake in accepted(engine, &tenant, ("Payment Posted to Account", "727"), &context, now).await? {
            deliver(engine, &wake, Timestamp::now(), Duration::from_millis(12), 200).await?;
        }
    }
    Ok(())
}

/// A month in whose every hour each subscription has deliveries.
pub(crate) async fn fill_month(engine: &SqliteEngine) -> Outcome {
    let tenant = TenantId::try_from(FIRST_TENANT.to_owned())?;
    let (begins, ends): (Timestamp, Timestamp) = (MONTH_BEGINS.parse()?, MONTH_ENDS.parse()?);
    for number in 1..MONTH_SUBSCRIPTIONS {
        subscribe(engine, &tenant, format!("Webhook {number}"), begins).await?;
    }
    let hours = std::iter::successors(Some(begins), |hour| Some(*hour + Duration::from_secs(3600)));
    for hour in hours.take_while(|hour| *hour < ends) {
        for number in 0..DELIVERIES_PER_HOUR {
            let context = json!({"loan-display-id": "728"});
            let of = ("Payment Posted to Account", "728");
            let wakes = accepted(engine, &tenant, of, &context, hour).await?;
            // At once, so that they share commits.
            let delivered = wakes.into_iter().zip(0_u32..).map(|(wake, place)| {
                let took = Duration::from_millis((7 + 31 * number + 3 * place).into());
                async move { deliver(engine, &wake, hour, took, 200).await }
            });
            futures_util::future::try_join_all(delivered).await?;
        }
    }
    Ok(())
}

/// So many deliveries in the last days, evenly over their hours and over 500 loans. Each fiftieth fails, and its retry is days away.
pub(crate) async fn fill_week(engine: &SqliteEngine, count: u32) -> Outcome {
    let tenant = TenantId::try_from(FIRST_TENANT.to_owned())?;
    let now = Timestamp::now();
    for first in (0..count).step_by(AT_ONCE as usize) {
        let age = Duration::from_secs(6 * 24 * 3600).mul_f64(f64::from(count - first) / f64::from(count));
        let sent = now.minus(age);
        let one = |number: u32| {
            let tenant = &tenant;
            async move {
                let loan = (1000 + number % 500).to_string();
                let of = ("Autopay Failed", loan.as_str());
                let wakes = accepted(engine, tenant, of, &json!({"number": number}), sent).await?;
                let wake = wakes.first().ok_or("no delivery")?;
                let status = if number.is_multiple_of(50) { 503 } else { 200 };
                deliver(engine, wake, sent, Duration::from_millis(u64::from(3 + number % 40)), status).await
            }
        };
        futures_util::future::try_join_all((first..count.min(first + AT_ONCE)).map(one)).await?;
    }
    Ok(())
}

/// A subscription to all events.
async fn subscribe(engine: &SqliteEngine, tenant: &TenantId, title: String, now: Timestamp) -> Outcome {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let url = "https://core.example.com/hooks/loans".into();
    let input = SubscriptionInput::with_defaults(title, criteria, url);
    subscriptions::create(engine, tenant, input, "bench", now).await.map_err(|_| "no subscription")?;
    Ok(())
}

/// The messages of the deliveries of an event of this name and loan, which was accepted then.
async fn accepted(
    engine: &SqliteEngine,
    tenant: &TenantId,
    (name, loan): (&str, &str),
    context: &Value,
    at: Timestamp,
) -> Outcome<Vec<QueueMessage>> {
    let input = EventInput {
        event_name: name.into(),
        loan_id: loan.into(),
        context: to_raw_value(context)?,
        occurred_at: None,
    };
    let event = input.check().map_err(|_| "no event")?;
    let receipt = accept(engine, tenant, Submission { event, key: None }, at).await?;
    let wake = |promised: PromisedDelivery| QueueMessage {
        tenant: tenant.clone(),
        trace_id: promised.trace_id,
        subscription_id: promised.subscription_id,
        due: at,
        work: DueWork::Attempt(1),
    };
    Ok(receipt.deliveries.into_iter().map(wake).collect())
}

async fn deliver(
    engine: &SqliteEngine,
    wake: &QueueMessage,
    now: Timestamp,
    took: Duration,
    status: u16,
) -> Outcome {
    let token = Uuid::new_v4();
    let ClaimOutcome::Claimed(won) = engine.claim(wake, 1, token, now).await? else {
        return Err("not claimed".into());
    };
    let (delivery, mut row) = *won;
    let headers = [("content-type", "application/json"), ("server", "core/4.2"), ("date", "today")];
    row.state = AttemptState::Complete(Completion {
        ended_at: now + took,
        response_time_ms: Some(milliseconds(took)),
        source_ip: None,
        result: Ok(status),
        response: Some(StoredResponse {
            payload: Payload::of(ANSWER),
            content_type: Some("application/json".into()),
            truncated: false,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            headers_truncated: false,
            headers_dropped: 0,
        }),
    });
    engine.complete(&delivery, token, row, Some(Bytes::from_static(ANSWER))).await?;
    Ok(())
}
