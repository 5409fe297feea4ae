//! Functions (`fn`, `#(…)`, `recur`), and `for` and `lazy-cat`, which are written as calls of functions.

use std::sync::Arc;

use super::Compiler;
use super::bindings::{Bindings, is_unqualified};
use crate::error::{Position, Result, invalid, unsupported};
use crate::form::{Form, FormKind};
use crate::node::{Arity, FunctionDefinition, Node};

/// The highest number of an argument of `#(…)`.
const MAX_SHORTHAND_ARGUMENTS: usize = 20;

impl Compiler {
    pub(super) fn fn_(&mut self, position: Position, args: &[Form], _: bool) -> Result<Node> {
        let (name, rest) = match args.split_first() {
            Some((first, rest)) if first.symbol_name().is_some() => (first.symbol_name(), rest),
            _ => (None, args),
        };
        let arities: Vec<&[Form]> = match rest.first().map(|form| &form.kind) {
            Some(FormKind::Vector(_)) => vec![rest],
            Some(FormKind::List(_)) => rest
                .iter()
                .map(|form| match &form.kind {
                    FormKind::List(arity) => Ok(arity.as_slice()),
                    _ => Err(invalid("each arity of a function is a list: `([a] …)`").at(form.position)),
                })
                .collect::<Result<_>>()?,
            _ => return Err(invalid("`fn` takes a vector of arguments and a body: `(fn [a] …)`")),
        };
        self.scopes.enter_function(name);
        let mut compiled: Vec<Arity> = Vec::with_capacity(arities.len());
        for arity in arities {
            self.scopes.begin_arity();
            let Some((Form { kind: FormKind::Vector(params), .. }, body)) = arity.split_first() else {
                let detail = "an arity of a function begins with a vector of its arguments";
                return Err(invalid(detail).at(position));
            };
            let arity = self.arity(params, body)?;
            if compiled.iter().any(|other| arities_conflict(other, &arity)) {
                let detail = "two arities of a function take the same number of arguments";
                return Err(invalid(detail).at(position));
            }
            compiled.push(arity);
        }
        let captures = self.scopes.leave_function();
        Ok(Node::Function(Arc::new(FunctionDefinition { captures, arities: compiled })))
    }

    fn arity(&mut self, params: &[Form], body: &[Form]) -> Result<Arity> {
        let (fixed, rest) = match params.iter().position(|param| param.symbol_name() == Some("&")) {
            Some(index) if index + 2 == params.len() => (&params[..index], params.get(index + 1)),
            Some(index) => {
                let detail = "`&` is followed by one name, the last";
                return Err(invalid(detail).at(params[index].position));
            }
            None => (params, None),
        };
        if let Some((Form { kind: FormKind::Map(map), position }, [_, ..])) = body.split_first()
            && map.iter().any(|key| matches!(key.keyword_name(), Some("pre" | "post")))
        {
            let detail = "conditions of functions (`:pre`, `:post`) are not supported";
            return Err(unsupported(detail).at(*position));
        }
        let mut slots = Vec::new();
        for param in fixed.iter().chain(rest) {
            slots.push(match param.symbol_name() {
                Some(name) if is_unqualified(name) => self.scopes.add_name(name),
                Some(_) => return Err(invalid("an argument's name has no namespace").at(param.position)),
                None => self.scopes.add_unnamed_slot(),
            });
        }
        let mut bindings = Bindings::new();
        for (param, slot) in fixed.iter().chain(rest).zip(&slots) {
            if param.symbol_name().is_none() {
                self.bind(param, Node::Local(*slot), &mut bindings)?;
            }
        }
        self.scopes.set_recur_arity(Some(slots.len()));
        let body = self.body(body, true)?;
        let body = if bindings.is_empty() { body } else { Node::Let(bindings, Box::new(body)) };
        Ok(Arity {
            fixed_parameters: fixed.len(),
            is_variadic: rest.is_some(),
            slot_count: self.scopes.slot_count(),
            body,
        })
    }

    pub(super) fn recur(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let Some(arity) = self.scopes.recur_arity().filter(|_| tail) else {
            return Err(invalid("`recur` stands only where its loop or function would end"));
        };
        if arity != args.len() {
            let detail = format!("`recur` gives {} values here, and {arity} are needed", args.len());
            return Err(invalid(detail));
        }
        self.nodes(args).map(Node::Recur)
    }

    /// `#(…)`: a function whose arguments are `%1` to `%20`, `%` for the first, and `%&` for the rest.
    pub(super) fn function_shorthand(&mut self, position: Position, forms: &[Form]) -> Result<Node> {
        let mut arguments = ShorthandArguments::default();
        forms.iter().try_for_each(|form| arguments.find_in(form))?;
        let mut params: Vec<_> =
            (1..=arguments.count).map(|number| Form::symbol(position, &format!("%{number}"))).collect();
        if arguments.has_rest {
            params.extend([Form::symbol(position, "&"), Form::symbol(position, "%&")]);
        }
        let params = Form::new(position, FormKind::Vector(params));
        let body = forms.iter().map(with_numbered_argument).collect();
        self.fn_(position, &[params, Form::new(position, FormKind::List(body))], false)
    }

    /// `(for [x xs :when a y ys] b)`: for each x, if a, for each y, b.
    pub(super) fn for_(&mut self, position: Position, args: &[Form], _: bool) -> Result<Node> {
        let [Form { kind: FormKind::Vector(parts), .. }, body] = args else {
            return Err(invalid("`for` takes a vector of names and collections, and one body"));
        };
        if !parts.len().is_multiple_of(2) || parts.first().is_none_or(|part| part.keyword_name().is_some()) {
            return Err(invalid("`for` begins with a vector of names and collections in pairs"));
        }
        let form = for_form(position, parts, body)?;
        self.node(&form, false)
    }

    pub(super) fn lazy_cat(&mut self, position: Position, args: &[Form], _: bool) -> Result<Node> {
        self.node(&Form::call(position, "concat", args.to_vec()), false)
    }
}

/// Whether a call may have a number of arguments that both arities take, as Clojure's compiler sees it.
fn arities_conflict(a: &Arity, b: &Arity) -> bool {
    (a.fixed_parameters == b.fixed_parameters && a.is_variadic == b.is_variadic)
        || (a.is_variadic && b.is_variadic)
        || (a.is_variadic && b.fixed_parameters > a.fixed_parameters)
        || (b.is_variadic && a.fixed_parameters > b.fixed_parameters)
}

/// A `for` from one of its collections on, as a call of `loanhook/for-each`. The function there gives for each item of
/// the collection a vector of what the item adds to the sequence, or nil to end it.
fn for_form(position: Position, parts: &[Form], body: &Form) -> Result<Form> {
    let [pattern, collection, rest @ ..] = parts else {
        return Ok(Form::new(position, FormKind::Vector(vec![body.clone()])));
    };
    let modifiers = rest.chunks_exact(2).take_while(|pair| pair[0].keyword_name().is_some()).count() * 2;
    let (modifiers, rest) = rest.split_at(modifiers);
    let mut inner = for_form(position, rest, body)?;
    for pair in modifiers.chunks_exact(2).rev() {
        let empty = Form::new(position, FormKind::Vector(Vec::new()));
        inner = match pair[0].keyword_name() {
            Some("let") => Form::call(position, "let", [pair[1].clone(), inner]),
            Some("when") => Form::call(position, "if", [pair[1].clone(), inner, empty]),
            Some("while") => Form::call(position, "if", [pair[1].clone(), inner, Form::nil(position)]),
            _ => {
                let detail = "of keywords, only `:let`, `:when` and `:while` stand in `for`";
                return Err(invalid(detail).at(pair[0].position));
            }
        };
    }
    let params = Form::new(position, FormKind::Vector(vec![pattern.clone()]));
    let each = Form::call(position, "fn", [params, inner]);
    Ok(Form::call(position, "loanhook/for-each", [each, collection.clone()]))
}

/// The arguments that a `#(…)` uses.
#[derive(Default)]
struct ShorthandArguments {
    /// The highest number of one.
    count: usize,
    has_rest: bool,
}

impl ShorthandArguments {
    fn find_in(&mut self, form: &Form) -> Result<()> {
        match &form.kind {
            FormKind::Symbol(name) => match &**name {
                "%" => self.count = self.count.max(1),
                "%&" => self.has_rest = true,
                _ => {
                    let number = name.strip_prefix('%').and_then(|number| number.parse::<usize>().ok());
                    let Some(number) = number else { return Ok(()) };
                    if !(1..=MAX_SHORTHAND_ARGUMENTS).contains(&number) {
                        let detail = "`#(…)` takes the arguments `%1` to `%20`";
                        return Err(invalid(detail).at(form.position));
                    }
                    self.count = self.count.max(number);
                }
            },
            FormKind::List(forms)
            | FormKind::Vector(forms)
            | FormKind::Map(forms)
            | FormKind::Set(forms)
            | FormKind::FunctionShorthand(forms) => {
                forms.iter().try_for_each(|form| self.find_in(form))?;
            }
            FormKind::Quote(quoted) => self.find_in(quoted)?,
            FormKind::Literal(_) => {}
        }
        Ok(())
    }
}

/// The form with `%1` in place of `%`.
fn with_numbered_argument(form: &Form) -> Form {
    let all = |forms: &[Form]| forms.iter().map(with_numbered_argument).collect();
    let kind = match &form.kind {
        FormKind::Symbol(name) if &**name == "%" => FormKind::Symbol("%1".into()),
        FormKind::List(forms) => FormKind::List(all(forms)),
        FormKind::Vector(forms) => FormKind::Vector(all(forms)),
        FormKind::Map(forms) => FormKind::Map(all(forms)),
        FormKind::Set(forms) => FormKind::Set(all(forms)),
        FormKind::Quote(quoted) => FormKind::Quote(Box::new(with_numbered_argument(quoted))),
        other => other.clone(),
    };
    Form::new(form.position, kind)
}
