//! Chart of the figures as SVG: a bar for each, on a scale of its unit, with the spread of its runs.

use std::fmt::Write as _;

use crate::report::Line;

const WIDTH: f64 = 940.0;
const NAMES: f64 = 410.0;
const BAR: f64 = 300.0;
const STEP: f64 = 22.0;
const GAP: f64 = 34.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2933}.head{font-weight:600}.bar{fill:#2f6f9f}\
.spread{stroke:#1f2933;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.bar{fill:#6fb1e0}\
.spread{stroke:#e4e7eb}}";

/// An SVG of the figures, those of a unit together.
pub(crate) fn draw(lines: &[Line]) -> String {
    let mut body = String::new();
    let mut y = GAP;
    for (unit, title) in [
        ("/s", "A second (more is better)"),
        ("ms", "Milliseconds (less is better)"),
        ("MiB", "MiB of memory (less is better)"),
    ] {
        let of_unit: Vec<&Line> = lines.iter().filter(|line| line.unit == unit).collect();
        let most = of_unit.iter().map(|line| line.spread.most).fold(f64::MIN_POSITIVE, f64::max);
        let _ = writeln!(body, r#"<text class="head" x="8" y="{y:.0}">{title}</text>"#);
        y += STEP;
        for line in of_unit {
            bar(&mut body, line, y, BAR / most);
            y += STEP;
        }
        y += GAP - STEP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" role=\"img\" \
         aria-label=\"What one process can do\"><style>{STYLE}</style>\n{body}</svg>\n"
    )
}

fn bar(body: &mut String, line: &Line, y: f64, scale: f64) {
    let (name, value) = (&line.name, line.value());
    let (median, least, most) = (line.spread.median, line.spread.least, line.spread.most);
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
