//! Where values go when nobody holds them any more.
//!
//! A value may hold values that hold values, as deep as a formula had steps to nest them. Left to Rust, each
//! level of them would take room on the stack when the outermost is dropped. So what is dropped hands what
//! it holds over to a list, and the first to do so empties it.

use std::cell::RefCell;

use super::source::Source;
use super::value::Value;

#[derive(Default)]
struct Grave {
    values: Vec<Value>,
    sources: Vec<Source>,
    /// Somebody is emptying it.
    tended: bool,
}

thread_local! {
    static GRAVE: RefCell<Grave> = RefCell::default();
}

/// Drops the values without going down into them.
pub(super) fn bury(values: &mut Vec<Value>) {
    if values.iter().any(Value::holds_others) {
        bury_all(values.drain(..));
    }
}

pub(super) fn bury_all(values: impl Iterator<Item = Value>) {
    let deep: Vec<_> = values.filter(Value::holds_others).collect();
    if !deep.is_empty() {
        hand_over(|grave| grave.values.extend(deep));
    }
}

pub(super) fn bury_source(source: Source) {
    hand_over(|grave| grave.sources.push(source));
}

fn hand_over(what: impl FnOnce(&mut Grave)) {
    // Where the thread is ending already there is no list any more: what was to go there is dropped as it is.
    let tended = GRAVE.try_with(|grave| {
        let mut grave = grave.borrow_mut();
        what(&mut grave);
        std::mem::replace(&mut grave.tended, true)
    });
    if tended.unwrap_or(true) {
        return;
    }
    // Each is dropped while the list is free, for it to hand over what it holds.
    let next = || {
        GRAVE.with(|grave| {
            let mut grave = grave.borrow_mut();
            let next = (grave.values.pop(), grave.sources.pop());
            grave.tended = next.0.is_some() || next.1.is_some();
            next
        })
    };
    while let (Some(_), _) | (_, Some(_)) = next() {}
}
