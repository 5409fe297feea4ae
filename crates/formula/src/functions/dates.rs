//! Dates, which Clojure does not have.
//!
//! A date is a string: `2026-11-23`, or with a time behind it, `2026-11-23T10:00:00Z`. Only the day counts, as it is
//! written, whatever the time zone. Where a date is nil, the answer is nil, or false.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, SecondsFormat};

use crate::error::{Result, invalid};
use crate::evaluation_context::EvaluationContext;
use crate::value::Value;
use crate::value::function::Builtin;
use crate::value::number::{conversion, require_number};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("now", (0, 0), |ctx, _| {
        let now = ctx.context.now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Value::string(&mut ctx.budget, now)
    }),
    Builtin::new("date", (1, 1), |ctx, args| match parse_day(&args[0])? {
        Some(day) => day_value(ctx, day),
        None => Ok(Value::Nil),
    }),
    Builtin::new("days-between", (2, 2), |_, args| match (parse_day(&args[0])?, parse_day(&args[1])?) {
        (Some(from), Some(to)) => Ok(Value::Long((to - from).num_days())),
        _ => Ok(Value::Nil),
    }),
    Builtin::new("date-add", (2, 3), add),
    Builtin::new("date-before?", (2, 2), |_, args| match (parse_day(&args[0])?, parse_day(&args[1])?) {
        (Some(a), Some(b)) => Ok(Value::Bool(a < b)),
        _ => Ok(Value::Bool(false)),
    }),
    Builtin::new("date-after?", (2, 2), |_, args| match (parse_day(&args[0])?, parse_day(&args[1])?) {
        (Some(a), Some(b)) => Ok(Value::Bool(a > b)),
        _ => Ok(Value::Bool(false)),
    }),
];

/// The day of a date; none of nil.
fn parse_day(value: &Value) -> Result<Option<NaiveDate>> {
    let text = match value {
        Value::Nil => return Ok(None),
        Value::Str(text) => text,
        other => {
            return Err(invalid(format!(
                "a date is a string such as \"2026-11-23\", and this is {}",
                other.type_name()
            )));
        }
    };
    let has_no_time = text.len() == 10 && text.as_bytes()[4] == b'-';
    let day = if has_no_time {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
    } else {
        let without_zone = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|time| time.date());
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| time.date_naive())
            .or_else(|| without_zone("%Y-%m-%dT%H:%M:%S%.f"))
            .or_else(|| without_zone("%Y-%m-%d %H:%M:%S%.f"))
    };
    day.filter(|day| in_range(*day))
        .map(Some)
        .ok_or_else(|| invalid("this string is no date: write it as 2026-11-23 or 2026-11-23T10:00:00Z"))
}

/// Beyond so many units any date is out of range: the 9999 years have fewer days.
const MAX_UNITS: u64 = 4_000_000;

/// Whether the year has at most four digits.
fn in_range(day: NaiveDate) -> bool {
    use chrono::Datelike as _;
    (0..=9999).contains(&day.year())
}

fn day_value(ctx: &mut EvaluationContext<'_>, day: NaiveDate) -> Result<Value> {
    Value::string(&mut ctx.budget, day.format("%Y-%m-%d").to_string())
}

fn add(ctx: &mut EvaluationContext<'_>, args: &[Value]) -> Result<Value> {
    let Some(day) = parse_day(&args[0])? else { return Ok(Value::Nil) };
    require_number(&args[1])?;
    let count = conversion::long(&args[1])?;
    let unit = match args.get(2) {
        None => "days",
        Some(Value::Keyword(unit)) => unit,
        Some(other) => {
            return Err(invalid(format!(
                "a unit is :days, :weeks, :months or :years, and this is {}",
                other.type_name()
            )));
        }
    };
    let too_far = || invalid("this date is beyond the years 0 to 9999");
    let magnitude = count.unsigned_abs();
    let days = |days: u64| {
        if count < 0 { day.checked_sub_days(Days::new(days)) } else { day.checked_add_days(Days::new(days)) }
    };
    let months = |months: u64| {
        let months = Months::new(u32::try_from(months).ok()?);
        if count < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) }
    };
    if magnitude > MAX_UNITS {
        return Err(too_far());
    }
    let moved = match unit {
        "day" | "days" => days(magnitude),
        "week" | "weeks" => days(magnitude * 7),
        "month" | "months" => months(magnitude),
        "year" | "years" => months(magnitude * 12),
        _ => return Err(invalid("a unit is :days, :weeks, :months or :years")),
    };
    day_value(ctx, moved.filter(|day| in_range(*day)).ok_or_else(too_far)?)
}
