//! Subscriptions as a person reads them.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::Outcome;
use crate::client::decode;
use crate::terminal::format::{clean, field, time};
use crate::terminal::table;

pub(super) fn list(subscriptions: &[Box<RawValue>]) -> Outcome {
    let mut table = table::table(&["ID", "Title", "Enabled", "Fires On", "Destination"], 2);
    for subscription in subscriptions {
        let it: Value = decode(subscription.get().as_bytes())?;
        table.add_row([field(&it, "/id"), field(&it, "/title"), enabled(&it), criteria(&it), request(&it)]);
    }
    table::print(&table)
}

pub(super) fn one(it: &Value) -> Outcome {
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    table::details([
        ("ID", Some(field(it, "/id"))),
        ("Title", Some(field(it, "/title"))),
        ("Description", given(field(it, "/description"))),
        ("Enabled", Some(enabled(it))),
        ("Fires on", Some(criteria(it))),
        ("Only if", given(field(it, "/restriction"))),
        ("Request", Some(request(it))),
        ("Headers", given(headers(it))),
        ("Content type", given(field(it, "/request/contentType"))),
        ("Payload", given(field(it, "/request/payload"))),
        ("Retries", Some(retry(&it["retry"]))),
        ("Timeout", given(field(it, "/timeoutSeconds")).map(|seconds| format!("{seconds} s"))),
        ("Created", given(field(it, "/createdAt")).map(|text| time(&text))),
        ("Updated", given(field(it, "/updatedAt")).map(|text| time(&text))),
        ("Signing secret (shown once, keep it)", given(field(it, "/signingSecret"))),
    ])
}

fn enabled(it: &Value) -> String {
    if it["enabled"] == false { "no" } else { "yes" }.to_owned()
}

fn criteria(it: &Value) -> String {
    let criteria = &it["criteria"];
    if let Some(events) = criteria["events"].as_array() {
        let names: Vec<_> = events.iter().filter_map(Value::as_str).collect();
        return if names == ["*"] { "every event".to_owned() } else { clean(&names.join(", ")) };
    }
    format!("{} ({})", field(criteria, "/trigger"), field(criteria, "/fire"))
}

fn request(it: &Value) -> String {
    format!("{} {}", field(it, "/request/method"), field(it, "/request/url"))
}

fn headers(it: &Value) -> String {
    let names = it["request"]["headers"].as_object().into_iter().flatten();
    clean(&names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
}

/// The waits before the retries, or what they grow by.
fn retry(retry: &Value) -> String {
    if let Some(delays) = retry["delays"].as_array() {
        let delays: Vec<_> = delays.iter().filter_map(Value::as_u64).map(seconds).collect();
        return if delays.is_empty() { "none".to_owned() } else { format!("after {}", delays.join(", ")) };
    }
    if let Some(interval) = retry["interval"].as_u64() {
        return format!("{} times, every {}", field(retry, "/maxRetries"), seconds(interval));
    }
    let rule = &retry["exponential"];
    let length = |name: &str| seconds(rule[name].as_u64().unwrap_or_default());
    let (times, factor) = (field(rule, "/maxRetries"), field(rule, "/factor"));
    let (base, cap) = (length("base"), length("cap"));
    let jitter = rule["jitter"].as_f64().filter(|share| *share > 0.0);
    let jitter = jitter.map(|share| format!(", shortened by up to {} %", share * 100.0)).unwrap_or_default();
    format!("{times} times, after {base} and {factor} times as long each time, at most {cap}{jitter}")
}

/// `90 s`, `5 min`, `2 h`, `7 d`: the greatest unit that divides it.
fn seconds(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    let (length, name) = unit.unwrap_or((1, "s"));
    format!("{} {name}", seconds / length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{criteria, retry};

    #[test]
    fn schedules_are_readable() {
        assert_eq!(retry(&json!({"delays": [5, 300, 7200, 90]})), "after 5 s, 5 min, 2 h, 90 s");
        assert_eq!(retry(&json!({"delays": []})), "none");
        assert_eq!(retry(&json!({"interval": 60, "maxRetries": 3})), "3 times, every 1 min");
        let exponential =
            json!({"exponential": {"base": 60, "factor": 2, "cap": 3600, "maxRetries": 8, "jitter": 0}});
        assert_eq!(retry(&exponential), "8 times, after 1 min and 2 times as long each time, at most 1 h");
        let jittery =
            json!({"exponential": {"base": 5, "factor": 1.5, "cap": 90, "maxRetries": 2, "jitter": 0.5}});
        let expected =
            "2 times, after 5 s and 1.5 times as long each time, at most 90 s, shortened by up to 50 %";
        assert_eq!(retry(&jittery), expected);
    }

    #[test]
    fn criteria_are_readable() {
        assert_eq!(criteria(&json!({"criteria": {"events": ["*"]}})), "every event");
        let trigger = json!({"criteria": {"trigger": "(> status-days-past-due 30)", "fire": "on-change"}});
        assert_eq!(criteria(&trigger), "(> status-days-past-due 30) (on-change)");
    }
}
