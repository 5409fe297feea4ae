//! `let`, `loop` and destructuring: names for values, and for what is in them.

use super::{Compiler, nil};
use crate::error::{Position, Result, invalid, unsupported};
use crate::form::{Form, FormKind, Literal};
use crate::node::{Binding, Loop, Node};

pub(super) type Bindings = Vec<Binding>;

/// The map that a pattern like `{:keys [a]}` looks into.
struct DestructuredMap<'f> {
    position: Position,
    slot: usize,
    /// The names and values of its `:or`, in turn.
    defaults: &'f [Form],
}

impl Compiler {
    pub(super) fn let_(&mut self, _: Position, args: &[Form], tail: bool) -> Result<Node> {
        let (pairs, body) = binding_pairs("let", args)?;
        let outer_names = self.scopes.name_count();
        let mut bindings = Bindings::new();
        for pair in pairs.chunks_exact(2) {
            let value = self.node(&pair[1], false)?;
            self.bind(&pair[0], value, &mut bindings)?;
        }
        let body = self.body(body, tail)?;
        self.scopes.forget_names_since(outer_names);
        Ok(Node::Let(bindings, Box::new(body)))
    }

    pub(super) fn loop_(&mut self, _: Position, args: &[Form], _: bool) -> Result<Node> {
        let (pairs, body) = binding_pairs("loop", args)?;
        let outer_names = self.scopes.name_count();
        let (mut slots, mut initial_bindings, mut round_bindings) =
            (Vec::new(), Bindings::new(), Bindings::new());
        for pair in pairs.chunks_exact(2) {
            let value = self.node(&pair[1], false)?;
            let slot = match pair[0].symbol_name() {
                Some(name) if is_unqualified(name) => self.scopes.add_name(name),
                _ => self.scopes.add_unnamed_slot(),
            };
            initial_bindings.push((slot, value));
            slots.push(slot);
            if pair[0].symbol_name().is_none() {
                self.bind(&pair[0], Node::Local(slot), &mut initial_bindings)?;
            }
        }
        // Patterns are destructured again in each round.
        for (pair, slot) in pairs.chunks_exact(2).zip(&slots) {
            if pair[0].symbol_name().is_none() {
                self.bind(&pair[0], Node::Local(*slot), &mut round_bindings)?;
            }
        }
        let outer_arity = self.scopes.set_recur_arity(Some(slots.len()));
        let body = self.body(body, true)?;
        self.scopes.set_recur_arity(outer_arity);
        self.scopes.forget_names_since(outer_names);
        Ok(Node::Loop(Box::new(Loop { slots, initial_bindings, round_bindings, body })))
    }

    /// Binds the names of a pattern to a value, or to what is in it.
    pub(super) fn bind(&mut self, pattern: &Form, value: Node, bindings: &mut Bindings) -> Result<()> {
        self.count_node().map_err(|failure| failure.at(pattern.position))?;
        match &pattern.kind {
            FormKind::Symbol(name) if is_unqualified(name) => {
                let slot = self.scopes.add_name(name);
                bindings.push((slot, value));
                Ok(())
            }
            FormKind::Vector(parts) => {
                let slot = self.scopes.add_unnamed_slot();
                bindings.push((slot, value));
                self.bind_vector(pattern.position, parts, slot, bindings)
            }
            FormKind::Map(parts) => {
                let slot = self.scopes.add_unnamed_slot();
                let map = self.builtin_call(pattern.position, "loanhook/map-of", vec![value])?;
                bindings.push((slot, map));
                self.bind_map(pattern.position, parts, slot, bindings)
            }
            _ => {
                let detail = "this is no name, and no vector or map of names, to bind";
                Err(invalid(detail).at(pattern.position))
            }
        }
    }

    /// Binds the parts of a vector pattern to the items of the value in a slot.
    fn bind_vector(
        &mut self,
        position: Position,
        parts: &[Form],
        slot: usize,
        bindings: &mut Bindings,
    ) -> Result<()> {
        let has_rest = parts.iter().any(|part| part.symbol_name() == Some("&"));
        let mut rest = slot;
        if has_rest {
            rest = self.scopes.add_unnamed_slot();
            bindings.push((rest, self.builtin_call(position, "seq", vec![Node::Local(slot)])?));
        }
        let (mut parts, mut index) = (parts.iter(), 0);
        while let Some(part) = parts.next() {
            if part.symbol_name() == Some("&") {
                let name =
                    parts.next().ok_or_else(|| invalid("`&` is followed by a name").at(part.position))?;
                self.bind(name, Node::Local(rest), bindings)?;
            } else if let Some(keyword) = part.keyword_name() {
                if keyword != "as" {
                    return Err(invalid("of keywords, only `:as` stands here").at(part.position));
                }
                let name =
                    parts.next().ok_or_else(|| invalid("`:as` is followed by a name").at(part.position))?;
                self.bind(name, Node::Local(slot), bindings)?;
            } else if has_rest {
                let first = self.builtin_call(part.position, "first", vec![Node::Local(rest)])?;
                let next_rest = self.scopes.add_unnamed_slot();
                let next = self.builtin_call(part.position, "next", vec![Node::Local(rest)])?;
                self.bind(part, first, bindings)?;
                bindings.push((next_rest, next));
                rest = next_rest;
            } else {
                let args = vec![Node::Local(slot), Node::Literal(Literal::Long(index)), nil()];
                let item = self.builtin_call(part.position, "nth", args)?;
                self.bind(part, item, bindings)?;
                index += 1;
            }
        }
        Ok(())
    }

    /// Binds the parts of a map pattern to the values of the map in a slot.
    fn bind_map(
        &mut self,
        position: Position,
        parts: &[Form],
        slot: usize,
        bindings: &mut Bindings,
    ) -> Result<()> {
        let pairs = || parts.chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
        let defaults: &[Form] = match pairs().find(|(key, _)| key.keyword_name() == Some("or")) {
            Some((_, Form { kind: FormKind::Map(defaults), .. })) => defaults,
            Some((_, other)) => {
                let detail = "`:or` is followed by a map of names and values";
                return Err(invalid(detail).at(other.position));
            }
            None => &[],
        };
        let map = DestructuredMap { position, slot, defaults };
        for (pattern, key) in pairs() {
            match (pattern.keyword_name(), &key.kind) {
                (Some("or"), _) => {}
                (Some("as"), _) => self.bind(key, Node::Local(slot), bindings)?,
                (Some(key_kind @ ("keys" | "strs" | "syms")), FormKind::Vector(names)) => {
                    self.bind_names(&map, key_kind, names, bindings)?;
                }
                (Some(_), _) => {
                    return Err(unsupported(
                        "of keywords, only `:keys`, `:strs`, `:syms`, `:or` and `:as` stand here",
                    )
                    .at(pattern.position));
                }
                (None, _) => {
                    let key = self.node(key, false)?;
                    self.bind_key(&map, pattern, key, bindings)?;
                }
            }
        }
        Ok(())
    }

    /// Binds the names of a `:keys`, `:strs` or `:syms` to the values of the keys of the same names.
    fn bind_names(
        &mut self,
        map: &DestructuredMap<'_>,
        key_kind: &str,
        names: &[Form],
        bindings: &mut Bindings,
    ) -> Result<()> {
        for name in names {
            let text = name.symbol_name().or_else(|| name.keyword_name());
            let text = text.ok_or_else(|| invalid("this is no name to bind").at(name.position))?;
            let key = match key_kind {
                "keys" => Node::Literal(Literal::Keyword(text.into())),
                "strs" => Node::Literal(Literal::Str(text.into())),
                _ => Node::Symbol(text.into()),
            };
            let local = Form::symbol(name.position, text.rsplit('/').next().unwrap_or(text));
            self.bind_key(map, &local, key, bindings)?;
        }
        Ok(())
    }

    /// Binds a pattern to the value of a key.
    fn bind_key(
        &mut self,
        map: &DestructuredMap<'_>,
        pattern: &Form,
        key: Node,
        bindings: &mut Bindings,
    ) -> Result<()> {
        let mut args = vec![Node::Local(map.slot), key];
        let is_default_of_pattern = |pair: &&[Form]| {
            pair[0].symbol_name().is_some() && pair[0].symbol_name() == pattern.symbol_name()
        };
        if let Some(pair) = map.defaults.chunks_exact(2).find(is_default_of_pattern) {
            args.push(self.node(&pair[1], false)?);
        }
        let value = self.builtin_call(map.position, "get", args)?;
        self.bind(pattern, value, bindings)
    }
}

/// Whether a name may be bound: it has no namespace.
pub(super) fn is_unqualified(name: &str) -> bool {
    !name.contains('/') && name != "&"
}

/// The names and values that such a form begins with, in turn, and the forms after them.
fn binding_pairs<'f>(name: &str, args: &'f [Form]) -> Result<(&'f [Form], &'f [Form])> {
    match args.split_first() {
        Some((Form { kind: FormKind::Vector(pairs), .. }, body)) if pairs.len().is_multiple_of(2) => {
            Ok((pairs, body))
        }
        _ => Err(invalid(format!("`{name}` begins with a vector of names and values in pairs"))),
    }
}
