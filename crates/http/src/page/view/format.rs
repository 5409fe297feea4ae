//! Single things in words: an ID, a time, a size, what came of an attempt.

use maud::{Markup, html};

use super::layout::symbol;
use loanhook_core::model::attempt::{Attempt, Outcome};
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::model::time::Timestamp;

/// The two ends of an ID: they tell rows apart, whatever its kind sorts by.
pub(super) fn short(id: &impl ToString) -> String {
    let id = id.to_string();
    format!("{}…{}", &id[..8], &id[id.len() - 4..])
}

/// A button that copies a text; it needs the script, which shows it.
pub(super) fn copy(what: &str, text: &impl ToString) -> Markup {
    let text = text.to_string();
    html! {
        button.copy type="button" data-copy=(text) aria-label={ "Copy " (what) " " (text) } title={ "Copy " (text) } hidden {
            (symbol("copy"))
        }
    }
}

/// A time, in UTC until the script tells it in the viewer's zone.
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

pub(super) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", tenths(1024)),
        _ => format!("{} MiB", tenths(0x10_0000)),
    }
}

/// What came of an attempt: how it looks, and what it says.
pub(super) struct Verdict {
    /// `ok`, `bad` or `wait`.
    pub(super) class: &'static str,
    symbol: &'static str,
    /// The response code, or what stands in its place.
    pub(super) text: String,
    /// What a code alone does not say to somebody who sees no colour.
    outcome: &'static str,
}

pub(super) fn verdict(attempt: &Attempt) -> Verdict {
    let result = attempt.completion().map(|completion| &completion.result);
    let text = match (attempt.outcome(), result) {
        (_, Some(Ok(code))) => code.to_string(),
        (_, Some(Err(failure))) => kind(failure.kind).into(),
        (Outcome::Queued, None) => "Queued".into(),
        (_, None) => "Sending".into(),
    };
    let (class, symbol, outcome) = match attempt.outcome() {
        Outcome::Succeeded => ("ok", "yes", "succeeded"),
        Outcome::Failed => ("bad", "no", "failed"),
        Outcome::Queued | Outcome::Sending => ("wait", "wait", "not finished"),
    };
    Verdict { class, symbol, text, outcome }
}

impl Verdict {
    pub(super) fn show(&self) -> Markup {
        html! {
            span class={ "code " (self.class) } {
                (symbol(self.symbol)) span { (self.text) } span.unseen { ", " (self.outcome) }
            }
        }
    }

    /// `503, failed`
    pub(super) fn plain(&self) -> String {
        format!("{}, {}", self.text, self.outcome)
    }
}

/// A kind of error, as a servicer reads it.
pub(super) fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Dns => "DNS",
        ErrorKind::Connect => "No connection",
        ErrorKind::Tls => "TLS",
        ErrorKind::Timeout => "Timeout",
        ErrorKind::Protocol => "Broken response",
        ErrorKind::Blocked => "Blocked",
        ErrorKind::Template => "Template",
        ErrorKind::Interrupted => "Interrupted",
    }
}

pub(super) fn response_time(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1023.9 KiB"), (1 << 20, "1.0 MiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn times_without_the_script_are_utc() {
        let html = time(Timestamp::from_millis(1_795_428_000_123)).into_string();
        assert_eq!(
            html,
            "<time datetime=\"2026-11-23T10:00:00.123Z\" title=\"2026-11-23 10:00:00.123 UTC\">2026-11-23 10:00:00 UTC</time>"
        );
    }
}
