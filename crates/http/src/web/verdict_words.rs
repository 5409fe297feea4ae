//! Verdicts in words, as the page and the text of an explanation say them.

use loanhook_core::model::ledger::DecisionKind;

/// What a subscription did at an event.
pub(crate) const fn words(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Delivered => "fired",
        DecisionKind::TriggerFalse => "did not fire: its trigger was false",
        DecisionKind::AlreadyTrue => "did not fire: its trigger was true already at the event before",
        DecisionKind::RestrictionFalse => "did not fire: its restriction was false",
        DecisionKind::Disabled => "did not fire: it was disabled",
        DecisionKind::FormulaError => "did not fire: a formula failed",
    }
}

/// A text without line breaks and other control characters.
pub(crate) fn on_one_line(text: &str) -> String {
    let steers = |char: char| {
        char.is_control()
            || matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|char| if steers(char) { ' ' } else { char }).collect()
}
