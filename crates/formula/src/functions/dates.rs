//! Dates, which are our own: Clojure has none.
//!
//! A date is text: `2026-11-23`, or with a time behind it, `2026-11-23T10:00:00Z`. Only the day counts, as it
//! is written; no time zone is reckoned with. Where a date is nil the answer is nil, or false.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, SecondsFormat};

use crate::cx::Cx;
use crate::error::{R, wrong};
use crate::function::Builtin;
use crate::number::{integer, kind};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("now", (0, 0), |cx, _| {
        let now = cx.context.now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Value::text(&mut cx.budget, now)
    }),
    Builtin::new("date", (1, 1), |cx, args| match day(&args[0])? {
        Some(day) => written(cx, day),
        None => Ok(Value::Nil),
    }),
    Builtin::new("days-between", (2, 2), |_, args| match (day(&args[0])?, day(&args[1])?) {
        (Some(from), Some(to)) => Ok(Value::Long((to - from).num_days())),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("date-add", (2, 3), add),
    Builtin::new("date-before?", (2, 2), |_, args| match (day(&args[0])?, day(&args[1])?) {
        (Some(a), Some(b)) => Ok(Value::Bool(a < b)),
        _ => Ok(Value::Bool(false)),
    }),
    Builtin::new("date-after?", (2, 2), |_, args| match (day(&args[0])?, day(&args[1])?) {
        (Some(a), Some(b)) => Ok(Value::Bool(a > b)),
        _ => Ok(Value::Bool(false)),
    }),
];

fn day(value: &Value) -> R<Option<NaiveDate>> {
    let text = match value {
        Value::Nil => return Ok(None),
        Value::Str(text) => text,
        other => {
            return Err(wrong(format!(
                "a date is a string such as \"2026-11-23\", and this is {}",
                other.kind_name()
            )));
        }
    };
    let plain = text.len() == 10 && text.as_bytes()[4] == b'-';
    let day = if plain {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
    } else {
        let naive = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|time| time.date());
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.date_naive())
            .or_else(|| naive("%Y-%m-%dT%H:%M:%S%.f"))
            .or_else(|| naive("%Y-%m-%d %H:%M:%S%.f"))
    };
    day.filter(|day| in_range(*day))
        .map(Some)
        .ok_or_else(|| wrong("this string is no date: write it as 2026-11-23 or 2026-11-23T10:00:00Z"))
}

/// Years of four digits.
fn in_range(day: NaiveDate) -> bool {
    use chrono::Datelike as _;
    (0..=9999).contains(&day.year())
}

fn written(cx: &mut Cx<'_>, day: NaiveDate) -> R<Value> {
    Value::text(&mut cx.budget, day.format("%Y-%m-%d").to_string())
}

fn add(cx: &mut Cx<'_>, args: &[Value]) -> R<Value> {
    let Some(day) = day(&args[0])? else { return Ok(Value::Nil) };
    kind(&args[1])?;
    let count = integer::long(&args[1])?;
    let unit = match args.get(2) {
        None => "days",
        Some(Value::Keyword(unit)) => unit,
        Some(other) => {
            return Err(wrong(format!(
                "a unit is :days, :weeks, :months or :years, and this is {}",
                other.kind_name()
            )));
        }
    };
    let too_far = || wrong("this date is beyond the years 0 to 9999");
    let many = count.unsigned_abs();
    let days = |days: u64| {
        if count < 0 { day.checked_sub_days(Days::new(days)) } else { day.checked_add_days(Days::new(days)) }
    };
    let months = |months: u64| {
        let months = Months::new(u32::try_from(months).ok()?);
        if count < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
    };
    if many > 4_000_000 {
        return Err(too_far());
    }
    let moved = match unit {
        "day" | "days" => days(many),
        "week" | "weeks" => days(many * 7),
        "month" | "months" => months(many),
        "year" | "years" => months(many * 12),
        _ => return Err(wrong("a unit is :days, :weeks, :months or :years")),
    };
    written(cx, moved.filter(|day| in_range(*day)).ok_or_else(too_far)?)
}
