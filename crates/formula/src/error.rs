//! What is wrong with a formula, and where.

use std::fmt;

/// A place in a formula's text; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Clojure would refuse it too.
    Wrong,
    /// Clojure may well know it, but it is outside of the subset.
    Unsupported,
    /// It needs more than a formula may use.
    Limit,
}

/// Why a formula cannot be read, or has no value for a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} (line {}, column {})", at.line, at.column)]
pub struct FormulaError {
    pub kind: FaultKind,
    pub at: Position,
    /// One sentence without a full stop. It never holds a value of the context.
    pub detail: String,
}

/// A fault on its way to the form it happened in. Boxed: results stay small where all is well.
#[derive(Debug)]
pub(super) struct Fail(Box<Fault>);

#[derive(Debug)]
struct Fault {
    kind: FaultKind,
    at: Option<Position>,
    detail: String,
}

pub(super) type R<T> = Result<T, Fail>;

impl Fail {
    fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Fault { kind, at: None, detail: detail.into() }))
    }

    /// The same kind of fault in other words.
    pub(super) fn told(mut self, detail: String) -> Self {
        self.0.detail = detail;
        self
    }

    /// In these words if it has none of its own.
    pub(super) fn or_told(self, detail: impl FnOnce() -> String) -> Self {
        if self.0.detail.is_empty() { self.told(detail()) } else { self }
    }

    /// The innermost place counts.
    pub(super) fn at(mut self, at: Position) -> Self {
        self.0.at.get_or_insert(at);
        self
    }
}

impl From<Fail> for FormulaError {
    fn from(Fail(fault): Fail) -> Self {
        let at = fault.at.unwrap_or(Position { line: 1, column: 1 });
        Self { kind: fault.kind, at, detail: fault.detail }
    }
}

pub(super) fn wrong(detail: impl Into<String>) -> Fail {
    Fail::new(FaultKind::Wrong, detail)
}

pub(super) fn unsupported(detail: impl Into<String>) -> Fail {
    Fail::new(FaultKind::Unsupported, detail)
}

pub(super) fn limit(detail: impl Into<String>) -> Fail {
    Fail::new(FaultKind::Limit, detail)
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
