//! The tables of formulas.

/// A formula, and what is expected of it.
pub(crate) type Case = (&'static str, &'static str);

/// What Clojure answers.
pub(crate) fn clojure() -> Vec<Case> {
    cases(include_str!("clojure.tsv"))
}

/// What is our own.
pub(crate) fn own() -> Vec<Case> {
    cases(include_str!("extensions.tsv"))
}

fn cases(table: &'static str) -> Vec<Case> {
    let lines = table.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| line.split_once('\t').expect("a formula, a tab and what is expected")).collect()
}

/// The names of the functions, as the reference lists them.
pub(crate) fn functions() -> Vec<&'static str> {
    let page = include_str!("../../../../docs/formulas.md");
    let (_, chapter) = page.split_once("## Functions").expect("the chapter of functions");
    let table =
        chapter.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
}
