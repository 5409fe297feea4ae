//! Which name is what, where functions stand in functions.

use std::sync::Arc;

use crate::node::Capture;

/// The names of one function, as they are known where the compiler is.
#[derive(Default)]
struct Scope {
    names: Vec<(Arc<str>, usize)>,
    /// How many places were ever needed.
    places: usize,
    /// What it is called, in itself.
    own: Option<Arc<str>>,
    captures: Vec<Capture>,
    /// How many values a `recur` gives.
    recur: Option<usize>,
}

/// What a name was found to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    Place(usize),
    Own,
    Captured(Capture),
}

pub(super) struct Scopes(Vec<Scope>);

impl Default for Scopes {
    fn default() -> Self {
        Self(vec![Scope::default()])
    }
}

impl Scopes {
    fn scope(&mut self) -> &mut Scope {
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    pub(super) fn places(&self) -> usize {
        self.0.last().map_or(0, |scope| scope.places)
    }

    /// Gives a name a place of its own; names before it that are the same are hidden.
    pub(super) fn add(&mut self, name: &str) -> usize {
        let scope = self.scope();
        let place = scope.places;
        scope.places += 1;
        scope.names.push((name.into(), place));
        place
    }

    /// A place that no name leads to.
    pub(super) fn unnamed(&mut self) -> usize {
        let scope = self.scope();
        scope.places += 1;
        scope.places - 1
    }

    /// How many names there are, to go back to.
    pub(super) fn mark(&self) -> usize {
        self.0.last().map_or(0, |scope| scope.names.len())
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.scope().names.truncate(mark);
    }

    pub(super) fn enter(&mut self, own: Option<&str>) {
        self.0.push(Scope { own: own.map(Into::into), ..Scope::default() });
    }

    /// Leaves a function; gives what it takes along.
    pub(super) fn leave(&mut self) -> Vec<Capture> {
        self.0.pop().map(|scope| scope.captures).unwrap_or_default()
    }

    /// Begins another arity of the same function.
    pub(super) fn next_arity(&mut self) {
        let scope = self.scope();
        scope.names.clear();
        scope.places = 0;
    }

    pub(super) fn recur(&self) -> Option<usize> {
        self.0.last().and_then(|scope| scope.recur)
    }

    /// Says what a `recur` goes back to from here on; gives what it was.
    pub(super) fn set_recur(&mut self, count: Option<usize>) -> Option<usize> {
        std::mem::replace(&mut self.scope().recur, count)
    }

    pub(super) fn find(&mut self, name: &str) -> Option<Found> {
        self.find_in(self.0.len(), name)
    }

    /// Looks in the first so many functions, the innermost of them first.
    fn find_in(&mut self, count: usize, name: &str) -> Option<Found> {
        let index = count.checked_sub(1)?;
        let scope = &self.0[index];
        if let Some((_, place)) = scope.names.iter().rev().find(|(other, _)| &**other == name) {
            return Some(Found::Place(*place));
        }
        if scope.own.as_deref() == Some(name) {
            return Some(Found::Own);
        }
        let capture = match self.find_in(index, name)? {
            Found::Place(place) => Capture::Local(place),
            Found::Own => Capture::Own,
            Found::Captured(Capture::Captured(place) | Capture::Local(place)) => Capture::Captured(place),
            Found::Captured(Capture::Own) => Capture::Own,
        };
        let captures = &mut self.0[index].captures;
        let place = captures.iter().position(|other| *other == capture).unwrap_or_else(|| {
            captures.push(capture);
            captures.len() - 1
        });
        Some(Found::Captured(Capture::Captured(place)))
    }
}
