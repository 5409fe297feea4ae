//! Text of an explanation for a terminal of 80 columns: the formula, and beneath it each value at its place.

use std::collections::BTreeMap;

use super::describe::{enumeration, quoted};
use super::places::{ShownLine, shown_lines, visible_char, width, wrapped};
use super::{ExplainedVariable, Explanation, FormulaExplanation};

pub(super) const MAX_COLUMNS: usize = 80;
const INDENT: &str = "  ";
/// How many values of one sub-expression are shown.
const MAX_VALUES_OF_PLACE: usize = 3;
/// How many missing variables are named.
const MAX_MISSING_NAMES: usize = 10;

impl Explanation {
    /// Its formulas as [`FormulaExplanation::text`] shows them. Empty where there is none.
    pub fn text(&self) -> String {
        let formulas = [("trigger", &self.trigger), ("restriction", &self.restriction)];
        let texts = formulas.iter().filter_map(|(name, formula)| Some(formula.as_ref()?.text(name)));
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl FormulaExplanation {
    /// What the formula came to, why, and the formula with its values; `name` is what the formula is. Each line ends
    /// with a line break and has at most 80 columns, where the terminal takes characters that are joined to one as
    /// the sum of them. Nothing in it controls a terminal.
    pub fn text(&self, name: &str) -> String {
        let mut lines = vec![format!("{name} {}", self.outcome())];
        lines.extend(paragraph(&self.reason));
        lines.push(String::new());
        let values = self.values_by_place();
        for line in shown_lines(&self.formula) {
            lines.push(format!("{INDENT}{}", line.text()));
            lines.extend(lines_beneath(&line, &values));
        }
        if self.is_cut {
            lines.push(String::new());
            lines.extend(paragraph("some sub-expressions are left out: there are too many"));
        }
        let missing = self.variables.iter().filter(|variable| variable.is_missing);
        let missing: Vec<_> = missing.map(|ExplainedVariable { name, .. }| quoted(name)).collect();
        if !missing.is_empty() {
            let names = enumeration(&missing, MAX_MISSING_NAMES);
            lines.push(String::new());
            lines.extend(paragraph(&format!("not in the event's context: {names}")));
        }
        lines.iter().map(|line| format!("{}\n", visible(line.trim_end()))).collect()
    }

    fn outcome(&self) -> String {
        match &self.result {
            Err(_) => "failed".into(),
            Ok(value) if matches!(&*value.printed, "true" | "false") => format!("is {}", value.printed),
            Ok(value) => format!("counts as {}", value.is_true),
        }
    }

    /// The values of each sub-expression, by the line and column where it begins.
    fn values_by_place(&self) -> BTreeMap<(usize, usize), Vec<&str>> {
        let mut values = BTreeMap::<_, Vec<_>>::new();
        let place = |position: loanhook_formula::Position| (position.line as usize, position.column as usize);
        for step in &self.steps {
            values.entry(place(step.position)).or_default().push(&*step.value.printed);
        }
        if let Err(error) = &self.result {
            values.entry(place(error.position)).or_default().push("error");
        }
        values
    }
}

fn paragraph(text: &str) -> impl Iterator<Item = String> {
    wrapped(text, MAX_COLUMNS - INDENT.len()).into_iter().map(|line| format!("{INDENT}{line}"))
}

/// The lines beneath a line of the formula: a bar under each sub-expression, and its value where there is room for it.
fn lines_beneath(line: &ShownLine, values: &BTreeMap<(usize, usize), Vec<&str>>) -> Vec<String> {
    let of_line = values.range((line.line, 0)..(line.line + 1, 0));
    let mut open: Vec<(usize, String)> = of_line
        .filter_map(|((_, column), values)| {
            let column = INDENT.len() + line.columns_before(*column)?;
            Some((column, text_of_width(&joined(values), MAX_COLUMNS - column)))
        })
        .collect();
    let bars = open.iter().map(|(column, _)| (*column, "|")).collect::<Vec<_>>();
    let mut lines: Vec<_> = if bars.is_empty() { Vec::new() } else { vec![line_of(&bars)] };
    while !open.is_empty() {
        let (mut shown, mut next_column, mut still_open) = (Vec::new(), usize::MAX, Vec::new());
        for (column, value) in open.iter().rev() {
            let has_room = column + text_width(value) < next_column;
            shown.push((*column, if has_room { &**value } else { "|" }));
            if !has_room {
                still_open.push((*column, value.clone()));
            }
            next_column = *column;
        }
        shown.reverse();
        still_open.reverse();
        lines.push(line_of(&shown));
        open = still_open;
    }
    lines
}

/// Texts at their columns, in order.
fn line_of(texts: &[(usize, &str)]) -> String {
    let (mut line, mut columns) = (String::new(), 0);
    for (column, text) in texts {
        line.extend(std::iter::repeat_n(' ', column.saturating_sub(columns)));
        line.push_str(text);
        columns = column + text_width(text);
    }
    line
}

fn joined(values: &[&str]) -> String {
    let more = (values.len() > MAX_VALUES_OF_PLACE).then_some("…");
    let shown = values.iter().take(MAX_VALUES_OF_PLACE).copied().chain(more);
    visible(&shown.collect::<Vec<_>>().join(", "))
}

fn visible(text: &str) -> String {
    text.chars().map(visible_char).collect()
}

fn text_width(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// A text of at most so many columns: `…` stands for what does not fit.
fn text_of_width(text: &str, most: usize) -> String {
    if text_width(text) <= most {
        return text.to_owned();
    }
    let mut columns = 1;
    let fits = |char: &char| {
        columns += width(*char);
        columns <= most
    };
    text.chars().take_while(fits).chain(['…']).collect()
}
