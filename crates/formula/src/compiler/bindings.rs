//! `let` and what is like it: names for values, and for what is in them.

use super::{Compiler, nil};
use crate::error::{Position, R, unsupported, wrong};
use crate::form::{Form, Literal, What};
use crate::node::Node;

pub(super) type Binds = Vec<(usize, Node)>;

impl Compiler {
    pub(super) fn let_(&mut self, _: Position, args: &[Form], tail: bool) -> R<Node> {
        let (pairs, body) = pairs("let", args)?;
        let mark = self.scopes.mark();
        let mut binds = Binds::new();
        for pair in pairs.chunks_exact(2) {
            let value = self.node(&pair[1], false)?;
            self.bind(&pair[0], value, &mut binds)?;
        }
        let body = self.body(body, tail)?;
        self.scopes.back_to(mark);
        Ok(Node::Let(binds, Box::new(body)))
    }

    pub(super) fn loop_(&mut self, _: Position, args: &[Form], _: bool) -> R<Node> {
        let (pairs, body) = pairs("loop", args)?;
        let mark = self.scopes.mark();
        let (mut places, mut begin, mut rebind) = (Vec::new(), Binds::new(), Binds::new());
        for pair in pairs.chunks_exact(2) {
            let value = self.node(&pair[1], false)?;
            let place = match pair[0].name() {
                Some(name) if is_plain(name) => self.scopes.add(name),
                _ => self.scopes.unnamed(),
            };
            begin.push((place, value));
            places.push(place);
            if pair[0].name().is_none() {
                self.bind(&pair[0], Node::Local(place), &mut begin)?;
            }
        }
        // What is taken apart is taken apart again each time round.
        for (pair, place) in pairs.chunks_exact(2).zip(&places) {
            if pair[0].name().is_none() {
                self.bind(&pair[0], Node::Local(*place), &mut rebind)?;
            }
        }
        let before = self.scopes.set_recur(Some(places.len()));
        let body = Box::new(self.body(body, true)?);
        self.scopes.set_recur(before);
        self.scopes.back_to(mark);
        Ok(Node::Loop { places, begin, rebind, body })
    }

    /// Binds what a pattern names in a value.
    pub(super) fn bind(&mut self, pattern: &Form, value: Node, binds: &mut Binds) -> R<()> {
        self.count().map_err(|fail| fail.at(pattern.at))?;
        match &pattern.what {
            What::Symbol(name) if is_plain(name) => {
                let place = self.scopes.add(name);
                binds.push((place, value));
                Ok(())
            }
            What::Vector(parts) => {
                let place = self.scopes.unnamed();
                binds.push((place, value));
                self.bind_vector(pattern.at, parts, place, binds)
            }
            What::Map(parts) => {
                let place = self.scopes.unnamed();
                binds.push((place, self.builtin(pattern.at, "loanhook/map-of", vec![value])?));
                self.bind_map(pattern.at, parts, place, binds)
            }
            _ => Err(wrong("this is no name, and no vector or map of names, to bind").at(pattern.at)),
        }
    }

    fn bind_vector(&mut self, at: Position, parts: &[Form], whole: usize, binds: &mut Binds) -> R<()> {
        let walks = parts.iter().any(|part| part.name() == Some("&"));
        let mut rest = whole;
        if walks {
            rest = self.scopes.unnamed();
            binds.push((rest, self.builtin(at, "seq", vec![Node::Local(whole)])?));
        }
        let (mut parts, mut place) = (parts.iter(), 0);
        while let Some(part) = parts.next() {
            if part.name() == Some("&") {
                let name = parts.next().ok_or_else(|| wrong("`&` is followed by a name").at(part.at))?;
                self.bind(name, Node::Local(rest), binds)?;
            } else if let Some(key) = part.keyword() {
                if key != "as" {
                    return Err(wrong("of keywords, only `:as` stands here").at(part.at));
                }
                let name = parts.next().ok_or_else(|| wrong("`:as` is followed by a name").at(part.at))?;
                self.bind(name, Node::Local(whole), binds)?;
            } else if walks {
                let first = self.builtin(part.at, "first", vec![Node::Local(rest)])?;
                let next = self.scopes.unnamed();
                let after = self.builtin(part.at, "next", vec![Node::Local(rest)])?;
                self.bind(part, first, binds)?;
                binds.push((next, after));
                rest = next;
            } else {
                let args = vec![Node::Local(whole), Node::Literal(Literal::Long(place)), nil()];
                let item = self.builtin(part.at, "nth", args)?;
                self.bind(part, item, binds)?;
                place += 1;
            }
        }
        Ok(())
    }

    fn bind_map(&mut self, at: Position, parts: &[Form], whole: usize, binds: &mut Binds) -> R<()> {
        let pairs = || parts.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
        let defaults: &[Form] = match pairs().find(|(key, _)| key.keyword() == Some("or")) {
            Some((_, Form { what: What::Map(defaults), .. })) => defaults,
            Some((_, other)) => {
                return Err(wrong("`:or` is followed by a map of names and values").at(other.at));
            }
            None => &[],
        };
        for (pattern, key) in pairs() {
            let names = match (pattern.keyword(), &key.what) {
                (Some("or"), _) => continue,
                (Some("as"), _) => {
                    self.bind(key, Node::Local(whole), binds)?;
                    continue;
                }
                (Some(kind @ ("keys" | "strs" | "syms")), What::Vector(names)) => (kind, names),
                (Some(_), _) => {
                    return Err(unsupported(
                        "of keywords, only `:keys`, `:strs`, `:syms`, `:or` and `:as` stand here",
                    )
                    .at(pattern.at));
                }
                (None, _) => {
                    let key = self.node(key, false)?;
                    self.bind_key(at, pattern, key, whole, defaults, binds)?;
                    continue;
                }
            };
            for name in names.1 {
                let text = name.name().or_else(|| name.keyword());
                let text = text.ok_or_else(|| wrong("this is no name to bind").at(name.at))?;
                let key = match names.0 {
                    "keys" => Node::Literal(Literal::Keyword(text.into())),
                    "strs" => Node::Literal(Literal::Str(text.into())),
                    _ => Node::Symbol(text.into()),
                };
                let local = Form::symbol(name.at, text.rsplit('/').next().unwrap_or(text));
                self.bind_key(at, &local, key, whole, defaults, binds)?;
            }
        }
        Ok(())
    }

    fn bind_key(
        &mut self,
        at: Position,
        pattern: &Form,
        key: Node,
        whole: usize,
        defaults: &[Form],
        binds: &mut Binds,
    ) -> R<()> {
        let mut args = vec![Node::Local(whole), key];
        let default = defaults
            .chunks_exact(2)
            .find(|pair| pair[0].name().is_some() && pair[0].name() == pattern.name());
        if let Some(pair) = default {
            args.push(self.node(&pair[1], false)?);
        }
        let value = self.builtin(at, "get", args)?;
        self.bind(pattern, value, binds)
    }
}

/// A name that may be bound: it has no namespace.
pub(super) fn is_plain(name: &str) -> bool {
    !name.contains('/') && name != "&"
}

/// The vector of names and values that such a form begins with, and what follows it.
fn pairs<'f>(name: &str, args: &'f [Form]) -> R<(&'f [Form], &'f [Form])> {
    match args.split_first() {
        Some((Form { what: What::Vector(pairs), .. }, body)) if pairs.len().is_multiple_of(2) => {
            Ok((pairs, body))
        }
        _ => Err(wrong(format!("`{name}` begins with a vector of names and values in pairs"))),
    }
}
