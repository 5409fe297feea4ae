//! Functions, and `for`, which is made of them.

use std::sync::Arc;

use super::Compiler;
use super::binding::{Binds, is_plain};
use crate::error::{Position, R, unsupported, wrong};
use crate::form::{Form, What};
use crate::node::{Arity, Node, Proto};

impl Compiler {
    pub(super) fn fn_(&mut self, at: Position, args: &[Form], _: bool) -> R<Node> {
        let (own, rest) = match args.split_first() {
            Some((first, rest)) if first.name().is_some() => (first.name(), rest),
            _ => (None, args),
        };
        let single;
        let arities: Vec<&[Form]> = match rest.first().map(|form| &form.what) {
            Some(What::Vector(_)) => {
                single = rest;
                vec![single]
            }
            Some(What::List(_)) => rest
                .iter()
                .map(|form| match &form.what {
                    What::List(arity) => Ok(arity.as_slice()),
                    _ => Err(wrong("each arity of a function is a list: `([a] …)`").at(form.at)),
                })
                .collect::<R<_>>()?,
            _ => return Err(wrong("`fn` takes a vector of arguments and a body: `(fn [a] …)`")),
        };
        self.scopes.enter(own);
        let mut made: Vec<Arity> = Vec::with_capacity(arities.len());
        for arity in arities {
            self.scopes.next_arity();
            let Some((Form { what: What::Vector(params), .. }, body)) = arity.split_first() else {
                return Err(wrong("an arity of a function begins with a vector of its arguments").at(at));
            };
            let arity = self.arity(params, body)?;
            let clash = made.iter().any(|other| {
                (other.fixed == arity.fixed && other.variadic == arity.variadic)
                    || (other.variadic && arity.variadic)
                    || (other.variadic && arity.fixed > other.fixed)
                    || (arity.variadic && other.fixed > arity.fixed)
            });
            if clash {
                return Err(wrong("two arities of a function take the same number of arguments").at(at));
            }
            made.push(arity);
        }
        let captures = self.scopes.leave();
        Ok(Node::Function(Arc::new(Proto { captures, arities: made })))
    }

    fn arity(&mut self, params: &[Form], body: &[Form]) -> R<Arity> {
        let (fixed, rest) = match params.iter().position(|param| param.name() == Some("&")) {
            Some(place) if place + 2 == params.len() => (&params[..place], params.get(place + 1)),
            Some(place) => return Err(wrong("`&` is followed by one name, the last").at(params[place].at)),
            None => (params, None),
        };
        if let Some((Form { what: What::Map(map), at }, [_, ..])) = body.split_first()
            && map.iter().any(|key| matches!(key.keyword(), Some("pre" | "post")))
        {
            return Err(unsupported("conditions of functions (`:pre`, `:post`) are not supported").at(*at));
        }
        let mut places = Vec::new();
        for param in fixed.iter().chain(rest) {
            places.push(match param.name() {
                Some(name) if is_plain(name) => self.scopes.add(name),
                Some(_) => return Err(wrong("an argument's name has no namespace").at(param.at)),
                None => self.scopes.unnamed(),
            });
        }
        let mut binds = Binds::new();
        for (param, place) in fixed.iter().chain(rest).zip(&places) {
            if param.name().is_none() {
                self.bind(param, Node::Local(*place), &mut binds)?;
            }
        }
        self.scopes.set_recur(Some(places.len()));
        let body = self.body(body, true)?;
        let body = if binds.is_empty() { body } else { Node::Let(binds, Box::new(body)) };
        Ok(Arity { fixed: fixed.len(), variadic: rest.is_some(), places: self.scopes.places(), body })
    }

    pub(super) fn recur(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let Some(count) = self.scopes.recur().filter(|_| tail) else {
            return Err(wrong("`recur` stands only where its loop or function would end"));
        };
        if count != args.len() {
            return Err(wrong(format!("`recur` gives {} values here, and {count} are needed", args.len())));
        }
        self.all(args).map(Node::Recur)
    }

    /// `#(…)`: a function whose arguments are `%1` to `%20`, `%` for the first, and `%&` for the rest.
    pub(super) fn short(&mut self, at: Position, forms: &[Form]) -> R<Node> {
        let mut names = Arguments::default();
        forms.iter().try_for_each(|form| names.look(form))?;
        let mut params: Vec<_> =
            (1..=names.most).map(|place| Form::symbol(at, &format!("%{place}"))).collect();
        if names.rest {
            params.extend([Form::symbol(at, "&"), Form::symbol(at, "%&")]);
        }
        let body = forms.iter().map(first_by_number).collect();
        self.fn_(at, &[Form::new(at, What::Vector(params)), Form::new(at, What::List(body))], false)
    }

    /// `(for [x xs :when a y ys] b)`: for each x, if a, for each y, b.
    pub(super) fn for_(&mut self, at: Position, args: &[Form], _: bool) -> R<Node> {
        let [Form { what: What::Vector(parts), .. }, body] = args else {
            return Err(wrong("`for` takes a vector of names and collections, and one body"));
        };
        if !parts.len().is_multiple_of(2) || parts.first().is_none_or(|part| part.keyword().is_some()) {
            return Err(wrong("`for` begins with a vector of names and collections in pairs"));
        }
        let form = for_form(at, parts, body)?;
        self.node(&form, false)
    }

    pub(super) fn lazy_cat(&mut self, at: Position, args: &[Form], _: bool) -> R<Node> {
        self.node(&Form::call(at, "concat", args.to_vec()), false)
    }
}

/// A pair of the vector of a `for`, and those that follow, written out. What a function gives for an item is
/// a vector of what the item comes to; nil ends the collection.
fn for_form(at: Position, parts: &[Form], body: &Form) -> R<Form> {
    let [pattern, of, rest @ ..] = parts else {
        return Ok(Form::new(at, What::Vector(vec![body.clone()])));
    };
    let modifiers = rest.chunks_exact(2).take_while(|pair| pair[0].keyword().is_some()).count() * 2;
    let (modifiers, rest) = rest.split_at(modifiers);
    let mut inner = for_form(at, rest, body)?;
    for pair in modifiers.chunks_exact(2).rev() {
        let empty = Form::new(at, What::Vector(Vec::new()));
        inner = match pair[0].keyword() {
            Some("let") => Form::call(at, "let", [pair[1].clone(), inner]),
            Some("when") => Form::call(at, "if", [pair[1].clone(), inner, empty]),
            Some("while") => Form::call(at, "if", [pair[1].clone(), inner, Form::nil(at)]),
            _ => {
                return Err(
                    wrong("of keywords, only `:let`, `:when` and `:while` stand in `for`").at(pair[0].at)
                );
            }
        };
    }
    let params = Form::new(at, What::Vector(vec![pattern.clone()]));
    let each = Form::call(at, "fn", [params, inner]);
    Ok(Form::call(at, "loanhook/for-each", [each, of.clone()]))
}

#[derive(Default)]
struct Arguments {
    most: usize,
    rest: bool,
}

impl Arguments {
    fn look(&mut self, form: &Form) -> R<()> {
        match &form.what {
            What::Symbol(name) => match &**name {
                "%" => self.most = self.most.max(1),
                "%&" => self.rest = true,
                _ => {
                    let Some(place) = name.strip_prefix('%').and_then(|place| place.parse::<usize>().ok())
                    else {
                        return Ok(());
                    };
                    if !(1..=20).contains(&place) {
                        return Err(wrong("`#(…)` takes the arguments `%1` to `%20`").at(form.at));
                    }
                    self.most = self.most.max(place);
                }
            },
            What::List(forms)
            | What::Vector(forms)
            | What::Map(forms)
            | What::Set(forms)
            | What::Short(forms) => {
                forms.iter().try_for_each(|form| self.look(form))?;
            }
            What::Quote(quoted) => self.look(quoted)?,
            What::Literal(_) => {}
        }
        Ok(())
    }
}

/// The same with `%` as `%1`.
fn first_by_number(form: &Form) -> Form {
    let all = |forms: &[Form]| forms.iter().map(first_by_number).collect();
    let what = match &form.what {
        What::Symbol(name) if &**name == "%" => What::Symbol("%1".into()),
        What::List(forms) => What::List(all(forms)),
        What::Vector(forms) => What::Vector(all(forms)),
        What::Map(forms) => What::Map(all(forms)),
        What::Set(forms) => What::Set(all(forms)),
        What::Quote(quoted) => What::Quote(Box::new(first_by_number(quoted))),
        other => other.clone(),
    };
    Form::new(form.at, what)
}
