//! `report`.

use serde_json::json;

use super::run_as_caller;
use crate::harness::{Journey, Reply, event, items_of};
use crate::reports::{rows_when, sum};

#[tokio::test]
async fn report_prints_a_table_with_bars_or_the_json_of_the_api() {
    let j = Journey::start().await;
    let none = run_as_caller(&j, &["report"], "").await;
    assert_eq!(none.expect_success(), "");
    assert!(none.stderr().contains("nothing was accepted or sent"), "{}", none.stderr());

    j.subscribe("/bank", json!({"title": "Core banking"})).await;
    j.subscribe("/late", json!({"title": "Collections"})).await;
    j.receiver.always("/late", Reply::status(500));
    for trace in j.api.send_event(&event("727")).await {
        j.api.ended_delivery(&trace).await;
    }
    rows_when(&j.api, "", |rows| sum(rows, "/deliveriesAccepted") == 2 && sum(rows, "/pending") == 0).await;

    let printed = run_as_caller(&j, &["report", "--since", "yesterday", "--by", "subscription"], "").await;
    let printed = printed.expect_success();
    let row = |name: &str| {
        printed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {printed}"))
    };
    let cells = |name: &str| row(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    // Deliveries, the bar, first, later, pending, exhausted, canceled, attempts, resends.
    let bar = "█".repeat(20);
    assert_eq!(cells("Core banking")[2..], ["1", &bar, "1", "0", "0", "0", "0", "1", "0"]);
    let bar = "░".repeat(20);
    assert_eq!(cells("Collections")[1..], ["1", &bar, "0", "0", "0", "1", "0", "1", "0"]);
    assert!(row("Subscription").contains("Exhausted"), "{printed}");
    assert!(printed.contains("█ succeeded  ▒ pending  ░ exhausted or canceled"), "{printed}");

    let by_event = run_as_caller(&j, &["report", "--by", "event"], "").await.expect_success();
    assert!(by_event.contains("Unmatched") && by_event.contains("Payment Posted to Account"), "{by_event}");
    let by_day = run_as_caller(&j, &["report", "--since", "today", "--by", "day"], "").await.expect_success();
    assert!(by_day.lines().any(|line| line.contains("00:00:00Z  ")), "{by_day}");
    let json = run_as_caller(&j, &["report", "--by", "day", "--json"], "").await.json();
    assert_eq!((json["by"].as_str(), json["group"].as_str()), (Some("day"), Some("none")));
    assert_eq!(sum(items_of(&json), "/deliveriesAccepted"), 2);
    let wrong = run_as_caller(&j, &["report", "--since", "tomorrow"], "").await;
    assert_eq!(wrong.output.status.code(), Some(2), "{wrong:?}");
}
