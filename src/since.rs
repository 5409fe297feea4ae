//! Times in the past as people write them: `yesterday`, `24h`, `2026-11-23`. Used by arguments such as `--since`.
//!
//! Days begin and end in UTC, as everywhere in loanhook.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// The words for help texts.
pub(crate) const FORMS: &str = "a time by RFC 3339, a day such as 2026-11-23, today, yesterday, or how long ago: 30m, 24h, 7d, 2w (days are UTC)";

/// The time as RFC 3339, in UTC. An argument's parser.
///
/// # Errors
///
/// What the text must be.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let time = read(text.trim(), SystemTime::now().into()).ok_or_else(|| format!("must be {FORMS}"))?;
    Ok(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn read(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    match text {
        "now" => return Some(now),
        "today" => return Some(midnight(now.date_naive())),
        "yesterday" => return Some(midnight(now.date_naive().pred_opt()?)),
        _ => {}
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(day) = text.parse() {
        return Some(midnight(day));
    }
    now.checked_sub_signed(span(text)?)
}

/// A number and its unit.
fn span(text: &str) -> Option<TimeDelta> {
    let (at, unit) = text.char_indices().next_back()?;
    let digits = &text[..at];
    let number: i64 = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_by_table() {
        let now = "2026-03-01T10:20:30Z".parse().expect("a time");
        for (text, means) in [
            ("now", Some("2026-03-01T10:20:30Z")),
            ("today", Some("2026-03-01T00:00:00Z")),
            ("yesterday", Some("2026-02-28T00:00:00Z")),
            ("90s", Some("2026-03-01T10:19:00Z")),
            ("30m", Some("2026-03-01T09:50:30Z")),
            ("24h", Some("2026-02-28T10:20:30Z")),
            ("7d", Some("2026-02-22T10:20:30Z")),
            ("2w", Some("2026-02-15T10:20:30Z")),
            ("0d", Some("2026-03-01T10:20:30Z")),
            ("2026-02-03", Some("2026-02-03T00:00:00Z")),
            ("2026-02-03T01:00:00+02:00", Some("2026-02-02T23:00:00Z")),
            ("2026-02-30", None),
            ("24", None),
            ("h", None),
            ("-1h", None),
            ("+1h", None),
            ("1y", None),
            ("99999999999999999h", None),
            ("1é", None),
            ("Yesterday", None),
            ("", None),
        ] {
            let means = means.map(|means| means.parse::<DateTime<Utc>>().expect("a time"));
            assert_eq!(read(text, now), means, "{text}");
        }
    }
}
