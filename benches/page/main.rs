//! Benchmark of the loan's page, of 50 and of 200 rows and with an open row; of the pages of all loans; and of a report of a month:
//! `cargo bench --bench page` measures the time from the request to the last byte of the response, without a network.
//! `LOANHOOK_BENCH_DELIVERIES` is how many deliveries of the last days the pages of all loans have before them.

mod fill;

use std::future::Future;
use std::io::Write as _;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use bench_measure::{Samples, milliseconds};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use loanhook_http::page;
use loanhook_http::web::SiteSettings;
use loanhook_sqlite::SqliteEngine;
use tower::ServiceExt as _;

const KEY: &str = "lh_bench_0123456789abcdef";
const ROWS: usize = 1000;
const ROUNDS: usize = 300;
const MONTH_BEGINS: &str = "2026-10-01T00:00:00Z";
const MONTH_ENDS: &str = "2026-11-01T00:00:00Z";
const MONTH_SUBSCRIPTIONS: usize = 10;

/// How many deliveries the pages of all loans have before them, where nothing else is said.
const DELIVERIES: u32 = 20_000;
/// Pages of all loans.
const CONSOLE: [&str; 7] = [
    "/",
    "/?span=week",
    "/webhooks",
    "/webhooks?status=failed",
    "/webhooks?loanId=1001",
    "/subscriptions",
    "/search?q=nothing",
];

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(bench(SqliteEngine::open(folder.path())?))
}

async fn bench(engine: SqliteEngine) -> Outcome {
    fill::fill(&engine).await?;
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
    let count =
        std::env::var("LOANHOOK_BENCH_DELIVERIES").ok().map_or(Ok(DELIVERIES), |text| text.parse())?;
    fill::fill_week(&engine, count).await?;
    writeln!(out, "{count} deliveries in six days")?;
    for path in CONSOLE {
        let (median, p95, bytes) = measure(|| get(&router, path, &cookie)).await?;
        writeln!(out, "{path:28} {median:>7.2}ms {p95:>7.2}ms {:>6} KB", bytes / 1000)?;
    }
    fill::fill_month(&engine).await?;
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
    let request =
        Request::get(path).header("host", "localhost").header(COOKIE, cookie).header(ACCEPT, "text/html");
    let request = request.header(AUTHORIZATION, format!("Bearer {KEY}")).body(Body::empty())?;
    let response = router.clone().oneshot(request).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("{path} answered {}", response.status()).into());
    }
    Ok(response.into_body().collect().await?.to_bytes())
}

async fn sign_in(router: &Router) -> Outcome<String> {
    let request = Request::post("/sign-in").header("host", "localhost").header("origin", "http://localhost");
    let request = request.body(Body::from(format!("loan=727&key={KEY}")))?;
    let response = router.clone().oneshot(request).await?;
    let cookie = response.headers().get(SET_COOKIE).ok_or("no cookie")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}
