//! Lines of a formula as a terminal shows them, and the column of each of its characters there.

use unicode_width::UnicodeWidthChar;

/// After how many columns a line of a formula is broken, so that values have room beside the last of them.
const MAX_FORMULA_COLUMNS: usize = 60;

/// A line, or a part of one that is too long.
pub(super) struct ShownLine {
    /// Its line in the formula, from 1.
    pub(super) line: usize,
    /// The place of its first character in that line, from 0.
    first_char: usize,
    chars: Vec<char>,
}

impl ShownLine {
    pub(super) fn text(&self) -> String {
        self.chars.iter().collect::<String>().trim_end().to_owned()
    }

    /// Before how many columns of this line the character stands that is at a column of the formula's line, from 1;
    /// none if it is not in it.
    pub(super) fn columns_before(&self, column: usize) -> Option<usize> {
        let place = column.checked_sub(1)?.checked_sub(self.first_char)?;
        (place < self.chars.len()).then(|| self.chars[..place].iter().map(|char| width(*char)).sum())
    }
}

/// The lines of a formula, none wider than 60 columns. A line is broken after a space, where that can be between forms that
/// nest as little as possible, else anywhere.
pub(super) fn shown_lines(formula: &str) -> Vec<ShownLine> {
    let mut shown = Vec::new();
    for (index, line) in formula.split('\n').enumerate() {
        let chars: Vec<char> = line.chars().map(visible_char).collect();
        let mut first_char = 0;
        loop {
            let rest = &chars[first_char..];
            let length = formula_break(rest);
            shown.push(ShownLine { line: index + 1, first_char, chars: rest[..length].to_vec() });
            first_char += length;
            if first_char >= chars.len() {
                break;
            }
        }
    }
    shown
}

/// How many characters of a formula go on one line.
fn formula_break(chars: &[char]) -> usize {
    let Some(fitting) = fitting_length(chars, MAX_FORMULA_COLUMNS) else { return chars.len() };
    let (mut depth, mut is_text, mut best) = (0_i32, false, None);
    for (place, char) in chars[..fitting].iter().enumerate() {
        match char {
            '"' => is_text = !is_text,
            '(' | '[' | '{' if !is_text => depth += 1,
            ')' | ']' | '}' if !is_text => depth -= 1,
            // Not before the line is half full.
            ' ' if place >= fitting / 2 && best.is_none_or(|(least, _)| depth <= least) => {
                best = Some((depth, place + 1));
            }
            _ => {}
        }
    }
    // Spaces at the beginning of a line are no place to break it.
    let has_text = |length: &usize| chars[..*length].iter().any(|char| *char != ' ');
    best.map(|(_, length)| length).filter(has_text).unwrap_or(fitting)
}

/// A text in lines of at most so many columns, broken after spaces, else anywhere.
pub(super) fn wrapped(text: &str, most_columns: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().map(visible_char).collect();
    let (mut lines, mut rest) = (Vec::new(), &*chars);
    while let Some(fitting) = fitting_length(rest, most_columns) {
        let after_space = rest[..fitting].iter().rposition(|char| *char == ' ').map(|space| space + 1);
        let (line, after) = rest.split_at(after_space.unwrap_or(fitting));
        lines.push(line.iter().collect::<String>().trim_end().to_owned());
        rest = after;
    }
    lines.push(rest.iter().collect());
    lines
}

/// How many characters have at most so many columns, at least one; none where all have.
fn fitting_length(chars: &[char], most_columns: usize) -> Option<usize> {
    let mut columns = 0;
    let overflow = chars.iter().position(|char| {
        columns += width(*char);
        columns > most_columns
    });
    overflow.map(|overflow| overflow.max(1))
}

/// How many columns a character takes: 2 for wide ones, 0 for those that are written over the one before.
pub(super) fn width(char: char) -> usize {
    char.width().unwrap_or(0)
}

/// The character as a terminal may get it: controls, and marks that change the direction of writing, are replaced.
pub(super) fn visible_char(char: char) -> char {
    match char {
        '\t' => ' ',
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}
