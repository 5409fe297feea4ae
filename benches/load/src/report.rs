//! Report of the figures: on the terminal as they come and as a table, and in `docs/benchmarks.md`.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::Outcome;
use crate::chart;
use crate::figures::Figures;

const BEGIN: &str = "<!-- make bench writes from here -->";
const END: &str = "<!-- to here -->";

/// The figures of one run in one line: a benchmark is long, and whoever waits wants to see where it is.
pub(crate) fn progress(run: &str, figures: &Figures) -> Outcome {
    let values: Vec<String> =
        figures.iter().map(|figure| format!("{} {}", short(&figure.name), figure.value())).collect();
    writeln!(std::io::stderr(), "{run}: {}", values.join("; "))?;
    Ok(())
}

/// The name of a figure without what it is a figure of, where that is said before.
fn short(name: &str) -> &str {
    name.split_once(": ").map_or(name, |(_, short)| short)
}

pub(crate) fn print(figures: &Figures) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{}", bench_measure::description())?;
    for figure in figures.iter() {
        writeln!(out, "{:60} {}", figure.name, figure.value())?;
    }
    Ok(())
}

/// Puts the figures where the documentation shows them, and draws them.
pub(crate) fn write(figures: &Figures, root: &Path) -> Outcome {
    let path = root.join("docs/benchmarks.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("docs/benchmarks.md has no place for the figures")?;
    let (_, after) = rest.split_once(END).ok_or("docs/benchmarks.md has no end of the figures")?;
    let rows: String =
        figures.iter().map(|figure| format!("| {} | {} |\n", figure.name, figure.value())).collect();
    let section = format!(
        "{BEGIN}\n\nOn {}; the median of the runs, and the least and the most of them.\n\n| | |\n| --- | --- |\n{rows}\n{END}",
        bench_measure::description()
    );
    fs::write(&path, format!("{before}{section}{after}"))?;
    fs::write(root.join("docs/benchmarks.svg"), chart::draw(figures))?;
    Ok(())
}
