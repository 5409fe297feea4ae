//! Errors of a formula, with the position in its text.
//!
//! [`FormulaError`] is what a caller gets. Inside the crate an error is a [`Failure`], which gets its position on the
//! way from where it happened to the form around it.

use std::fmt;

/// A position in a formula's text. Both count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, in characters from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The kind of a [`FormulaError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormulaErrorKind {
    /// Clojure would refuse the formula, or fail on this input, too.
    Invalid,
    /// The formula uses something of Clojure that is outside of the subset.
    Unsupported,
    /// The formula needs more steps, bytes or depth than it may use.
    LimitExceeded,
}

/// Why a formula cannot be parsed, or has no value for a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({position})")]
pub struct FormulaError {
    /// What kind of error it is.
    pub kind: FormulaErrorKind,
    /// The form in which it happened.
    pub position: Position,
    /// One sentence without a full stop. It never holds a value of the context.
    pub detail: String,
}

/// An error whose position may not be known yet. Boxed, so that results stay small.
#[derive(Debug)]
pub(crate) struct Failure(Box<FailureDetails>);

#[derive(Debug)]
struct FailureDetails {
    kind: FormulaErrorKind,
    position: Option<Position>,
    detail: String,
}

/// The result of everything in this crate that can fail.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    fn new(kind: FormulaErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(FailureDetails { kind, position: None, detail: detail.into() }))
    }

    /// The same kind of error with another text.
    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.0.detail = detail;
        self
    }

    /// With this text if it has none.
    pub(crate) fn or_detail(self, detail: impl FnOnce() -> String) -> Self {
        if self.0.detail.is_empty() { self.with_detail(detail()) } else { self }
    }

    /// With this position if it has none: the innermost form sets it first.
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.0.position.get_or_insert(position);
        self
    }
}

impl From<Failure> for FormulaError {
    fn from(Failure(details): Failure) -> Self {
        let position = details.position.unwrap_or(Position::START);
        Self { kind: details.kind, position, detail: details.detail }
    }
}

/// An error that Clojure reports too.
pub(crate) fn invalid(detail: impl Into<String>) -> Failure {
    Failure::new(FormulaErrorKind::Invalid, detail)
}

/// An error for what is outside of the subset.
pub(crate) fn unsupported(detail: impl Into<String>) -> Failure {
    Failure::new(FormulaErrorKind::Unsupported, detail)
}

/// An error for what needs more than a formula may use.
pub(crate) fn limit_exceeded(detail: impl Into<String>) -> Failure {
    Failure::new(FormulaErrorKind::LimitExceeded, detail)
}
