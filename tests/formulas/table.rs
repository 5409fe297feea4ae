//! The tables of formulas.

/// A formula, and what is expected of it.
pub(crate) type Case = (&'static str, &'static str);

/// What Clojure answers.
pub(crate) fn clojure() -> Vec<Case> {
    cases(include_str!("cases.tsv"))
}

/// What is our own.
pub(crate) fn own() -> Vec<Case> {
    cases(include_str!("own.tsv"))
}

fn cases(table: &'static str) -> Vec<Case> {
    let lines = table.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| line.split_once('\t').expect("a formula, a tab and what is expected")).collect()
}
