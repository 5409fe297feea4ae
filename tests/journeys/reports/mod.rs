//! Reports: `GET /v1/reports/deliveries`.

mod deliveries;
mod queries;

use serde_json::Value;

use crate::harness::wait::eventually;
use crate::harness::{Api, items_of};

/// The rows of a report, once they are as awaited: on AWS counts come a minute later.
pub(crate) async fn rows_when(api: &Api, query: &str, are_awaited: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    eventually("the report is as awaited", async || {
        let report = api.get(&format!("/v1/reports/deliveries{query}")).await.expect_status(200).json();
        Some(items_of(&report).clone()).filter(|rows| are_awaited(rows))
    })
    .await
}

/// The sum of a count over rows.
pub(crate) fn sum(rows: &[Value], pointer: &str) -> i64 {
    rows.iter().map(|row| row.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()).sum()
}
