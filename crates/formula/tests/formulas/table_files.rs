//! Files of formulas and their expected answers, and the list of functions in the reference.

/// A formula, and its expected answer.
pub(crate) type Case = (&'static str, &'static str);

/// Formulas with the answers of Clojure.
pub(crate) fn clojure() -> Vec<Case> {
    cases(include_str!("clojure.tsv"))
}

/// Formulas of functions that Clojure does not have, and formulas that are refused although Clojure answers them.
pub(crate) fn extensions() -> Vec<Case> {
    cases(include_str!("extensions.tsv"))
}

fn cases(table: &'static str) -> Vec<Case> {
    let lines = table.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| line.split_once('\t').expect("a formula, a tab and what is expected")).collect()
}

/// The names of the functions that the reference lists.
pub(crate) fn functions() -> Vec<&'static str> {
    let page = include_str!("../../../../docs/formulas.md");
    let (_, chapter) = page.split_once("## Functions").expect("the chapter of functions");
    let table =
        chapter.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
}
