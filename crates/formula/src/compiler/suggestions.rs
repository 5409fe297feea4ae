//! What to say of a name that is not known.

use super::compile::MACROS;
use super::error::{Fail, unsupported, wrong};
use super::functions;

/// A function of Clojure's that formulas do not have.
pub(super) fn outside(name: &str) -> Fail {
    unsupported(format!("`{name}` is not supported in formulas"))
}

/// A name that is no function, perhaps a misspelt one.
pub(super) fn unknown(name: &str) -> Fail {
    if name.starts_with('.') || name.ends_with('.') && name.len() > 1 {
        return unsupported(format!("`{name}` calls Java, which formulas cannot"));
    }
    if name.starts_with("java.") || name.starts_with("javax.") {
        return unsupported(format!("`{name}` calls Java, which formulas cannot"));
    }
    if name.split('/').next().is_some_and(|class| class.starts_with(|first: char| first.is_ascii_uppercase()))
    {
        return match nearest(name) {
            Some(near) => {
                unsupported(format!("`{name}` is not supported in formulas: did you mean `{near}`?"))
            }
            None => unsupported(format!("`{name}` calls Java, which formulas cannot")),
        };
    }
    match nearest(name) {
        Some(near) => wrong(format!("there is no function `{name}`: did you mean `{near}`?")),
        None if !name.contains(char::is_alphanumeric) => wrong(format!("there is no function `{name}`")),
        None => wrong(format!(
            "there is no function `{name}`; to look into a variable, write `(get {name} …)` or `(nth {name} …)`"
        )),
    }
}

/// What is written as a number is elsewhere, and would be a variable that nobody has.
pub(super) fn no_variable(name: &str) -> Option<Fail> {
    let unsigned = name.trim_start_matches(['+', '-', '$']);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if digits.is_empty() && unsigned.starts_with('.') || name.bytes().all(|byte| byte == b'.') {
        return Some(wrong(format!("`{name}` is no name")));
    }
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let minus = if name.starts_with('-') { "-" } else { "" };
    let zero = if unsigned.starts_with('.') { "0" } else { "" };
    Some(wrong(format!("`{name}` is no number: write {minus}{zero}{unsigned}")))
}

/// What other languages call what Clojure calls otherwise.
const ELSEWHERE: [(&str, &str); 18] = [
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

fn nearest(name: &str) -> Option<&'static str> {
    let plain = functions::plain(name);
    if let Some((_, known)) =
        ELSEWHERE.iter().find(|(other, _)| distance(&plain, other) <= usize::from(plain.len() > 4) * 2)
    {
        return Some(known);
    }
    let allowed = match plain.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    // Of a function of another namespace, its own name counts too: `upper-case` is `str/upper-case`.
    let distance_to = |known: &'static str| {
        let own = known.rsplit_once('/').map_or(known, |(_, own)| own);
        distance(&plain, known).min(if plain.contains('/') { usize::MAX } else { distance(&plain, own) })
    };
    let known = functions::names().chain(MACROS).filter(|known| !known.starts_with("loanhook/"));
    known
        .map(|known| (distance_to(known), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out, changed or exchanged with the next to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
