//! What the checks found: a line each.

use serde_json::json;

use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output::{self, FAILURE_STYLE, PENDING_STYLE, SUCCESS_STYLE, styled};

#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

#[derive(Debug)]
struct Finding {
    state: State,
    check: &'static str,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    /// Somebody has to do something.
    ToDo,
    /// It could not be found out, which is no fault.
    Unknown,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::ToDo => "to do",
            Self::Unknown => "unknown",
        }
    }
}

impl Report {
    pub(super) fn well(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(State::Well, check, detail);
    }

    pub(super) fn to_do(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(State::ToDo, check, detail);
    }

    pub(super) fn unknown(&mut self, check: &'static str, detail: impl Into<String>) {
        self.add(State::Unknown, check, detail);
    }

    fn add(&mut self, state: State, check: &'static str, detail: impl Into<String>) {
        self.0.push(Finding { state, check, detail: clean(&detail.into()) });
    }

    /// Whether there is nothing to do.
    pub(super) fn all_is_well(&self) -> bool {
        self.0.iter().all(|finding| finding.state != State::ToDo)
    }

    pub(super) fn print(&self, as_json: bool) -> CommandResult {
        if as_json {
            let checks = self.0.iter().map(
                |Finding { state, check, detail }| json!({"check": check, "state": state.word(), "detail": detail}),
            );
            return output::line(json!({"checks": checks.collect::<Vec<_>>()}));
        }
        self.0.iter().try_for_each(|Finding { state, check, detail }| {
            let style = match state {
                State::Well => SUCCESS_STYLE,
                State::ToDo => FAILURE_STYLE,
                State::Unknown => PENDING_STYLE,
            };
            let word = styled(style, format_args!("{:<8}", state.word()));
            output::line(format_args!("{word} {check:<11} {detail}"))
        })
    }
}
