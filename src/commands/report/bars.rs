//! Bars of a printed report: how many deliveries a row has beside the row with most, and what became of them.

use crate::terminal::output::{FAILURE_STYLE, PENDING_STYLE, SUCCESS_STYLE, styled};

/// Characters of the longest bar.
const WIDTH: i64 = 20;
/// Of succeeded, pending, and exhausted or canceled deliveries: they can be told apart without colours.
const CHARACTERS: [char; 3] = ['█', '▒', '░'];
const WORDS: [&str; 3] = ["succeeded", "pending", "exhausted or canceled"];
const STYLES: [clap::builder::styling::Style; 3] = [SUCCESS_STYLE, PENDING_STYLE, FAILURE_STYLE];

/// The bar of a row with so many succeeded, pending, and exhausted or canceled deliveries, where the longest bar is of `most`.
pub(super) fn bar(counts: [i64; 3], most: i64) -> String {
    let lengths = lengths(counts, most);
    let parts = lengths.into_iter().zip(CHARACTERS).zip(STYLES).filter(|((length, _), _)| *length > 0);
    parts.map(|((length, character), style)| styled(style, character.to_string().repeat(length))).collect()
}

/// What the characters of a bar mean.
pub(super) fn legend() -> String {
    let parts = CHARACTERS.into_iter().zip(WORDS).zip(STYLES);
    let parts: Vec<_> =
        parts.map(|((character, words), style)| format!("{} {words}", styled(style, character))).collect();
    parts.join("  ")
}

/// How long each part is. What there is any of can be seen.
fn lengths(counts: [i64; 3], most: i64) -> [usize; 3] {
    counts.map(|count| {
        let length = (count.max(0) * WIDTH + most.max(1) / 2) / most.max(1);
        usize::try_from(length.max(i64::from(count > 0))).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_by_table() {
        for (counts, most, expected) in [
            ([20, 0, 0], 20, [20, 0, 0]),
            ([10, 5, 5], 20, [10, 5, 5]),
            ([1, 0, 1], 1000, [1, 0, 1]),
            ([990, 9, 1], 1000, [20, 1, 1]),
            ([0, 0, 0], 0, [0, 0, 0]),
            ([-1, 1, 0], 0, [0, 20, 0]),
        ] {
            assert_eq!(lengths(counts, most), expected, "{counts:?} of {most}");
        }
    }
}
