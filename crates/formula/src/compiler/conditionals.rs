//! What chooses.

use super::{Compiler, choice, nil};
use crate::error::{Position, R, limit, unsupported, wrong};
use crate::form::{Form, Literal, What};
use crate::node::{Case, Node};

impl Compiler {
    pub(super) fn if_(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let (test, then, otherwise) = self.branches("if", args, tail)?;
        Ok(choice(test, then, otherwise))
    }

    pub(super) fn if_not(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let (test, then, otherwise) = self.branches("if-not", args, tail)?;
        Ok(choice(test, otherwise, then))
    }

    fn branches(&mut self, name: &str, args: &[Form], tail: bool) -> R<(Node, Node, Node)> {
        let (test, then, otherwise) = match args {
            [test, then] => (test, then, None),
            [test, then, otherwise] => (test, then, Some(otherwise)),
            _ => return Err(wrong(format!("`{name}` takes a test, a then and perhaps an else"))),
        };
        let (test, then) = (self.node(test, false)?, self.node(then, tail)?);
        let otherwise = otherwise.map_or(Ok(nil()), |form| self.node(form, tail))?;
        Ok((test, then, otherwise))
    }

    pub(super) fn when(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let (test, body) = args.split_first().ok_or_else(|| wrong("`when` takes a test"))?;
        Ok(choice(self.node(test, false)?, self.body(body, tail)?, nil()))
    }

    pub(super) fn when_not(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let (test, body) = args.split_first().ok_or_else(|| wrong("`when-not` takes a test"))?;
        Ok(choice(self.node(test, false)?, nil(), self.body(body, tail)?))
    }

    pub(super) fn cond(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        if !args.len().is_multiple_of(2) {
            return Err(wrong("`cond` takes pairs of a test and a value, and here the last test has none"));
        }
        few(args)?;
        let mut clauses = Vec::with_capacity(args.len() / 2);
        for pair in args.chunks_exact(2) {
            clauses.push((self.node(&pair[0], false)?, self.node(&pair[1], tail)?));
        }
        Ok(clauses.into_iter().rev().fold(nil(), |otherwise, (test, then)| choice(test, then, otherwise)))
    }

    pub(super) fn condp(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        let [predicate, of, clauses @ ..] = args else {
            return Err(wrong("`condp` takes a function and a value, then clauses"));
        };
        few(clauses)?;
        let mark = self.scopes.mark();
        let binds = vec![
            (self.scopes.unnamed(), self.node(predicate, false)?),
            (self.scopes.unnamed(), self.node(of, false)?),
        ];
        let (predicate, of) = (binds[0].0, binds[1].0);
        let mut parts = Vec::new();
        let mut rest = clauses;
        let mut otherwise =
            Node::Case(Box::new(Case { at, of: nil(), hashes: false, clauses: Vec::new(), otherwise: None }));
        while let Some((test, after)) = rest.split_first() {
            let Some((then, after)) = after.split_first() else {
                otherwise = self.node(test, tail)?;
                break;
            };
            let args = vec![self.node(test, false)?, Node::Local(of)];
            let call = Node::Call { at: test.at, function: Box::new(Node::Local(predicate)), args };
            if then.keyword() == Some(">>") {
                let (then, after) =
                    after.split_first().ok_or_else(|| wrong("`:>>` is followed by a function"))?;
                let place = self.scopes.unnamed();
                let function = Box::new(self.node(then, false)?);
                let made = Node::Call { at: then.at, function, args: vec![Node::Local(place)] };
                parts.push((Some((place, call)), made));
                rest = after;
            } else {
                parts.push((None, choice(call, self.node(then, tail)?, nil())));
                rest = after;
            }
        }
        self.scopes.back_to(mark);
        let body = parts.into_iter().rev().fold(otherwise, |otherwise, (bound, made)| match (bound, made) {
            (Some((place, call)), made) => {
                Node::Let(vec![(place, call)], Box::new(choice(Node::Local(place), made, otherwise)))
            }
            (None, Node::If(parts)) => {
                let [test, then, _] = *parts;
                choice(test, then, otherwise)
            }
            (None, other) => other,
        });
        Ok(Node::Let(binds, Box::new(body)))
    }

    pub(super) fn case(&mut self, at: Position, args: &[Form], tail: bool) -> R<Node> {
        let (of, clauses) = args.split_first().ok_or_else(|| wrong("`case` takes a value"))?;
        let of = self.node(of, false)?;
        let pairs = clauses.chunks_exact(2);
        let otherwise = match pairs.remainder() {
            [otherwise] => Some(self.node(otherwise, tail)?),
            _ => None,
        };
        let mut made: Vec<(Vec<Node>, Node)> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for pair in pairs {
            let constants = match &pair[0].what {
                What::List(all) => all.as_slice(),
                _ => std::slice::from_ref(&pair[0]),
            };
            for constant in constants {
                check_hash(constant)?;
                let written = written(constant);
                if seen.contains(&written) {
                    return Err(wrong("this constant is in the `case` twice").at(constant.at));
                }
                seen.push(written);
            }
            let constants = constants.iter().map(|constant| self.quoted(constant)).collect::<R<_>>()?;
            made.push((constants, self.node(&pair[1], tail)?));
        }
        let whole =
            |node: &Node| matches!(node, Node::Literal(Literal::Long(long)) if i32::try_from(*long).is_ok());
        let hashes = !made.iter().flat_map(|(constants, _)| constants).all(whole);
        Ok(Node::Case(Box::new(Case { at, of, hashes, clauses: made, otherwise })))
    }

    pub(super) fn and(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        match args {
            [] => Ok(Node::Literal(Literal::Bool(true))),
            [only] => self.node(only, tail),
            _ => self.all_but_last(args, tail).map(Node::And),
        }
    }

    pub(super) fn or(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        match args {
            [] => Ok(nil()),
            [only] => self.node(only, tail),
            _ => self.all_but_last(args, tail).map(Node::Or),
        }
    }

    fn all_but_last(&mut self, forms: &[Form], tail: bool) -> R<Vec<Node>> {
        let last = forms.len().saturating_sub(1);
        forms.iter().enumerate().map(|(place, form)| self.node(form, tail && place == last)).collect()
    }

    pub(super) fn do_(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        self.body(args, tail)
    }
}

/// Clauses become choices in choices.
fn few(clauses: &[Form]) -> R<()> {
    if clauses.len() > 400 { Err(limit("`cond` and `condp` take at most 200 clauses")) } else { Ok(()) }
}

/// `case` finds a constant by Java's hash, which is another for `1.0M` and `1.00M`, and for `0.0` and `-0.0`.
fn check_hash(form: &Form) -> R<()> {
    match &form.what {
        What::Literal(Literal::Decimal(_)) => {
            Err(unsupported("a decimal as a constant of `case` is not supported").at(form.at))
        }
        What::Literal(Literal::Double(double)) if *double == 0.0 => {
            Err(unsupported("0.0 as a constant of `case` is not supported").at(form.at))
        }
        What::Vector(forms) | What::List(forms) | What::Map(forms) | What::Set(forms) => {
            forms.iter().try_for_each(check_hash)
        }
        What::Quote(quoted) => check_hash(quoted),
        _ => Ok(()),
    }
}

/// A constant so that equal ones are the same.
fn written(form: &Form) -> String {
    let all = |forms: &[Form]| forms.iter().map(written).collect::<Vec<_>>().join(" ");
    match &form.what {
        What::Literal(literal) => format!("{literal:?}"),
        What::Symbol(name) => format!("symbol {name}"),
        What::List(forms) | What::Vector(forms) => format!("[{}]", all(forms)),
        What::Map(forms) => format!("{{{}}}", all(forms)),
        What::Set(forms) | What::Short(forms) => format!("#{{{}}}", all(forms)),
        What::Quote(quoted) => format!("'{}", written(quoted)),
    }
}
