//! Benchmark of the loan's page, of 50 and of 200 rows and with an open row, and of a report of a month: `cargo bench --bench
//! page` measures the time from the request to the last byte of the response, without a network.

use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use bench_measure::{Samples, milliseconds};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use loanhook_core::intake::{Submission, accept};
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
use loanhook_http::page;
use loanhook_http::web::SiteSettings;
use loanhook_sqlite::SqliteEngine;
use serde_json::{json, value::to_raw_value};
use tower::ServiceExt as _;
use uuid::Uuid;

const KEY: &str = "lh_bench_0123456789abcdef";
const ROWS: usize = 1000;
const ROUNDS: usize = 300;
const MONTH_BEGINS: &str = "2026-10-01T00:00:00Z";
const MONTH_ENDS: &str = "2026-11-01T00:00:00Z";
const MONTH_SUBSCRIPTIONS: usize = 10;
/// Deliveries of a subscription in an hour of the month, each with a response time of its own.
const DELIVERIES_PER_HOUR: u32 = 3;
const ANSWER: &[u8] = br#"{"received": true, "amount": 250.00, "queue": "core-banking", "took": 12}"#;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(bench(SqliteEngine::open(folder.path())?))
}

async fn bench(engine: SqliteEngine) -> Outcome {
    fill(&engine).await?;
    let router = page::router(engine.clone(), SiteSettings::default());
    let cookie = sign_in(&router).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "a loan of {ROWS} webhooks, {ROUNDS} rounds each")?;
    writeln!(out, "{:28} {:>9} {:>9} {:>9}", "", "median", "p95", "HTML")?;
    for (name, query) in [
        ("50 rows", "limit=50"),
        ("200 rows", "limit=200"),
        ("200 rows, filtered", "limit=200&outcome=succeeded"),
    ] {
        let path = format!("/loans/727/webhooks?{query}");
        let (median, p95, bytes) = measure(|| get(&router, &path, &cookie)).await?;
        writeln!(out, "{name:28} {median:>7.2}ms {p95:>7.2}ms {:>6} KB", bytes / 1000)?;
    }
    let list = get(&router, "/loans/727/webhooks", &cookie).await?;
    let list = std::str::from_utf8(&list)?;
    let id = list.split("data-id=\"").nth(1).and_then(|rest| rest.split('"').next()).ok_or("a row")?;
    let path = format!("/loans/727/webhooks/{id}/details");
    let (median, p95, bytes) = measure(|| get(&router, &path, &cookie)).await?;
    writeln!(out, "{:28} {median:>7.2}ms {p95:>7.2}ms {:>6} KB", "a row that is opened", bytes / 1000)?;
    fill_month(&engine).await?;
    let api = loanhook_http::api::history(engine);
    writeln!(out, "a month of {MONTH_SUBSCRIPTIONS} subscriptions, each with deliveries in every hour")?;
    for (name, query) in [("by subscription and day", "by=day&group=subscription"), ("by hour", "by=hour")] {
        let path = format!("/v1/reports/deliveries?from={MONTH_BEGINS}&to={MONTH_ENDS}&{query}");
        let (median, p95, bytes) = measure(|| get(&api, &path, &cookie)).await?;
        writeln!(out, "{name:28} {median:>7.2}ms {p95:>7.2}ms {:>6} KB", bytes / 1000)?;
    }
    Ok(())
}

/// Median and 95th percentile in milliseconds, and the bytes of the last answer.
async fn measure<F: Future<Output = Outcome<Bytes>>>(ask: impl Fn() -> F) -> Outcome<(f64, f64, usize)> {
    let mut times = Samples::default();
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        bytes = ask().await?.len();
        times.add(milliseconds(begun.elapsed()));
    }
    Ok((times.median(), times.quantile(0.95), bytes))
}

async fn get(router: &Router, path: &str, cookie: &str) -> Outcome<Bytes> {
    let request = Request::get(path).header("host", "localhost").header(COOKIE, cookie);
    let request = request.header(AUTHORIZATION, format!("Bearer {KEY}")).body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("{path} answered {}", response.status()).into());
    }
    Ok(response.into_body().collect().await?.to_bytes())
}

async fn sign_in(router: &Router) -> Outcome<String> {
    let request = Request::post("/login").header("host", "localhost").header("origin", "http://localhost");
    let request = request.body(Body::from(format!("loan=727&key={KEY}")))?;
    let response = router.clone().oneshot(request).await?;
    let cookie = response.headers().get(SET_COOKIE).ok_or("no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// A loan with that many webhooks, each delivered at its first attempt.
async fn fill(engine: &SqliteEngine) -> Outcome {
    let now = Timestamp::now();
    ensure_admin(engine, Some(SecretKey::chosen(KEY)?), now).await?;
    let tenant = TenantId::try_from(FIRST_TENANT.to_owned())?;
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let url = "https://core.example.com/hooks/loans".into();
    let input = SubscriptionInput::with_defaults("Core banking: payment posted".into(), criteria, url);
    subscriptions::create(engine, &tenant, input, now).await.map_err(|_| "no subscription")?;
    for number in 0..ROWS {
        let input = EventInput {
            event_name: "Payment Posted to Account".into(),
            loan_id: "727".into(),
            context: to_raw_value(&json!({"loan-display-id": "727", "number": number}))?,
            occurred_at: None,
        };
        let event = input.check().map_err(|_| "no event")?;
        let receipt = accept(engine, &tenant, Submission { event, key: None }, Timestamp::now()).await?;
        for promised in receipt.deliveries {
            let wake = QueueMessage {
                tenant: tenant.clone(),
                trace_id: promised.trace_id,
                subscription_id: promised.subscription_id,
                due: now,
                work: DueWork::Attempt(1),
            };
            deliver(engine, &wake, Timestamp::now(), Duration::from_millis(12)).await?;
        }
    }
    Ok(())
}

/// A month in whose every hour each subscription has deliveries.
async fn fill_month(engine: &SqliteEngine) -> Outcome {
    let tenant = TenantId::try_from(FIRST_TENANT.to_owned())?;
    let (begins, ends): (Timestamp, Timestamp) = (MONTH_BEGINS.parse()?, MONTH_ENDS.parse()?);
    for number in 1..MONTH_SUBSCRIPTIONS {
        let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
        let url = "https://core.example.com/hooks/loans".into();
        let input = SubscriptionInput::with_defaults(format!("Webhook {number}"), criteria, url);
        subscriptions::create(engine, &tenant, input, begins).await.map_err(|_| "no subscription")?;
    }
    let hours = std::iter::successors(Some(begins), |hour| Some(*hour + Duration::from_secs(3600)));
    for hour in hours.take_while(|hour| *hour < ends) {
        for number in 0..DELIVERIES_PER_HOUR {
            let input = EventInput {
                event_name: "Payment Posted to Account".into(),
                loan_id: "728".into(),
                context: to_raw_value(&json!({"loan-display-id": "728"}))?,
                occurred_at: None,
            };
            let event = input.check().map_err(|_| "no event")?;
            let receipt = accept(engine, &tenant, Submission { event, key: None }, hour).await?;
            // At once, so that they share commits.
            let delivered = receipt.deliveries.into_iter().zip(0_u32..).map(|(promised, place)| {
                let wake = QueueMessage {
                    tenant: tenant.clone(),
                    trace_id: promised.trace_id,
                    subscription_id: promised.subscription_id,
                    due: hour,
                    work: DueWork::Attempt(1),
                };
                let took = Duration::from_millis((7 + 31 * number + 3 * place).into());
                async move { deliver(engine, &wake, hour, took).await }
            });
            futures_util::future::try_join_all(delivered).await?;
        }
    }
    Ok(())
}

async fn deliver(engine: &SqliteEngine, wake: &QueueMessage, now: Timestamp, took: Duration) -> Outcome {
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
        result: Ok(200),
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
