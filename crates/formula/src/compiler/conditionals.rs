//! Conditionals: `if`, `when`, `cond`, `condp`, `case`, `and`, `or`, and `do`.

use super::{Compiler, if_node, nil};
use crate::error::{Position, Result, invalid, limit_exceeded, unsupported};
use crate::form::{Form, FormKind, Literal};
use crate::node::{Case, CaseClause, Node};

/// How many clauses a `cond` or `condp` may have: they become conditionals in conditionals.
const MAX_CLAUSES: usize = 200;

/// A clause of a `condp`.
enum CondpClause {
    /// The call of the predicate, and the value where it is true.
    Then(Node, Node),
    /// With `:>>`: the call of the predicate, the slot for its result, and the call of the function with that.
    Function(Node, usize, Node),
}

impl Compiler {
    pub(super) fn if_(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (test, then, otherwise) = self.branches("if", args, tail)?;
        Ok(if_node(test, then, otherwise))
    }

    pub(super) fn if_not(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (test, then, otherwise) = self.branches("if-not", args, tail)?;
        Ok(if_node(test, otherwise, then))
    }

    fn branches(&mut self, name: &str, args: &[Form], tail: bool) -> Result<(Node, Node, Node)> {
        let (test, then, otherwise) = match args {
            [test, then] => (test, then, None),
            [test, then, otherwise] => (test, then, Some(otherwise)),
            _ => return Err(invalid(format!("`{name}` takes a test, a then and perhaps an else"))),
        };
        let (test, then) = (self.node(test, false)?, self.node(then, tail)?);
        let otherwise = otherwise.map_or(Ok(nil()), |form| self.node(form, tail))?;
        Ok((test, then, otherwise))
    }

    pub(super) fn when(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (test, body) = args.split_first().ok_or_else(|| invalid("`when` takes a test"))?;
        Ok(if_node(self.node(test, false)?, self.body(body, tail)?, nil()))
    }

    pub(super) fn when_not(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (test, body) = args.split_first().ok_or_else(|| invalid("`when-not` takes a test"))?;
        Ok(if_node(self.node(test, false)?, nil(), self.body(body, tail)?))
    }

    pub(super) fn cond(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        if !args.len().is_multiple_of(2) {
            return Err(invalid("`cond` takes pairs of a test and a value, and here the last test has none"));
        }
        check_clause_count(args)?;
        let mut clauses = Vec::with_capacity(args.len() / 2);
        for pair in args.chunks_exact(2) {
            clauses.push((self.node(&pair[0], false)?, self.node(&pair[1], tail)?));
        }
        let innermost_last = clauses.into_iter().rev();
        Ok(innermost_last.fold(nil(), |otherwise, (test, then)| if_node(test, then, otherwise)))
    }

    pub(super) fn condp(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        let [predicate, subject, forms @ ..] = args else {
            return Err(invalid("`condp` takes a function and a value, then clauses"));
        };
        check_clause_count(forms)?;
        let outer_names = self.scopes.name_count();
        let predicate_slot = self.scopes.add_unnamed_slot();
        let predicate = self.node(predicate, false)?;
        let subject_slot = self.scopes.add_unnamed_slot();
        let subject = self.node(subject, false)?;
        let mut clauses = Vec::new();
        let mut rest = forms;
        // Without a default it fails as a `case` does.
        let mut default = Node::Case(Box::new(Case {
            position,
            subject: nil(),
            hashes_subject: false,
            clauses: Vec::new(),
            default: None,
        }));
        while let Some((test, after)) = rest.split_first() {
            let Some((then, after)) = after.split_first() else {
                default = self.node(test, tail)?;
                break;
            };
            let args = vec![self.node(test, false)?, Node::Local(subject_slot)];
            let function = Box::new(Node::Local(predicate_slot));
            let call = Node::Call { position: test.position, function, args };
            if then.keyword_name() == Some(">>") {
                let (then, after) =
                    after.split_first().ok_or_else(|| invalid("`:>>` is followed by a function"))?;
                let slot = self.scopes.add_unnamed_slot();
                let function = Box::new(self.node(then, false)?);
                let args = vec![Node::Local(slot)];
                let then = Node::Call { position: then.position, function, args };
                clauses.push(CondpClause::Function(call, slot, then));
                rest = after;
            } else {
                clauses.push(CondpClause::Then(call, self.node(then, tail)?));
                rest = after;
            }
        }
        self.scopes.forget_names_since(outer_names);
        let body = clauses.into_iter().rev().fold(default, |otherwise, clause| match clause {
            CondpClause::Then(call, then) => if_node(call, then, otherwise),
            CondpClause::Function(call, slot, then) => {
                Node::Let(vec![(slot, call)], Box::new(if_node(Node::Local(slot), then, otherwise)))
            }
        });
        Ok(Node::Let(vec![(predicate_slot, predicate), (subject_slot, subject)], Box::new(body)))
    }

    pub(super) fn case(&mut self, position: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (subject, forms) = args.split_first().ok_or_else(|| invalid("`case` takes a value"))?;
        let subject = self.node(subject, false)?;
        let pairs = forms.chunks_exact(2);
        let default = match pairs.remainder() {
            [default] => Some(self.node(default, tail)?),
            _ => None,
        };
        let mut clauses: Vec<CaseClause> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for pair in pairs {
            let constants = match &pair[0].kind {
                FormKind::List(all) => all.as_slice(),
                _ => std::slice::from_ref(&pair[0]),
            };
            for constant in constants {
                check_case_constant(constant)?;
                let text = constant_text(constant);
                if seen.contains(&text) {
                    return Err(invalid("this constant is in the `case` twice").at(constant.position));
                }
                seen.push(text);
            }
            let constants = self.all_quoted(constants)?;
            clauses.push(CaseClause { constants, then: self.node(&pair[1], tail)? });
        }
        let is_int =
            |node: &Node| matches!(node, Node::Literal(Literal::Long(long)) if i32::try_from(*long).is_ok());
        let hashes_subject = !clauses.iter().flat_map(|clause| &clause.constants).all(is_int);
        Ok(Node::Case(Box::new(Case { position, subject, hashes_subject, clauses, default })))
    }

    pub(super) fn and(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        match args {
            [] => Ok(Node::Literal(Literal::Bool(true))),
            [only] => self.node(only, tail),
            _ => self.nodes_with_tail(args, tail).map(Node::And),
        }
    }

    pub(super) fn or(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        match args {
            [] => Ok(nil()),
            [only] => self.node(only, tail),
            _ => self.nodes_with_tail(args, tail).map(Node::Or),
        }
    }

    /// Forms of which the last is in tail position.
    fn nodes_with_tail(&mut self, forms: &[Form], tail: bool) -> Result<Vec<Node>> {
        let last = forms.len().saturating_sub(1);
        let forms = forms.iter().enumerate();
        forms.map(|(index, form)| self.node(form, tail && index == last)).collect()
    }

    pub(super) fn do_(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        self.body(args, tail)
    }
}

fn check_clause_count(forms: &[Form]) -> Result<()> {
    if forms.len() > MAX_CLAUSES * 2 {
        return Err(limit_exceeded(format!("`cond` and `condp` take at most {MAX_CLAUSES} clauses")));
    }
    Ok(())
}

/// Clojure finds a constant of `case` by Java's hash, which differs between `1.0M` and `1.00M`, and between `0.0` and
/// `-0.0`, so these are refused.
fn check_case_constant(form: &Form) -> Result<()> {
    match &form.kind {
        FormKind::Literal(Literal::Decimal(_)) => {
            Err(unsupported("a decimal as a constant of `case` is not supported").at(form.position))
        }
        FormKind::Literal(Literal::Double(double)) if *double == 0.0 => {
            Err(unsupported("0.0 as a constant of `case` is not supported").at(form.position))
        }
        FormKind::Vector(forms) | FormKind::List(forms) | FormKind::Map(forms) | FormKind::Set(forms) => {
            forms.iter().try_for_each(check_case_constant)
        }
        FormKind::Quote(quoted) => check_case_constant(quoted),
        _ => Ok(()),
    }
}

/// A text of a constant that is the same for constants that are written alike.
fn constant_text(form: &Form) -> String {
    let all = |forms: &[Form]| forms.iter().map(constant_text).collect::<Vec<_>>().join(" ");
    match &form.kind {
        FormKind::Literal(literal) => format!("{literal:?}"),
        FormKind::Symbol(name) => format!("symbol {name}"),
        FormKind::List(forms) | FormKind::Vector(forms) => format!("[{}]", all(forms)),
        FormKind::Map(forms) => format!("{{{}}}", all(forms)),
        FormKind::Set(forms) | FormKind::FunctionShorthand(forms) => format!("#{{{}}}", all(forms)),
        FormKind::Quote(quoted) => format!("'{}", constant_text(quoted)),
    }
}
