//! Checks over the HTTP interface.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::report::Report;
use crate::client::{Answer, ApiClient, Call, decode};
use crate::error::{CommandError, CommandResult};
use crate::terminal::format::{count, field};

/// The clock of the other machine is shown in whole seconds, and an answer takes a while.
const MAX_CLOCK_DIFFERENCE_SECONDS: i64 = 5;
/// By whom a webhook is held whose receiver fails.
const BY_FAILURES: &str = "failures";
/// Scopes, and a call that needs each and changes nothing: it has no body, for which it is refused once the key may make it.
const SCOPES: [(&str, &[&str], bool); 6] = [
    ("history:read", &["v1", "webhooks"], false),
    ("events:write", &["v1", "events"], true),
    ("subscriptions:write", &["v1", "subscriptions"], true),
    ("webhooks:resend", &["v1", "resends"], true),
    ("portal:write", &["v1", "portal-links"], true),
    ("admin", &["v1", "keys"], false),
];

/// Whether it is up and ready, and how far apart the clocks are.
///
/// # Errors
///
/// Nothing answers there, or not as loanhook does.
pub(super) async fn check_process(client: &ApiClient, report: &mut Report) -> CommandResult {
    let health = client.ask(&Call::get(&["health"])).await?;
    let now = DateTime::<Utc>::from(SystemTime::now());
    match health.status {
        200 => {
            report.well("health", format!("it is up, version {}", field(&decode(&health.body)?, "/version")))
        }
        503 => report.needs_action("health", "nothing can be stored"),
        status => {
            return Err(CommandError::Message(format!("this is no loanhook: /health answered {status}")));
        }
    }
    match health.date.map(|date| (now - DateTime::<Utc>::from(date)).num_seconds()) {
        Some(apart) if apart.abs() > MAX_CLOCK_DIFFERENCE_SECONDS => report.needs_action(
            "clock",
            format!(
                "its clock and this one are {} s apart: receivers refuse signatures of another time",
                apart.abs()
            ),
        ),
        Some(_) => report.well("clock", format!("at most {MAX_CLOCK_DIFFERENCE_SECONDS} s from this one")),
        None => report.unknown("clock", "its answers have no date"),
    }
    let ready = client.ask(&Call::get(&["ready"])).await?;
    match ready.status {
        200 => report.well("ready", "it can store what comes"),
        404 => report.unknown("ready", "this version does not say"),
        _ => report.needs_action("ready", detail(&ready)),
    }
    Ok(())
}

/// What the key may do. False where it is not valid.
pub(super) async fn check_key(client: &ApiClient, report: &mut Report) -> CommandResult<bool> {
    let (mut may, mut may_not) = (Vec::new(), Vec::new());
    for (scope, path, is_post) in SCOPES {
        let call = if is_post { Call::post(path) } else { Call::get(path).query("limit", Some(1)) };
        let answer = client.ask(&call).await?;
        match answer.status {
            401 => {
                report.needs_action("key", detail(&answer));
                return Ok(false);
            }
            403 => may_not.push(scope),
            _ => may.push(scope),
        }
    }
    let without = if may_not.is_empty() { String::new() } else { format!("; not {}", may_not.join(", ")) };
    report.well("key", format!("valid; it has {}{without}", may.join(", ")));
    Ok(true)
}

/// Where webhooks come from.
pub(super) async fn check_egress(client: &ApiClient, report: &mut Report) -> CommandResult {
    let Some(egress) = read(client, &Call::get(&["v1", "egress"]), "egress", report).await? else {
        return Ok(());
    };
    let addresses = egress["addresses"].as_array().map(Vec::as_slice).unwrap_or_default();
    let addresses: Vec<_> = addresses.iter().filter_map(Value::as_str).collect();
    let kind = if egress["static"] == true { "static" } else { "seen of late" };
    match addresses.is_empty() {
        true => report.well("egress", "no webhook left yet"),
        false => report.well("egress", format!("{} ({kind})", addresses.join(", "))),
    }
    Ok(())
}

/// Webhooks that are held, or of which no attempt of the last hours succeeded.
pub(super) async fn check_webhooks(client: &ApiClient, report: &mut Report) -> CommandResult {
    let call = Call::get(&["v1", "subscriptions"]).query("limit", Some(200));
    let Some(subscriptions) = read(client, &call, "webhooks", report).await? else { return Ok(()) };
    let subscriptions = items(&subscriptions);
    let held = |by_failures: bool| -> Vec<_> {
        let held = subscriptions.iter().filter(|of| !of["hold"].is_null());
        held.filter(|of| (of["hold"]["by"] == BY_FAILURES) == by_failures).map(named).collect()
    };
    let (held_by_failures, held_by_hand) = (held(true), held(false));
    let hour_ago = DateTime::<Utc>::from(SystemTime::now()) - chrono::TimeDelta::hours(1);
    let call = Call::get(&["v1", "reports", "deliveries"])
        .query("group", Some("subscription"))
        .query("from", Some(hour_ago.format("%Y-%m-%dT%H:%M:%SZ")));
    let Some(counts) = read(client, &call, "webhooks", report).await? else { return Ok(()) };
    let attempts = |id: &Value, succeeded: bool| -> i64 {
        let of = items(&counts).iter().filter(|row| row["subscriptionId"] == *id);
        let classes = of.filter_map(|row| row["attempts"].as_object()).flatten();
        classes
            .filter(|(class, _)| (*class == "2xx") == succeeded)
            .filter_map(|(_, count)| count.as_i64())
            .sum()
    };
    let fails = |of: &&Value| attempts(&of["id"], true) == 0 && attempts(&of["id"], false) > 0;
    let failing: Vec<_> = subscriptions.iter().filter(fails).map(named).collect();
    let found = [
        ("held as their receivers fail, until one answers well: look at the receivers of", held_by_failures),
        ("held by hand; `loanhook release ID` lets them go on:", held_by_hand),
        ("no attempt succeeded since an hour or more: look at the receivers of", failing),
    ];
    if found.iter().all(|(_, of)| of.is_empty()) {
        report.well(
            "webhooks",
            format!("{}, none held or failing", count(subscriptions.len(), "webhook", "webhooks")),
        );
    }
    for (what, of) in found.into_iter().filter(|(_, of)| !of.is_empty()) {
        report.needs_action("webhooks", format!("{what} {}", of.join(", ")));
    }
    Ok(())
}

/// What a call answers; none, which is reported, where the key may not make it or it fails.
pub(super) async fn read(
    client: &ApiClient,
    call: &Call,
    check: &'static str,
    report: &mut Report,
) -> CommandResult<Option<Value>> {
    let answer = client.ask(call).await?;
    match answer.status {
        200 => decode(&answer.body).map(Some),
        403 => {
            report.unknown(check, "the key may not read it: it has no history:read");
            Ok(None)
        }
        _ => {
            report.needs_action(check, detail(&answer));
            Ok(None)
        }
    }
}

pub(super) fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn named(subscription: &Value) -> String {
    format!("{} ({})", field(subscription, "/title"), field(subscription, "/id"))
}

/// What a problem says.
fn detail(answer: &Answer) -> String {
    let problem: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let detail = problem.map(|problem| field(&problem, "/detail")).filter(|detail| !detail.is_empty());
    detail.unwrap_or_else(|| format!("it answered {}", answer.status))
}
