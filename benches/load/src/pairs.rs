//! Two builds of the server, compared: each run of the old one is followed by one of the new one, so that what else the
//! machine does meets both.

use std::io::Write as _;

use crate::Outcome;
use crate::cases::{Case, Context};
use crate::figures::{Figure, Figures};
use crate::report;

/// Runs the cases on both, shows each run when it has ended, and each case's medians with their ratio.
pub(crate) fn compare(cases: &[&Case], old: &Context, new: &Context) -> Outcome {
    writeln!(std::io::stderr(), "old: {}\nnew: {}", old.server.display(), new.server.display())?;
    for case in cases {
        let (mut old_figures, mut new_figures) = (Figures::default(), Figures::default());
        for run in 1..=case.runs(old) {
            for (name, context, figures) in [("old", old, &mut old_figures), ("new", new, &mut new_figures)] {
                let of_run = case.run(context).map_err(|error| format!("{}, {name}: {error}", case.name))?;
                report::progress(&format!("{}, run {run}, {name}", case.name), &of_run)?;
                figures.merge(of_run);
            }
        }
        print(case, &old_figures, &new_figures)?;
    }
    Ok(())
}

fn print(case: &Case, old: &Figures, new: &Figures) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{:60} {:32} {:32} new / old", case.name, "old", "new")?;
    for figure in old.iter() {
        let Some(newer) = new.named(&figure.name) else { continue };
        let (name, values) = (&figure.name, (figure.value(), newer.value()));
        writeln!(out, "{name:60} {:32} {:32} {}", values.0, values.1, ratio(figure, newer))?;
    }
    writeln!(out)?;
    Ok(())
}

fn ratio(old: &Figure, new: &Figure) -> String {
    let (old, new) = (old.spread().median, new.spread().median);
    if old == 0.0 { "-".to_owned() } else { format!("{:.2}", new / old) }
}
