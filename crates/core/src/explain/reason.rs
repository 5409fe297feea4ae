//! Reason of a formula's value: the sub-expressions that decided, and what they read.
//!
//! Of `and` and `or` the operand that decided is explained, of a conditional its test and the branch that it took; of any
//! other call its arguments with their values, and the variables in them.

use std::collections::HashMap;

use super::describe::{cut, enumeration, quoted, value, without_duplicates};
use loanhook_formula::{
    Context, Expression, ExpressionKind, FormulaError, Position, Trace, TraceStep, TracedValue,
};

/// How many characters a reason has at most.
const MAX_REASON_CHARS: usize = 1_000;
/// How many deciding sub-expressions are explained at most.
const MAX_STATEMENTS: usize = 5;
/// How many values a statement gives as its causes at most.
const MAX_CAUSES: usize = 4;

/// Why a formula is true or false, or where it failed: a sentence without a full stop, of at most 1,000 characters.
pub(super) fn reason(formula: &str, expression: &Expression, trace: &Trace, context: &Context<'_>) -> String {
    // Of an expression that was evaluated several times, the last.
    let steps = trace.steps.iter().map(|step| (step.position, step)).collect();
    let reasons = Reasons { formula, trace, steps, context };
    let sentence = match &trace.result {
        Ok(_) => reasons.statements(expression),
        Err(error) => reasons.failure(expression, error),
    };
    cut(&sentence, MAX_REASON_CHARS)
}

struct Reasons<'a> {
    formula: &'a str,
    trace: &'a Trace,
    steps: HashMap<Position, &'a TraceStep>,
    context: &'a Context<'a>,
}

impl<'a> Reasons<'a> {
    fn source(&self, expression: &Expression) -> &'a str {
        &self.formula[expression.source.clone()]
    }

    /// What an expression came to; none where it was not evaluated, or has no step as a constant has none.
    fn value(&self, expression: &Expression) -> Option<&'a TracedValue> {
        self.steps.get(&expression.position).map(|step| &step.value)
    }

    /// Whether an expression counted as true; none where it was not evaluated.
    fn is_true(&self, expression: &Expression) -> Option<bool> {
        match expression.kind {
            ExpressionKind::Literal => Some(!matches!(self.source(expression), "nil" | "false")),
            ExpressionKind::Function => Some(true),
            _ => self.value(expression).map(|value| value.is_true),
        }
    }

    /// What is called in a list by its name, and the arguments.
    fn call<'e>(&self, expression: &'e Expression) -> Option<(&'a str, &'e [Expression])> {
        let (head, args) = expression.parts.split_first()?;
        let is_call = expression.kind == ExpressionKind::List && head.kind == ExpressionKind::Name;
        is_call.then(|| (self.source(head), args))
    }

    /// The expressions that decided what an expression came to.
    fn deciding<'e>(&self, expression: &'e Expression) -> Vec<&'e Expression> {
        let operands = match self.call(expression) {
            Some((name @ ("and" | "or"), operands)) if !operands.is_empty() => {
                let ends = name == "or";
                match operands.iter().find(|operand| self.is_true(operand) == Some(ends)) {
                    Some(deciding) => std::slice::from_ref(deciding),
                    None => operands,
                }
            }
            Some(("do" | "let", [.., last])) => std::slice::from_ref(last),
            _ => &[],
        };
        // Where they do not agree with it, one was left out of the trace, or a name hides the macro: then what decided is
        // not known.
        let is_true = self.is_true(expression);
        if is_true.is_none() || operands.iter().any(|operand| self.is_true(operand) != is_true) {
            return vec![expression];
        }
        // A constant that decided says less than what was read before it.
        let says_something = |operand: &&Expression| operand.kind != ExpressionKind::Literal;
        let deciding: Vec<_> = operands.iter().filter(says_something).collect();
        if deciding.is_empty() {
            return vec![expression];
        }
        deciding.into_iter().flat_map(|operand| self.deciding(operand)).collect()
    }

    /// Why an expression came to its value: a statement for each expression that decided.
    fn statements(&self, expression: &Expression) -> String {
        let deciding = self.deciding(expression);
        let hidden = deciding.len().saturating_sub(MAX_STATEMENTS);
        let more = (hidden > 0).then(|| format!("and {hidden} more"));
        let statement =
            |deciding| self.conditional_statement(deciding).unwrap_or_else(|| self.statement(deciding));
        let shown = deciding.into_iter().take(MAX_STATEMENTS).map(statement);
        shown.chain(more).collect::<Vec<_>>().join("; ")
    }

    /// Of a conditional: its test, and the branch that it took.
    fn conditional_statement(&self, expression: &Expression) -> Option<String> {
        let (name, args) = self.call(expression)?;
        let mut tests = Vec::new();
        let branch = match (name, args) {
            ("if" | "if-not" | "when" | "when-not", [test, branches @ ..]) => {
                tests.push(test);
                let takes_first = self.is_true(test)? != name.ends_with("not");
                if name.starts_with("when") {
                    branches.last().filter(|_| takes_first)
                } else {
                    branches.get(usize::from(!takes_first))
                }
            }
            ("cond", clauses) => {
                let mut branch = None;
                for clause in clauses.chunks_exact(2) {
                    let is_true = self.is_true(&clause[0])?;
                    if is_true && clause[0].kind != ExpressionKind::Literal {
                        // A test that is true says enough.
                        tests.clear();
                    }
                    if clause[0].kind != ExpressionKind::Literal {
                        tests.push(&clause[0]);
                    }
                    if is_true {
                        branch = Some(&clause[1]);
                        break;
                    }
                }
                branch
            }
            _ => return None,
        };
        // A name may hide the macro.
        let is_true = branch.map_or(Some(false), |branch| self.is_true(branch));
        if is_true != self.is_true(expression) {
            return None;
        }
        let tests: Vec<_> = tests.into_iter().map(|test| self.in_short(test)).collect();
        let value = match branch {
            None => "so the value is nil".into(),
            Some(branch) if branch.kind == ExpressionKind::Literal => {
                format!("so the value is {}", quoted(self.source(branch)))
            }
            Some(branch) => {
                let branch_source = quoted(self.source(branch));
                format!("so the value is that of {branch_source}: {}", self.statements(branch))
            }
        };
        if tests.is_empty() {
            Some(value)
        } else {
            Some(format!("{}, {value}", enumeration(&tests, MAX_CAUSES)))
        }
    }

    fn statement(&self, expression: &Expression) -> String {
        let what = self.what_it_is(expression);
        let causes = self.causes(expression);
        if causes.is_empty() { what } else { format!("{what} because {}", enumeration(&causes, MAX_CAUSES)) }
    }

    /// What an expression is, with the variables that decided it between brackets.
    fn in_short(&self, expression: &Expression) -> String {
        let what = self.what_it_is(expression);
        if expression.kind == ExpressionKind::Name {
            return what;
        }
        let of_deciding = self.deciding(expression).into_iter().flat_map(|part| self.variables_in(part));
        let variables = without_duplicates(of_deciding);
        if variables.is_empty() { what } else { format!("{what} ({})", enumeration(&variables, MAX_CAUSES)) }
    }

    fn what_it_is(&self, expression: &Expression) -> String {
        let source = self.source(expression);
        match self.steps.get(&expression.position) {
            Some(step) if step.is_variable && self.context.variable(source).is_none() => {
                format!("{} is missing", quoted(source))
            }
            Some(step) => format!("{} is {}", quoted(source), value(&step.value.printed)),
            None => match (&self.trace.result, expression.kind) {
                (_, ExpressionKind::Literal) => format!("{} is a constant", quoted(source)),
                // Only what is a formula by itself is asked for here without a step.
                (Ok(value_of_formula), _) => {
                    format!("{} is {}", quoted(source), value(&value_of_formula.printed))
                }
                (Err(_), _) => quoted(source),
            },
        }
    }

    /// The arguments of a call with their values; else the variables in an expression.
    fn causes(&self, expression: &Expression) -> Vec<String> {
        let causes: Vec<_> = match self.call(expression) {
            Some(("not", [operand])) => {
                self.deciding(operand).into_iter().flat_map(|operand| self.cause(operand)).collect()
            }
            // The last step of a value that is threaded is the value itself.
            Some(("->" | "->>" | "some->" | "some->>", [steps @ .., _])) => {
                steps.iter().flat_map(|step| self.cause(step)).collect()
            }
            _ if expression.kind == ExpressionKind::Name => Vec::new(),
            _ => expression.parts.iter().flat_map(|part| self.cause(part)).collect(),
        };
        without_duplicates(causes.into_iter())
    }

    fn cause(&self, part: &Expression) -> Vec<String> {
        match (self.value(part), part.kind) {
            (_, ExpressionKind::Function) | (None, _) => self.variables_in(part),
            (Some(_), _) => vec![self.in_short(part)],
        }
    }

    /// The variables in an expression that were read, with their values.
    fn variables_in(&self, expression: &Expression) -> Vec<String> {
        let is_read = self.steps.get(&expression.position).is_some_and(|step| step.is_variable);
        if expression.kind == ExpressionKind::Name {
            return if is_read { vec![self.what_it_is(expression)] } else { Vec::new() };
        }
        expression.parts.iter().flat_map(|part| self.variables_in(part)).collect()
    }

    fn failure(&self, expression: &Expression, error: &FormulaError) -> String {
        let failed = find(expression, error.position).unwrap_or(expression);
        let what = format!("{} fails at {}: {}", quoted(self.source(failed)), error.position, error.detail);
        let causes = self.causes(failed);
        if causes.is_empty() { what } else { format!("{what}; {}", enumeration(&causes, MAX_CAUSES)) }
    }
}

/// The expression that begins at a position.
fn find(expression: &Expression, position: Position) -> Option<&Expression> {
    if expression.position == position {
        return Some(expression);
    }
    expression.parts.iter().find_map(|part| find(part, position))
}
