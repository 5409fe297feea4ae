//! What one evaluation may use. All of it is counted, so the same formula over the same context always
//! ends in the same way, on any machine.

use super::Used;
use super::error::{R, limit};

/// The longest formula, in bytes.
pub const MAX_FORMULA: usize = 16 * 1024;
/// How deep forms may nest.
pub(super) const MAX_FORM_DEPTH: usize = 64;
/// How deep a formula may nest once its macros are written out.
pub(super) const MAX_NODE_DEPTH: usize = 120;
/// How much a formula may come to once its macros and patterns are written out.
pub(super) const MAX_NODES: usize = 20_000;
/// How deep calls and forms may nest while a formula runs, and values where something follows them down. A
/// level takes at most 7 KiB of stack, unoptimised: this fits into half of what a thread has.
pub(super) const MAX_DEPTH: usize = 160;
/// How many steps a formula may take: about a tenth of a microsecond each.
pub(super) const MAX_STEPS: u64 = 200_000;
/// How many bytes it may ask for, given back or not.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// The longest string, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// The largest whole number, in bits.
pub(super) const MAX_BITS: u64 = 16_384;
/// The most digits that a decimal may have after its point, or zeros before it.
pub(super) const MAX_SCALE: i64 = 4_000;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Budget {
    steps: u64,
    bytes: u64,
    depth: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: MAX_STEPS, bytes: MAX_BYTES, depth: 0 }
    }
}

impl Budget {
    pub(super) fn used(&self) -> Used {
        Used { steps: MAX_STEPS - self.steps, bytes: MAX_BYTES - self.bytes }
    }

    /// Takes so many steps.
    pub(super) fn steps(&mut self, count: usize) -> R<()> {
        match self.steps.checked_sub(count as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(limit(format!("this takes more than the {MAX_STEPS} steps that a formula may take")))
            }
        }
    }

    /// Takes so many bytes, and the steps that it takes to fill them.
    pub(super) fn bytes(&mut self, count: usize) -> R<()> {
        self.steps(count / 512)?;
        match self.bytes.checked_sub(count as u64) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(limit("this needs more than the 16 MiB that a formula may use")),
        }
    }

    /// Takes the room of so many values.
    pub(super) fn values(&mut self, count: usize) -> R<()> {
        self.bytes(count.saturating_mul(size_of::<super::value::Value>()))
    }

    /// Takes a string of so many bytes.
    pub(super) fn text(&mut self, bytes: usize) -> R<()> {
        self.growth(0, bytes)
    }

    /// Takes what a string grew by.
    pub(super) fn growth(&mut self, before: usize, after: usize) -> R<()> {
        if after > MAX_TEXT {
            return Err(limit("this makes a string of more than 1 MiB"));
        }
        self.bytes(after.saturating_sub(before))
    }

    /// One level deeper; [`Budget::leave`] must follow, whatever came of it.
    pub(super) fn enter(&mut self) -> R<()> {
        if self.depth >= MAX_DEPTH {
            return Err(limit(format!("this nests more than {MAX_DEPTH} calls deep")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}
