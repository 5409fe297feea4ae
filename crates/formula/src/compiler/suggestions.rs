//! Errors for names that are not known, with the name that was probably meant.

use super::names::SUGGESTED_MACRO_NAMES;
use crate::error::{Failure, invalid, unsupported};
use crate::functions;
use crate::name::INTERNAL_NAMESPACE;

/// The error for a name that is no function.
pub(super) fn unknown_function(name: &str) -> Failure {
    let calls_method = name.starts_with('.') || name.ends_with('.') && name.len() > 1;
    if calls_method || name.starts_with("java.") || name.starts_with("javax.") {
        return calls_java(name);
    }
    let class = name.split('/').next().unwrap_or(name);
    if class.starts_with(|first: char| first.is_ascii_uppercase()) {
        return match nearest_name(name) {
            Some(near) => {
                unsupported(format!("`{name}` is not supported in formulas: did you mean `{near}`?"))
            }
            None => calls_java(name),
        };
    }
    match nearest_name(name) {
        Some(near) => invalid(format!("there is no function `{name}`: did you mean `{near}`?")),
        None if !name.contains(char::is_alphanumeric) => invalid(format!("there is no function `{name}`")),
        None => invalid(format!(
            "there is no function `{name}`; to look into a variable, write `(get {name} …)` or `(nth {name} …)`"
        )),
    }
}

fn calls_java(name: &str) -> Failure {
    unsupported(format!("`{name}` calls Java, which formulas cannot"))
}

/// The error for a name that other languages read as a number: no context has such a variable. None for other names.
pub(super) fn malformed_variable(name: &str) -> Option<Failure> {
    let unsigned = name.trim_start_matches(['+', '-', '$']);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if digits.is_empty() && unsigned.starts_with('.') || name.bytes().all(|byte| byte == b'.') {
        return Some(invalid(format!("`{name}` is no name")));
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let minus = if name.starts_with('-') { "-" } else { "" };
    let zero = if unsigned.starts_with('.') { "0" } else { "" };
    Some(invalid(format!("`{name}` is no number: write {minus}{zero}{unsigned}")))
}

/// Names of other languages, and what does the same in a formula.
const NAMES_OF_OTHER_LANGUAGES: [(&str, &str); 18] = [
    ("length", "count"),
    ("len", "count"),
    ("size", "count"),
    ("sum", "(reduce + …)"),
    ("head", "first"),
    ("tail", "rest"),
    ("else", "cond"),
    ("contains", "contains?"),
    ("!=", "not="),
    ("<>", "not="),
    ("&&", "and"),
    ("||", "or"),
    ("eq", "="),
    ("equal?", "="),
    ("%", "mod"),
    ("if-else", "if"),
    ("to-upper", "str/upper-case"),
    ("to-lower", "str/lower-case"),
];

/// The known name that was probably meant, if one is near enough.
fn nearest_name(name: &str) -> Option<&'static str> {
    let short = functions::short_name(name);
    let max_distance = usize::from(short.len() > 4) * 2;
    let mut others = NAMES_OF_OTHER_LANGUAGES.iter();
    if let Some((_, known)) = others.find(|(other, _)| edit_distance(&short, other) <= max_distance) {
        return Some(known);
    }
    let max_distance = match short.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    // A function of another namespace is near by its own name, too: `upper-case` is `str/upper-case`.
    let distance_to = |known: &'static str| {
        let own = known.rsplit_once('/').map_or(known, |(_, own)| own);
        let own_distance = if short.contains('/') { usize::MAX } else { edit_distance(&short, own) };
        edit_distance(&short, known).min(own_distance)
    };
    let known = functions::names().chain(SUGGESTED_MACRO_NAMES);
    known
        .filter(|known| !known.starts_with(INTERNAL_NAMESPACE))
        .map(|known| (distance_to(known), known))
        .filter(|(distance, _)| *distance <= max_distance)
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be inserted, removed, changed or exchanged with the next to make one name of the other
/// (Damerau-Levenshtein, over the first 64 characters).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row_before_last: Vec<usize> = Vec::new();
    let mut last_row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last_row[j] + usize::from(x != y)).min(last_row[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(row_before_last[j - 1] + 1);
            }
            row.push(best);
        }
        row_before_last = std::mem::replace(&mut last_row, row);
    }
    last_row[b.len()]
}
