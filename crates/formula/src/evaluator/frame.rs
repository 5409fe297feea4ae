//! Frame: the local values of one call.

use crate::value::Value;

pub(super) struct Frame<'f> {
    slots: Vec<Value>,
    captured: &'f [Value],
    current_function: Option<&'f Value>,
    /// The arguments of a `recur`, until the loop or function around it takes them.
    recur_arguments: Option<Vec<Value>>,
}

impl<'f> Frame<'f> {
    /// The frame of a formula.
    // Inlined, as it was while there was one evaluation that called it.
    #[inline(always)]
    pub(super) fn of_formula(slot_count: usize) -> Self {
        let slots = vec![Value::Nil; slot_count];
        Self { slots, captured: &[], current_function: None, recur_arguments: None }
    }

    /// The frame of a call of a function that the formula defines.
    pub(super) fn of_call(slots: Vec<Value>, captured: &'f [Value], function: &'f Value) -> Self {
        Self { slots, captured, current_function: Some(function), recur_arguments: None }
    }

    pub(super) fn local(&self, slot: usize) -> Value {
        self.slots.get(slot).cloned().unwrap_or(Value::Nil)
    }

    pub(super) fn set_local(&mut self, slot: usize, value: Value) {
        if let Some(held) = self.slots.get_mut(slot) {
            *held = value;
        }
    }

    pub(super) fn captured(&self, index: usize) -> Value {
        self.captured.get(index).cloned().unwrap_or(Value::Nil)
    }

    pub(super) fn current_function(&self) -> Value {
        self.current_function.cloned().unwrap_or(Value::Nil)
    }

    pub(super) fn set_recur_arguments(&mut self, arguments: Vec<Value>) {
        self.recur_arguments = Some(arguments);
    }

    /// Whether a `recur` ended the body: its value is then no value.
    pub(super) fn is_recurring(&self) -> bool {
        self.recur_arguments.is_some()
    }

    /// The arguments of the `recur` that ended the body, if one did.
    pub(super) fn take_recur_arguments(&mut self) -> Option<Vec<Value>> {
        self.recur_arguments.take()
    }
}
