//! Texts of explanations, against those in a file.

use super::reason_tests::explained;
use super::text::MAX_COLUMNS;

/// Formulas, each between a line of `=` and its text.
const TEXTS: &str = include_str!("test_data/texts.txt");
const RULE: &str = "================";

#[test]
fn a_text_shows_each_value_beneath_its_place() {
    let (mut actual, mut count) = (String::new(), 0);
    for case in TEXTS.split(&format!("{RULE}\n")).filter(|case| !case.is_empty()) {
        let (formula, _) = case.split_once(&format!("{}\n", &RULE[..8])).expect("a formula and its text");
        let text = explained(formula.trim_end_matches('\n')).text("trigger");
        actual += &format!("{RULE}\n{formula}{}\n{text}", &RULE[..8]);
        count += 1;
    }
    assert!(count >= 10);
    assert!(actual == TEXTS, "the texts are others:\n{actual}");
}

#[test]
fn a_text_has_80_columns_and_controls_no_terminal() {
    let many = |text: &str| format!("(vector {})", format!("{text} ").repeat(60));
    for formula in [
        many("borrower"),
        many("hostile"),
        many("(count (str long-text zip))"),
        format!("(= \"{}\" long-text)", "x".repeat(200)),
        format!("(= \"{}\" borrower)", "太".repeat(100)),
        format!("{}zip", " ".repeat(200)),
        "(= \"\u{1b}[31m\u{202e}\t\" zip)".to_owned(),
        "(= zip\r\n   borrower)".to_owned(),
    ] {
        check_for_terminal(&formula);
    }
    let table = include_str!("../../../formula/tests/formulas/clojure.tsv");
    for line in table.lines().filter(|line| !line.starts_with("# ")) {
        let (formula, _) = line.split_once('\t').expect("a formula, a tab and its answer");
        check_for_terminal(formula);
    }
}

fn check_for_terminal(formula: &str) {
    let text = explained(formula).text("trigger");
    for line in text.lines() {
        let columns = unicode_width::UnicodeWidthStr::width(line);
        assert!(columns <= MAX_COLUMNS, "{columns}: {line}");
    }
    let controls = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
    assert!(!text.contains(controls), "{text:?}");
}
