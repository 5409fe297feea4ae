//! Verdicts in words: what a subscription did at an event, and why.

use crate::client::Verdict;
use crate::terminal::format::clean;
use crate::terminal::output::{FAILURE_STYLE, PENDING_STYLE, SUCCESS_STYLE, styled};

/// Such as `did not fire: its trigger was false`, in the colour of what came of it.
pub(super) fn words(verdict: &Verdict) -> String {
    let detail = verdict.detail.as_deref().map(clean);
    match verdict.verdict.as_str() {
        "delivered" => delivered(verdict),
        "trigger_false" => "did not fire: its trigger was false".to_owned(),
        "already_true" => "did not fire: its trigger was true already at the event before".to_owned(),
        "restriction_false" => "did not fire: its restriction was false".to_owned(),
        "disabled" => "did not fire: it was disabled".to_owned(),
        "formula_error" => {
            let words = "did not fire: a formula failed";
            styled(
                FAILURE_STYLE,
                detail.map_or_else(|| words.to_owned(), |detail| format!("{words}: {detail}")),
            )
        }
        other => clean(other),
    }
}

fn delivered(verdict: &Verdict) -> String {
    let status = clean(verdict.status.as_deref().unwrap_or("not stored yet"));
    let style = match verdict.status.as_deref() {
        Some("succeeded") => SUCCESS_STYLE,
        Some("failed" | "canceled") => FAILURE_STYLE,
        _ => PENDING_STYLE,
    };
    let trace = clean(verdict.trace_id.as_deref().unwrap_or_default());
    format!("{} (trace {trace})", styled(style, format_args!("fired: {status}")))
}

/// How often each verdict came, such as `1 delivered, 2 trigger false`; empty where there is none.
pub(super) fn counts(verdicts: &[Verdict]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for verdict in verdicts {
        match counts.iter_mut().find(|(word, _)| *word == verdict.verdict) {
            Some((_, count)) => *count += 1,
            None => counts.push((&verdict.verdict, 1)),
        }
    }
    let counts =
        counts.into_iter().map(|(word, count)| format!("{count} {}", clean(&word.replace('_', " "))));
    counts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{counts, words};
    use crate::client::Verdict;

    fn verdict(kind: &str) -> Verdict {
        let json = serde_json::json!({"subscriptionId": "s", "title": "T", "version": 1, "verdict": kind,
            "detail": "`x` is\nmissing", "traceId": null, "status": null});
        serde_json::from_value(json).expect("a verdict")
    }

    #[test]
    fn verdicts_are_counted_in_the_order_in_which_they_first_come() {
        let verdicts = ["trigger_false", "delivered", "trigger_false"].map(verdict);
        assert_eq!(counts(&verdicts), "2 trigger false, 1 delivered");
        assert_eq!(counts(&[]), "");
    }

    #[test]
    fn a_formula_error_has_its_detail_on_one_line() {
        assert_eq!(words(&verdict("formula_error")), "did not fire: a formula failed: `x` is missing");
        assert_eq!(words(&verdict("disabled")), "did not fire: it was disabled");
    }
}
