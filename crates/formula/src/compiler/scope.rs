//! Scopes: what a name stands for, where functions are defined in functions.

use std::sync::Arc;

use crate::node::Capture;

/// The names of one function, where the compiler is in it.
#[derive(Default)]
struct Scope {
    /// Names and their slots, the innermost last.
    names: Vec<(Arc<str>, usize)>,
    /// How many slots its frame needs.
    slot_count: usize,
    /// The name by which the function calls itself.
    function_name: Option<Arc<str>>,
    captures: Vec<Capture>,
    /// How many arguments a `recur` takes; none where it cannot stand.
    recur_arity: Option<usize>,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// A slot of the current function's frame.
    Slot(usize),
    CurrentFunction,
    /// A captured value, by its index.
    Captured(usize),
}

/// The scopes of the functions around the form that is compiled, the innermost last.
pub(super) struct Scopes(Vec<Scope>);

impl Default for Scopes {
    fn default() -> Self {
        Self(vec![Scope::default()])
    }
}

impl Scopes {
    fn innermost(&mut self) -> &mut Scope {
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    pub(super) fn slot_count(&self) -> usize {
        self.0.last().map_or(0, |scope| scope.slot_count)
    }

    /// A new slot for a name. It hides an outer name that is the same.
    pub(super) fn add_name(&mut self, name: &str) -> usize {
        let slot = self.add_unnamed_slot();
        self.innermost().names.push((name.into(), slot));
        slot
    }

    /// A new slot that no name leads to.
    pub(super) fn add_unnamed_slot(&mut self) -> usize {
        let scope = self.innermost();
        scope.slot_count += 1;
        scope.slot_count - 1
    }

    /// How many names there are, for [`Scopes::forget_names_since`].
    pub(super) fn name_count(&self) -> usize {
        self.0.last().map_or(0, |scope| scope.names.len())
    }

    pub(super) fn forget_names_since(&mut self, name_count: usize) {
        self.innermost().names.truncate(name_count);
    }

    pub(super) fn enter_function(&mut self, name: Option<&str>) {
        self.0.push(Scope { function_name: name.map(Into::into), ..Scope::default() });
    }

    /// Leaves a function; what it captures.
    pub(super) fn leave_function(&mut self) -> Vec<Capture> {
        self.0.pop().map(|scope| scope.captures).unwrap_or_default()
    }

    /// Begins an arity of the current function, with a frame of its own.
    pub(super) fn begin_arity(&mut self) {
        let scope = self.innermost();
        scope.names.clear();
        scope.slot_count = 0;
    }

    pub(super) fn recur_arity(&self) -> Option<usize> {
        self.0.last().and_then(|scope| scope.recur_arity)
    }

    /// Sets how many arguments a `recur` takes from here on; what it was.
    pub(super) fn set_recur_arity(&mut self, arity: Option<usize>) -> Option<usize> {
        std::mem::replace(&mut self.innermost().recur_arity, arity)
    }

    pub(super) fn find(&mut self, name: &str) -> Option<Found> {
        self.find_in(self.0.len(), name)
    }

    /// Looks in the outermost `count` scopes, the innermost of them first.
    fn find_in(&mut self, count: usize, name: &str) -> Option<Found> {
        let index = count.checked_sub(1)?;
        let scope = &self.0[index];
        if let Some((_, slot)) = scope.names.iter().rev().find(|(other, _)| &**other == name) {
            return Some(Found::Slot(*slot));
        }
        if scope.function_name.as_deref() == Some(name) {
            return Some(Found::CurrentFunction);
        }
        let capture = match self.find_in(index, name)? {
            Found::Slot(slot) => Capture::Local(slot),
            Found::CurrentFunction => Capture::CurrentFunction,
            Found::Captured(captured) => Capture::Captured(captured),
        };
        let captures = &mut self.0[index].captures;
        let captured = captures.iter().position(|other| *other == capture).unwrap_or_else(|| {
            captures.push(capture);
            captures.len() - 1
        });
        Some(Found::Captured(captured))
    }
}
