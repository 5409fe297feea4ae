//! Start and invocation of each function, once, as cargo-lambda built it, with nothing measured: `make arm64` asks this of
//! binaries for another processor, which a runner emulates.
//!
//! What it shows: the binary loads, asks the runtime API for an event, and does its work on it over DynamoDB, SQS and HTTP.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fake_aws::FakeAws;
use crate::function_process::Process;
use crate::{Outcome, events, expect};

/// An emulated processor is slower by some factor of ten.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts each function of the folder by the runner, invokes it with an event, and ends it.
///
/// # Errors
///
/// When one does not start, or does not do what its event asks for.
pub(crate) async fn start_each(folder: PathBuf, runner: Vec<OsString>) -> Outcome {
    let aws = FakeAws::default();
    let address = aws.start().await?;
    let functions = Functions { folder, runner, address };

    let created = functions.invoke("subscriptions", events::subscription(address)).await?;
    expect(&created["statusCode"], &json!(201), &created)?;
    let accepted = functions.invoke("intake", events::event(0)).await?;
    expect(&accepted["statusCode"], &json!(202), &accepted)?;
    let (messages, _) = aws.take();
    let message = messages.first().ok_or("intake sent no message")?;
    let handled = functions.invoke("delivery", events::batch(message)).await?;
    expect(&handled["batchItemFailures"], &json!([]), &handled)?;
    let sent = aws.take().1;
    expect(&json!(sent), &json!(1), &json!({ "requests at the receiver": sent }))?;
    let listed = functions.invoke("history", events::event_types()).await?;
    expect(&listed["statusCode"], &json!(200), &listed)?;
    let message: Value = serde_json::from_str(message)?;
    let resent = functions.invoke("resend", events::resend(&message)).await?;
    expect(&resent["traceId"], &message["traceId"], &resent)?;
    let swept = functions.invoke("sweep", json!({})).await?;
    expect(&swept["woken"], &json!(0), &swept)
}

struct Functions {
    folder: PathBuf,
    runner: Vec<OsString>,
    address: std::net::SocketAddr,
}

impl Functions {
    async fn invoke(&self, function: &str, event: Value) -> Outcome<Value> {
        let binary = self.folder.join(function).join("bootstrap");
        let mut process = Process::start(&self.runner, &binary, self.address).await?;
        let answered = timeout(PATIENCE, process.runtime.invoke(event)).await;
        let (_, answer) = answered.map_err(|_| format!("{function}: no answer within {PATIENCE:?}"))??;
        process.end().await?;
        writeln!(std::io::stdout().lock(), "{function}: started, and answered its event")?;
        Ok(answer)
    }
}
