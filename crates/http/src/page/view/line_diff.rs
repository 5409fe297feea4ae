//! Lines of a text that changed: those that were taken out and those that are new, with a few around them.

use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

use crate::page::preview::{TextPart, text_parts};

/// How many lines that are the same are shown around those that changed.
const LINES_AROUND: usize = 3;
/// How much is shown, in bytes.
const MAX_BYTES: usize = 32 * 1024;
/// After so long the lines that are compared yet need not be the fewest that differ.
const TIME: Duration = Duration::from_millis(200);

/// A line, and whether it was taken out, is new, or stands in both.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Removed(String),
    Added(String),
    Same(String),
    /// Lines that are the same were left out here.
    Gap,
}

/// The lines of two texts, and whether the rest was cut.
fn lines(before: &str, after: &str) -> (Vec<Line>, bool) {
    let compared = TextDiff::configure().timeout(TIME).diff_lines(before, after);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    for (place, group) in compared.grouped_ops(LINES_AROUND).iter().enumerate() {
        if place > 0 {
            lines.push(Line::Gap);
        }
        for change in group.iter().flat_map(|operation| compared.iter_changes(operation)) {
            let text = change.value().trim_end_matches(['\r', '\n']);
            let shown = &text[..text.floor_char_boundary(MAX_BYTES - bytes)];
            bytes += shown.len();
            let is_cut = shown.len() < text.len() || bytes == MAX_BYTES;
            let shown = shown.to_owned();
            lines.push(match change.tag() {
                ChangeTag::Delete => Line::Removed(shown),
                ChangeTag::Insert => Line::Added(shown),
                ChangeTag::Equal => Line::Same(shown),
            });
            if is_cut {
                return (lines, true);
            }
        }
    }
    (lines, false)
}

/// What changed in a text of this name.
pub(super) fn show(name: &str, before: &str, after: &str) -> Markup {
    let (lines, is_cut) = lines(before, after);
    html! {
        // It scrolls, so it must be reachable by keyboard.
        pre.diff tabindex="0" role="region" aria-label={ "Lines of " (name) " that changed" } dir="ltr" {
            @for line in &lines {
                @match line {
                    Line::Removed(text) => del { span aria-hidden="true" { "− " } span.unseen { "removed: " } (visible(text)) "\n" },
                    Line::Added(text) => ins { span aria-hidden="true" { "+ " } span.unseen { "added: " } (visible(text)) "\n" },
                    Line::Same(text) => { "  " (visible(text)) "\n" }
                    Line::Gap => span.quiet { "  …\n" },
                }
            }
        }
        @if is_cut { p.quiet { "Only the beginning is shown." } }
    }
}

/// A text with its invisible characters by their code points.
pub(super) fn visible(text: &str) -> Markup {
    html! {
        @for part in text_parts(text) {
            @match part {
                TextPart::Plain(text) => (text),
                TextPart::Invisible(c) => span.named { (format!("U+{:04X}", u32::from(c))) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_near_a_change_are_told() {
        let text = |changed: &str| {
            (0..20)
                .map(|n| if n == 10 { format!("{changed}\n") } else { format!("{n}\n") })
                .collect::<String>()
        };
        let (told, is_cut) = lines(&text("old"), &text("new"));
        let same = |n: u32| Line::Same(n.to_string());
        let expected = [
            same(7),
            same(8),
            same(9),
            Line::Removed("old".into()),
            Line::Added("new".into()),
            same(11),
            same(12),
            same(13),
        ];
        assert_eq!((told.as_slice(), is_cut), (expected.as_slice(), false));
    }

    #[test]
    fn changes_that_are_far_apart_have_a_gap_between_them() {
        let text = |ends: &str| format!("{ends}\n{}{ends}", "same\n".repeat(20));
        let (told, _) = lines(&text("a"), &text("b"));
        assert_eq!(told.iter().filter(|line| **line == Line::Gap).count(), 1, "{told:?}");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let (told, is_cut) = lines("", &"ä".repeat(MAX_BYTES));
        assert!(is_cut);
        assert_eq!(told, [Line::Added("ä".repeat(MAX_BYTES / 2))]);
        let many = (0..100_000).map(|n| format!("{n}\n")).collect::<String>();
        let (told, is_cut) = lines(&many, "");
        assert!(is_cut && told.len() < 10_000);
    }
}
