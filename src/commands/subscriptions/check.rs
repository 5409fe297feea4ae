//! `loanhook subscriptions check ID`: whether a request of a subscription could leave, step by step.

use serde::Deserialize;

use crate::client::{ApiClient, Call, decode};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::{output, table};

#[derive(Deserialize)]
struct Check {
    ok: bool,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    ok: bool,
    detail: String,
    milliseconds: f64,
}

/// Checks, prints, and fails where a step failed.
pub(super) async fn run(client: &ApiClient, id: &str, json: bool) -> CommandResult {
    let body = client.send(&Call::post(&["v1", "subscriptions", id, "check"])).await?;
    let check: Check = decode(&body)?;
    if json {
        output::json(&body)?;
    } else {
        let mut table = table::new(&["Step", "Result", "Time", "Detail"], 2);
        for step in &check.steps {
            let result = if step.ok { "ok" } else { "failed" };
            let time = format!("{} ms", step.milliseconds);
            table.add_row([clean(&step.step), result.to_owned(), time, clean(&step.detail)]);
        }
        table::print(&table)?;
    }
    if check.ok { Ok(()) } else { Err("a request of this webhook could not leave".to_owned().into()) }
}
