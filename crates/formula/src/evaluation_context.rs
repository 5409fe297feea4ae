//! What an evaluation has at hand.

use super::budget::Budget;
use super::context::Context;

pub(super) struct Cx<'a> {
    pub(super) budget: Budget,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Cx<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        Self { budget: Budget::default(), context }
    }
}
