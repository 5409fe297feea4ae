//! Chart of the figures as SVG: a bar for each, on a scale of its unit, with the spread of its runs.

use std::fmt::Write as _;

use bench_measure::Spread;

use crate::figures::{Figure, Figures};

const WIDTH: f64 = 940.0;
const NAMES: f64 = 410.0;
const BAR: f64 = 300.0;
const STEP: f64 = 22.0;
const GAP: f64 = 34.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2933}.head{font-weight:600}.bar{fill:#2f6f9f}\
.spread{stroke:#1f2933;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.bar{fill:#6fb1e0}\
.spread{stroke:#e4e7eb}}";

/// Milliseconds below this have a scale of their own: beside those of full load they would have no length.
const SHORT_MS: f64 = 20.0;

/// The titles of the groups that have a scale in common.
const GROUPS: [&str; 6] = [
    "A second (more is better)",
    "Milliseconds below 20 (less is better)",
    "Milliseconds from 20 (less is better)",
    "MiB of memory (less is better)",
    "Per cent",
    "Numbers",
];

/// The index of a figure's group.
fn group(figure: &Figure) -> usize {
    match figure.unit {
        "/s" => 0,
        "ms" if figure.spread().most < SHORT_MS => 1,
        "ms" => 2,
        "MiB" => 3,
        "%" => 4,
        _ => 5,
    }
}

/// An SVG of the figures, those of a group together.
pub(crate) fn draw(figures: &Figures) -> String {
    let mut body = String::new();
    let mut y = GAP;
    for (index, title) in GROUPS.into_iter().enumerate() {
        let of_group: Vec<&Figure> = figures.iter().filter(|figure| group(figure) == index).collect();
        if of_group.is_empty() {
            continue;
        }
        let most = of_group.iter().map(|figure| figure.spread().most).fold(f64::MIN_POSITIVE, f64::max);
        let _ = writeln!(body, r#"<text class="head" x="8" y="{y:.0}">{title}</text>"#);
        y += STEP;
        for figure in of_group {
            bar(&mut body, figure, y, BAR / most);
            y += STEP;
        }
        y += GAP - STEP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" role=\"img\" \
         aria-label=\"What one process can do\"><style>{STYLE}</style>\n{body}</svg>\n"
    )
}

fn bar(body: &mut String, figure: &Figure, y: f64, scale: f64) {
    let (name, value) = (&figure.name, figure.value());
    let Spread { median, least, most } = figure.spread();
    let at = |value: f64| NAMES + value * scale;
    let (top, middle) = (y - 12.0, y - 5.0);
    let _ = writeln!(body, r#"<text x="{:.0}" y="{y:.0}" text-anchor="end">{name}</text>"#, NAMES - 8.0);
    let (x, width) = (NAMES, median * scale);
    let _ = writeln!(body, r#"<rect class="bar" x="{x}" y="{top:.0}" width="{width:.1}" height="14"/>"#);
    if most > least {
        let (from, to) = (at(least), at(most));
        let _ = writeln!(
            body,
            r#"<line class="spread" x1="{from:.1}" x2="{to:.1}" y1="{middle:.0}" y2="{middle:.0}"/>"#
        );
    }
    let _ = writeln!(body, r#"<text x="{:.1}" y="{y:.0}">{value}</text>"#, at(most) + 8.0);
}
