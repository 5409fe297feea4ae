//! The cells of a lazy sequence: kept as somebody looks at them, and made by its source as far as that.

use std::cell::RefCell;

use super::cx::Cx;
use super::error::R;
use super::grave;
use super::input::Batch;
use super::source::Source;
use super::value::Value;

#[derive(Debug)]
pub(super) struct Lazy {
    pub(super) items: RefCell<Vec<Value>>,
    /// Where the chunks end, in their order; nothing for items that came one by one.
    pub(super) chunks: RefCell<Vec<(usize, usize)>>,
    /// What makes the next items; none at the end.
    pub(super) source: RefCell<Option<Box<Source>>>,
}

impl Drop for Lazy {
    fn drop(&mut self) {
        grave::bury(self.items.get_mut());
        if let Some(source) = self.source.take() {
            grave::bury_source(*source);
        }
    }
}

impl Lazy {
    /// Whether there is an item at this place, once it was looked for.
    pub(super) fn has(&self, cx: &mut Cx<'_>, place: usize) -> R<bool> {
        while self.items.borrow().len() <= place {
            let Some(mut source) = self.source.take() else { return Ok(false) };
            let mut batch = Batch::default();
            // One sequence over another takes more of the stack than a call does.
            cx.budget.enter()?;
            cx.budget.enter()?;
            cx.budget.steps(1)?;
            let more = source.pull(cx, &mut batch)?;
            cx.budget.leave();
            cx.budget.leave();
            cx.budget.values(batch.items.len())?;
            let mut items = self.items.borrow_mut();
            if batch.chunked {
                self.chunks.borrow_mut().push((items.len(), items.len() + batch.items.len()));
            }
            items.append(&mut batch.items);
            drop(items);
            if more {
                *self.source.borrow_mut() = Some(source);
            } else {
                grave::bury_source(*source);
            }
        }
        Ok(true)
    }
}
