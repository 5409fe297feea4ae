//! Recorder: the steps of an evaluation while it runs.
//!
//! A step takes its place when it begins, so that what is outside of other forms is there though these have many steps. It keeps the
//! value itself, which is printed when the evaluation has ended: printing takes none of its budget, and computes nothing of
//! a lazy sequence.

use super::{MAX_TRACE_STEPS, MAX_TRACE_STEPS_OF_FORM};
use crate::value::Value;

pub(crate) struct Recorder {
    steps: Vec<RecordedStep>,
    /// Places in `steps` of steps that were discarded.
    free: Vec<usize>,
    /// How many steps each form has.
    step_counts: Vec<usize>,
    ended_count: usize,
    is_cut: bool,
}

struct RecordedStep {
    form: usize,
    /// How many steps ended before it, and its value; none until it ends.
    end: Option<(usize, Value)>,
}

impl Recorder {
    pub(crate) fn new(form_count: usize) -> Self {
        let step_counts = vec![0; form_count];
        Self { steps: Vec::new(), free: Vec::new(), step_counts, ended_count: 0, is_cut: false }
    }

    /// Begins a step of a form. None where there is no room for more: the step is left out.
    pub(crate) fn begin(&mut self, form: usize) -> Option<usize> {
        let of_form = self.step_counts.get_mut(form)?;
        let all = self.steps.len() - self.free.len();
        if all >= MAX_TRACE_STEPS || *of_form >= MAX_TRACE_STEPS_OF_FORM {
            self.is_cut = true;
            return None;
        }
        *of_form += 1;
        let step = RecordedStep { form, end: None };
        if let Some(place) = self.free.pop() {
            self.steps[place] = step;
            return Some(place);
        }
        self.steps.push(step);
        Some(self.steps.len() - 1)
    }

    pub(crate) fn end(&mut self, place: usize, value: Value) {
        self.steps[place].end = Some((self.ended_count, value));
        self.ended_count += 1;
    }

    /// Takes back a step that comes to no value.
    pub(crate) fn discard(&mut self, place: usize) {
        self.step_counts[self.steps[place].form] -= 1;
        self.free.push(place);
    }

    /// The forms and values of the steps that ended, in the order in which they did; and whether some were left out.
    pub(crate) fn into_steps(self) -> (Vec<(usize, Value)>, bool) {
        let with_form = |step: RecordedStep| step.end.map(|(order, value)| (order, step.form, value));
        let mut ended: Vec<_> = self.steps.into_iter().filter_map(with_form).collect();
        ended.sort_by_key(|(order, ..)| *order);
        (ended.into_iter().map(|(_, form, value)| (form, value)).collect(), self.is_cut)
    }
}
