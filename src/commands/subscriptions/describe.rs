//! Subscriptions as text for a person: a table of all, or one with its settings.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::decode;
use crate::error::CommandResult;
use crate::terminal::format::{clean, count, field, time};
use crate::terminal::table;

pub(super) fn print_table(subscriptions: &[Box<RawValue>]) -> CommandResult {
    let mut table = table::new(&["ID", "Title", "Enabled", "Fires On", "Destination"], 2);
    for subscription in subscriptions {
        let subscription: Value = decode(subscription.get().as_bytes())?;
        table.add_row([
            field(&subscription, "/id"),
            field(&subscription, "/title"),
            enabled(&subscription),
            criteria(&subscription),
            request(&subscription),
        ]);
    }
    table::print(&table)
}

pub(in crate::commands) fn print_details(subscription: &Value) -> CommandResult {
    let unless_empty = |text: String| Some(text).filter(|text| !text.is_empty());
    table::details([
        ("ID", Some(field(subscription, "/id"))),
        ("Title", Some(field(subscription, "/title"))),
        ("Description", unless_empty(field(subscription, "/description"))),
        ("Enabled", Some(enabled(subscription))),
        ("Fires on", Some(criteria(subscription))),
        ("Only if", unless_empty(field(subscription, "/restriction"))),
        ("Request", Some(request(subscription))),
        ("Headers", unless_empty(headers(subscription))),
        ("Authentication", unless_empty(authentication(&subscription["request"]))),
        ("Content type", unless_empty(field(subscription, "/request/contentType"))),
        ("Payload", unless_empty(field(subscription, "/request/payload"))),
        ("Retries", Some(schedule(&subscription["retry"]))),
        (
            "Timeout",
            unless_empty(field(subscription, "/timeoutSeconds")).map(|seconds| format!("{seconds} s")),
        ),
        ("Flow", unless_empty(flow(&subscription["flow"]))),
        ("Held", hold(&subscription["hold"])),
        ("Version", unless_empty(field(subscription, "/version"))),
        ("Created", unless_empty(field(subscription, "/createdAt")).map(|text| time(&text))),
        ("Updated", unless_empty(field(subscription, "/updatedAt")).map(|text| time(&text))),
        ("Signing secret (shown once, keep it)", unless_empty(field(subscription, "/signingSecret"))),
    ])
}

fn enabled(subscription: &Value) -> String {
    let enabled = if subscription["enabled"] == false { "no" } else { "yes" };
    let held = if subscription["hold"].is_object() { ", held" } else { "" };
    format!("{enabled}{held}")
}

fn criteria(subscription: &Value) -> String {
    let criteria = &subscription["criteria"];
    if let Some(events) = criteria["events"].as_array() {
        let names: Vec<_> = events.iter().filter_map(Value::as_str).collect();
        return if names == ["*"] { "every event".to_owned() } else { clean(&names.join(", ")) };
    }
    if let Some(operational) = criteria["operational"].as_array() {
        let names: Vec<_> = operational.iter().filter_map(Value::as_str).collect();
        return format!("of loanhook itself: {}", clean(&names.join(", ")));
    }
    format!("{} ({})", field(criteria, "/trigger"), field(criteria, "/fire"))
}

fn request(subscription: &Value) -> String {
    format!("{} {}", field(subscription, "/request/method"), field(subscription, "/request/url"))
}

fn headers(subscription: &Value) -> String {
    let names = subscription["request"]["headers"].as_object().into_iter().flatten();
    clean(&names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
}

/// The kinds of authentication beside headers, and when the client certificate ends.
fn authentication(request: &Value) -> String {
    let kind = match request["auth"]["type"].as_str() {
        Some("basic") => Some(format!("Basic, as {}", field(request, "/auth/username"))),
        Some("oauth2") => Some(format!("OAuth 2.0, tokens from {}", field(request, "/auth/tokenUrl"))),
        _ => None,
    };
    let ends = request["tls"]["expiresAt"].as_str();
    let certificate = ends.map(|ends| format!("client certificate, which ends at {}", time(ends)));
    let ca = request["tls"]["ca"].as_str().map(|_| "authorities of its own".to_owned());
    [kind, certificate, ca].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The waits before the retries, or the rule that they follow.
fn schedule(retry: &Value) -> String {
    if let Some(delays) = retry["delays"].as_array() {
        let delays: Vec<_> = delays.iter().filter_map(Value::as_u64).map(duration).collect();
        return if delays.is_empty() { "none".to_owned() } else { format!("after {}", delays.join(", ")) };
    }
    if let Some(interval) = retry["interval"].as_u64() {
        return format!("{} times, every {}", field(retry, "/maxRetries"), duration(interval));
    }
    let rule = &retry["exponential"];
    let length = |name: &str| duration(rule[name].as_u64().unwrap_or_default());
    let (times, factor) = (field(rule, "/maxRetries"), field(rule, "/factor"));
    let (base, cap) = (length("base"), length("cap"));
    let jitter = rule["jitter"].as_f64().filter(|share| *share > 0.0);
    let jitter = jitter.map(|share| format!(", shortened by up to {} %", share * 100.0)).unwrap_or_default();
    format!("{times} times, after {base} and {factor} times as long each time, at most {cap}{jitter}")
}

/// Who holds it, since when, and what waits.
fn hold(hold: &Value) -> Option<String> {
    hold.as_object()?;
    let by = match field(hold, "/by") {
        by if by == "failures" => "after failures in a row".to_owned(),
        by => format!("by {by}"),
    };
    let waiting =
        count(usize::try_from(hold["waiting"].as_u64()?).ok()?, "delivery waits", "deliveries wait");
    Some(format!("{by}, since {}: {waiting}", time(&field(hold, "/since"))))
}

/// The limits, the order and the automatic hold that are set.
fn flow(flow: &Value) -> String {
    let set = |name: &str| Some(field(flow, name)).filter(|text| !text.is_empty());
    let stuck = flow["stepAsideAfterSeconds"].as_u64().map(duration);
    let order = Some(field(flow, "/order")).filter(|order| order == "loan").map(|_| {
        let until = stuck.map(|time| format!(", for at most {time}")).unwrap_or_default();
        format!("each delivery waits for the earlier ones of its loan{until}")
    });
    let parts = [
        set("/maxInFlight").map(|most| format!("at most {most} requests under way")),
        set("/maxPerSecond").map(|most| format!("at most {most} requests a second")),
        order,
        set("/holdAfterFailures").map(|count| format!("held after {count} failures in a row")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `90 s`, `5 min`, `2 h`, `7 d`: in the largest unit that divides the seconds.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "s"));
    format!("{} {name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{authentication, criteria, flow, hold, schedule};

    #[test]
    fn a_schedule_is_shown_in_words() {
        assert_eq!(schedule(&json!({"delays": [5, 300, 7200, 90]})), "after 5 s, 5 min, 2 h, 90 s");
        assert_eq!(schedule(&json!({"delays": []})), "none");
        assert_eq!(schedule(&json!({"interval": 60, "maxRetries": 3})), "3 times, every 1 min");
        let exponential =
            json!({"exponential": {"base": 60, "factor": 2, "cap": 3600, "maxRetries": 8, "jitter": 0}});
        assert_eq!(schedule(&exponential), "8 times, after 1 min and 2 times as long each time, at most 1 h");
        let jittery =
            json!({"exponential": {"base": 5, "factor": 1.5, "cap": 90, "maxRetries": 2, "jitter": 0.5}});
        let expected =
            "2 times, after 5 s and 1.5 times as long each time, at most 90 s, shortened by up to 50 %";
        assert_eq!(schedule(&jittery), expected);
    }

    #[test]
    fn authentication_is_shown_without_values() {
        assert_eq!(authentication(&json!({"auth": null, "tls": null})), "");
        let basic =
            json!({"auth": {"type": "basic", "username": "ann", "password": "***"}, "tls": {"ca": "PEM"}});
        assert_eq!(authentication(&basic), "Basic, as ann; authorities of its own");
        let oauth2 = json!({"auth": {"type": "oauth2", "tokenUrl": "https://login.example.com/token"}});
        assert_eq!(authentication(&oauth2), "OAuth 2.0, tokens from https://login.example.com/token");
        let certificate = authentication(&json!({"tls": {"expiresAt": "2027-11-23T10:00:00.000Z"}}));
        assert!(certificate.starts_with("client certificate, which ends at "), "{certificate}");
    }

    #[test]
    fn flow_is_shown_in_words() {
        let none =
            json!({"maxInFlight": null, "maxPerSecond": null, "order": "none", "holdAfterFailures": null});
        assert_eq!(flow(&none), "");
        let all = json!({
            "maxInFlight": 5, "maxPerSecond": 0.5, "order": "loan", "stepAsideAfterSeconds": 600, "holdAfterFailures": 10
        });
        let expected = "at most 5 requests under way; at most 0.5 requests a second; each delivery waits for the \
                        earlier ones of its loan, for at most 10 min; held after 10 failures in a row";
        assert_eq!(flow(&all), expected);
    }

    #[test]
    fn a_hold_is_shown_in_words() {
        assert_eq!(hold(&json!(null)), None);
        let since = "2026-11-23T10:00:00Z";
        let by_hand = hold(&json!({"by": "Ann", "since": since, "waiting": 1})).expect("a hold");
        assert!(
            by_hand.starts_with("by Ann, since ") && by_hand.ends_with(": 1 delivery waits"),
            "{by_hand}"
        );
        let automatic = hold(&json!({"by": "failures", "since": since, "waiting": 12})).expect("a hold");
        assert!(automatic.starts_with("after failures in a row"), "{automatic}");
        assert!(automatic.ends_with(": 12 deliveries wait"), "{automatic}");
    }

    #[test]
    fn criteria_are_shown_in_words() {
        assert_eq!(criteria(&json!({"criteria": {"events": ["*"]}})), "every event");
        let trigger = json!({"criteria": {"trigger": "(> status-days-past-due 30)", "fire": "on-change"}});
        assert_eq!(criteria(&trigger), "(> status-days-past-due 30) (on-change)");
    }
}
