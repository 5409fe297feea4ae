//! Limits of a formula, and the budget of one evaluation.
//!
//! Everything that takes steps, memory or stack asks the [`Budget`] first, and the evaluation ends with an error when
//! the budget is used up. The counts depend on nothing but the formula and its context, so the same formula over the
//! same context ends in the same way on any machine.

use crate::error::{Result, limit_exceeded};

/// The longest text of a formula, in bytes.
pub const MAX_FORMULA_BYTES: usize = 16 * 1024;
/// How many levels deep the forms of a formula's text may nest.
pub(crate) const MAX_FORM_DEPTH: usize = 64;
/// How many levels deep a formula may nest once its macros are expanded.
pub(crate) const MAX_NODE_DEPTH: usize = 120;
/// How many nodes a formula may have once its macros and destructuring patterns are expanded.
pub(crate) const MAX_NODES: usize = 20_000;
/// How many levels deep calls and compound values may nest in an evaluation. A level takes at most 7 KiB of stack in
/// a build without optimisation: all levels fit into half of a thread's stack of 2 MiB.
pub(crate) const MAX_EVALUATION_DEPTH: usize = 160;
/// How many steps an evaluation may take. A step is worth about a tenth of a microsecond.
pub(crate) const MAX_STEPS: u64 = 200_000;
/// How many bytes an evaluation may allocate in all, whether freed or not.
pub(crate) const MAX_BYTES: u64 = 16 << 20;
/// The longest string, in bytes.
pub(crate) const MAX_STRING_BYTES: usize = 1 << 20;
/// The largest whole number, in bits.
pub(crate) const MAX_NUMBER_BITS: u64 = 16_384;
/// The most digits that a decimal may have after its point, and the most zeros before it.
pub(crate) const MAX_DECIMAL_SCALE: i64 = 4_000;
/// What one value in a collection is counted as, in bytes. The size of a `Value` on a 64-bit machine; a constant, so
/// that byte counts are the same on any machine.
pub(crate) const VALUE_BYTES: usize = 32;

/// The resources that an evaluation used, or may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceUsage {
    /// Steps, each worth about a tenth of a microsecond.
    pub steps: u64,
    /// Bytes allocated in all, whether freed or not.
    pub bytes: u64,
}

impl ResourceUsage {
    /// What an evaluation may use at most.
    pub(crate) const MAX: Self = Self { steps: MAX_STEPS, bytes: MAX_BYTES };
}

/// What is left for one evaluation.
#[derive(Debug)]
pub(crate) struct Budget {
    steps_left: u64,
    bytes_left: u64,
    depth: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps_left: MAX_STEPS, bytes_left: MAX_BYTES, depth: 0 }
    }
}

impl Budget {
    /// What was taken so far.
    pub(crate) fn used(&self) -> ResourceUsage {
        ResourceUsage { steps: MAX_STEPS - self.steps_left, bytes: MAX_BYTES - self.bytes_left }
    }

    pub(crate) fn take_steps(&mut self, steps: usize) -> Result<()> {
        match self.steps_left.checked_sub(steps as u64) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                self.steps_left = 0;
                Err(limit_exceeded(format!(
                    "this takes more than the {MAX_STEPS} steps that a formula may take"
                )))
            }
        }
    }

    /// Takes bytes of memory, and the steps to fill them.
    pub(crate) fn take_bytes(&mut self, bytes: usize) -> Result<()> {
        self.take_steps(bytes / 512)?;
        match self.bytes_left.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => Err(limit_exceeded("this needs more than the 16 MiB that a formula may use")),
        }
    }

    /// Takes the memory of so many values.
    pub(crate) fn take_values(&mut self, count: usize) -> Result<()> {
        self.take_bytes(count.saturating_mul(VALUE_BYTES))
    }

    /// Takes the memory of a string of so many bytes.
    pub(crate) fn take_string(&mut self, bytes: usize) -> Result<()> {
        self.take_string_growth(0, bytes)
    }

    /// Takes the memory by which a string grew, from its length in bytes before to that after.
    pub(crate) fn take_string_growth(&mut self, before: usize, after: usize) -> Result<()> {
        if after > MAX_STRING_BYTES {
            return Err(limit_exceeded("this makes a string of more than 1 MiB"));
        }
        self.take_bytes(after.saturating_sub(before))
    }

    /// Takes the memory of a number of so many bits, and about the steps that multiplying or dividing numbers of that
    /// size takes.
    pub(crate) fn take_number(&mut self, bits: u64) -> Result<()> {
        if bits > MAX_NUMBER_BITS {
            return Err(limit_exceeded(format!("this makes a number of more than {MAX_NUMBER_BITS} bits")));
        }
        let words = (bits / 64) as usize;
        self.take_steps(words * words / 64)?;
        self.take_bytes(words * 8)
    }

    /// Goes one level deeper. [`Budget::leave_level`] must follow, unless the evaluation ends with an error.
    pub(crate) fn enter_level(&mut self) -> Result<()> {
        if self.depth >= MAX_EVALUATION_DEPTH {
            return Err(limit_exceeded(format!("this nests more than {MAX_EVALUATION_DEPTH} calls deep")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave_level(&mut self) {
        self.depth -= 1;
    }
}
