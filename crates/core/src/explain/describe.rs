//! Words for sub-expressions and values: what a reason is made of.

/// How many characters of a sub-expression a reason shows at most.
const MAX_QUOTED_CHARS: usize = 100;
/// How many characters of a value a reason shows at most.
const MAX_VALUE_CHARS: usize = 60;

/// A text of at most so many characters: the last of them is `…` where some are left out.
pub(super) fn cut(text: &str, most_chars: usize) -> String {
    if text.chars().nth(most_chars).is_none() {
        return text.to_owned();
    }
    text.chars().take(most_chars - 1).chain(['…']).collect()
}

/// A sub-expression on one line, between backquotes.
pub(super) fn quoted(source: &str) -> String {
    let line = source.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", cut(&line, MAX_QUOTED_CHARS))
}

/// A printed value.
pub(super) fn value(printed: &str) -> String {
    cut(printed, MAX_VALUE_CHARS)
}

/// Texts as an enumeration of at most `most`: `a, b and c`.
pub(super) fn enumeration(texts: &[String], most: usize) -> String {
    let hidden = texts.len().saturating_sub(most);
    let more = (hidden > 0).then(|| format!("{hidden} more"));
    let shown: Vec<_> = texts.iter().take(most).cloned().chain(more).collect();
    match shown.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => shown.concat(),
    }
}

/// Each text once, where it is first.
pub(super) fn without_duplicates(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
