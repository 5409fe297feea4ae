//! Report of the figures: as a table, and in `docs/benchmarks.md`.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use bench_measure::Spread;

use crate::Outcome;
use crate::chart;

const BEGIN: &str = "<!-- make bench writes from here -->";
const END: &str = "<!-- to here -->";

/// One figure.
pub(crate) struct Line {
    pub name: String,
    pub unit: &'static str,
    pub spread: Spread,
}

impl Line {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, spread: Spread) -> Self {
        let line = Self { name: name.into(), unit, spread };
        // A run is long: each figure is shown when it is known.
        let _ = writeln!(std::io::stderr(), "{}: {}", line.name, line.value());
        line
    }

    pub(crate) fn value(&self) -> String {
        let Spread { median, least, most } = self.spread;
        let unit = self.unit;
        let space = if unit.starts_with('/') { "" } else { " " };
        let value = format!("{}{space}{unit}", number(median));
        if least == most { value } else { format!("{value} ({} to {})", number(least), number(most)) }
    }
}

fn number(value: f64) -> String {
    match value {
        value if value >= 1000.0 => grouped(value as u64),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// With commas between thousands.
pub(crate) fn grouped(value: u64) -> String {
    match value {
        0..1000 => value.to_string(),
        _ => format!("{},{:03}", grouped(value / 1000), value % 1000),
    }
}

pub(crate) fn print(lines: &[Line]) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", bench_measure::description())?;
    for line in lines {
        writeln!(out, "{:52} {}", line.name, line.value())?;
    }
    Ok(())
}

/// Puts the figures where the documentation shows them, and draws them.
pub(crate) fn write(lines: &[Line], root: &Path) -> Outcome {
    let path = root.join("docs/benchmarks.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("docs/benchmarks.md has no place for the figures")?;
    let (_, after) = rest.split_once(END).ok_or("docs/benchmarks.md has no end of the figures")?;
    let rows: String = lines.iter().map(|line| format!("| {} | {} |\n", line.name, line.value())).collect();
    let section = format!(
        "{BEGIN}\n\nOn {}; the median of the runs, and the least and the most of them.\n\n| | |\n| --- | --- |\n{rows}\n{END}",
        bench_measure::description()
    );
    fs::write(&path, format!("{before}{section}{after}"))?;
    fs::write(root.join("docs/benchmarks.svg"), chart::draw(lines))?;
    Ok(())
}
