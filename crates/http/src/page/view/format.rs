//! Formats of single values: IDs, times, sizes, the results of attempts.

use maud::{Markup, html};

use super::layout::symbol;
use loanhook_core::model::attempt::{Attempt, Outcome};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::flow::{Waiting, WaitingReason};
use loanhook_core::model::time::Timestamp;

/// An ID shortened to its two ends: both kinds of UUID differ in one of them.
pub(super) fn short_id(id: &impl ToString) -> String {
    let id = id.to_string();
    format!("{}…{}", &id[..8], &id[id.len() - 4..])
}

/// What is shown as a link, where it has a page.
pub(super) fn linked(path: Option<String>, content: &Markup) -> Markup {
    html! {
        @if let Some(path) = path {
            a href=(path) { (content) }
        } @else {
            (content)
        }
    }
}

/// A button that copies a text. It is hidden until the script shows it.
pub(super) fn copy_button(what: &str, text: &impl ToString) -> Markup {
    let text = text.to_string();
    html! {
        button.copy type="button" data-copy=(text) aria-label={ "Copy " (what) " " (text) } title={ "Copy " (text) } hidden {
            (symbol("copy"))
        }
    }
}

/// A time in UTC; the script shows it in the zone of the viewer.
pub(super) fn time(time: Timestamp) -> Markup {
    let iso = time.to_string();
    html! { time datetime=(iso) title=(utc(&iso)) { (utc(&iso[..19])) } }
}

/// `2026-11-23 10:00:00.123 UTC`
fn utc(iso: &str) -> String {
    format!("{} UTC", iso.trim_end_matches('Z').replace('T', " "))
}

/// A time in plain text.
pub(super) fn plain_time(time: Timestamp) -> String {
    utc(&time.to_string()[..19])
}

/// Why a webhook that is due waits, for a servicer.
pub(super) fn waiting(Waiting { reason, since }: Waiting) -> Markup {
    let why = match reason {
        WaitingReason::Hold => "waits: the webhook is held since ",
        WaitingReason::Limit => "waits: the webhook is at its limit since ",
        WaitingReason::Order => "waits for an earlier webhook of this loan since ",
    };
    html! { (why) (time(since)) }
}

pub(super) fn byte_size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", tenths(1024)),
        _ => format!("{} MiB", tenths(0x10_0000)),
    }
}

/// The result of an attempt as it is shown: a colour, a symbol and a text.
pub(super) struct ResultLabel {
    /// The class of the style: `ok`, `bad` or `wait`.
    pub(super) class: &'static str,
    symbol: &'static str,
    /// The response code, or the kind of error where there was no response.
    pub(super) text: String,
    /// The outcome in words, for viewers who do not see the colour.
    outcome: &'static str,
}

pub(super) fn result_label(attempt: &Attempt) -> ResultLabel {
    let result = attempt.completion().map(|completion| &completion.result);
    let text = match (attempt.outcome(), result) {
        (_, Some(Ok(code))) => code.to_string(),
        (_, Some(Err(failure))) => error_kind_label(failure.kind).into(),
        (Outcome::Queued, None) => "Queued".into(),
        (_, None) => "Sending".into(),
    };
    let (class, symbol, outcome) = match attempt.outcome() {
        Outcome::Succeeded => ("ok", "yes", "succeeded"),
        Outcome::Failed => ("bad", "no", "failed"),
        Outcome::Queued | Outcome::Sending => ("wait", "wait", "not finished"),
    };
    ResultLabel { class, symbol, text, outcome }
}

impl ResultLabel {
    pub(super) fn show(&self) -> Markup {
        html! {
            span class={ "code " (self.class) } {
                (symbol(self.symbol)) span { (self.text) } span.unseen { ", " (self.outcome) }
            }
        }
    }

    /// `503, failed`
    pub(super) fn plain_text(&self) -> String {
        format!("{}, {}", self.text, self.outcome)
    }
}

/// A kind of error, in words for servicers.
pub(super) fn error_kind_label(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Dns => "DNS",
        ErrorKind::Connect => "No connection",
        ErrorKind::Tls => "TLS",
        ErrorKind::Timeout => "Timeout",
        ErrorKind::Protocol => "Broken response",
        ErrorKind::Blocked => "Blocked",
        ErrorKind::Template => "Template",
        ErrorKind::Auth => "Authentication",
        ErrorKind::Interrupted => "Interrupted",
    }
}

/// A number with its thousands apart: `12,345`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A part of 1 in per cent. Whole only where it is: what is almost all is not 100 %.
pub(super) fn percent(part: f64) -> String {
    let tenths = (part * 1000.0).floor() / 10.0;
    if part >= 1.0 || part <= 0.0 { format!("{:.0} %", part * 100.0) } else { format!("{tenths:.1} %") }
}

/// A number of things, with the word for one of them and for more.
pub(super) fn counted(number: i64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { more })
}

/// A length of time in milliseconds, short: `4 ms`, `1.5 s`, `12 min`, `3 h`.
pub(super) fn short_time(ms: f64) -> String {
    match ms {
        ..1.0 => "< 1 ms".to_owned(),
        ..1000.0 => format!("{ms:.0} ms"),
        ..10_000.0 => format!("{:.1} s", ms / 1000.0),
        ..120_000.0 => format!("{:.0} s", ms / 1000.0),
        ..7_200_000.0 => format!("{:.0} min", ms / 60_000.0),
        _ => format!("{:.0} h", ms / 3_600_000.0),
    }
}

pub(super) fn response_time(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people_by_table() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (-12_345_678, "-12,345,678")] {
            assert_eq!(grouped(number), text);
        }
        for (part, text) in [(0.0, "0 %"), (0.5, "50.0 %"), (0.9999, "99.9 %"), (1.0, "100 %")] {
            assert_eq!(percent(part), text);
        }
        for (ms, text) in [
            (0.0, "< 1 ms"),
            (3.4, "3 ms"),
            (1500.0, "1.5 s"),
            (59_000.0, "59 s"),
            (600_000.0, "10 min"),
            (7_200_000.0, "2 h"),
        ] {
            assert_eq!(short_time(ms), text);
        }
        assert_eq!(
            (counted(1, "loan", "loans"), counted(2000, "loan", "loans")),
            ("1 loan".into(), "2,000 loans".into())
        );
    }

    #[test]
    fn sizes_have_the_largest_fitting_unit() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1023.9 KiB"), (1 << 20, "1.0 MiB")]
        {
            assert_eq!(byte_size(bytes), text);
        }
    }

    #[test]
    fn times_are_in_utc_without_the_script() {
        let html = time(Timestamp::from_millis(1_795_428_000_123)).into_string();
        assert_eq!(
            html,
            "<time datetime=\"2026-11-23T10:00:00.123Z\" title=\"2026-11-23 10:00:00.123 UTC\">2026-11-23 10:00:00 UTC</time>"
        );
    }
}
