//! Deferred drop of values, so that deeply nested ones need no deep stack.
//!
//! Values hold values, as deep as a formula had steps to nest them. If Rust dropped them recursively, each level would
//! take room on the stack. Instead, whatever holds values hands them to a list of its thread when it is dropped, and
//! the first to do so drops what is in the list until it is empty.

use std::cell::RefCell;

use super::Value;
use super::sequence::source::ItemSource;

#[derive(Default)]
struct Deferred {
    values: Vec<Value>,
    sources: Vec<Box<dyn ItemSource>>,
    /// Whether something on the stack is dropping what is in the lists.
    is_draining: bool,
}

thread_local! {
    static DEFERRED: RefCell<Deferred> = RefCell::default();
}

/// Drops the values without recursion; values that hold no others are left to the caller.
pub(super) fn drop_later(values: &mut Vec<Value>) {
    if values.iter().any(Value::is_compound) {
        drop_all_later(values.drain(..));
    }
}

pub(super) fn drop_all_later(values: impl Iterator<Item = Value>) {
    let compound: Vec<_> = values.filter(Value::is_compound).collect();
    if !compound.is_empty() {
        defer(|deferred| deferred.values.extend(compound));
    }
}

pub(super) fn drop_source_later(source: Box<dyn ItemSource>) {
    defer(|deferred| deferred.sources.push(source));
}

fn defer(add: impl FnOnce(&mut Deferred)) {
    // A thread that is ending may have dropped the list already: `add` is then dropped with what it holds.
    let was_draining = DEFERRED.try_with(|deferred| {
        let mut deferred = deferred.borrow_mut();
        add(&mut deferred);
        std::mem::replace(&mut deferred.is_draining, true)
    });
    if was_draining.unwrap_or(true) {
        return;
    }
    // Each value is dropped while the list is not borrowed, as it adds what it holds to the list.
    let next = || {
        DEFERRED.with(|deferred| {
            let mut deferred = deferred.borrow_mut();
            let next = (deferred.values.pop(), deferred.sources.pop());
            deferred.is_draining = next.0.is_some() || next.1.is_some();
            next
        })
    };
    while let (Some(_), _) | (_, Some(_)) = next() {}
}
