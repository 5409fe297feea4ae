//! Lazy sequences of Clojure's functions: `map`, `filter`, `take`, `partition`, `range` and the like.
//!
//! Each is an [`ItemSource`](crate::value::sequence::source::ItemSource), made by one of the
//! [`functions`](crate::functions). It computes as many items at once, and looks as far ahead at its input, as in
//! Clojure: a formula whose function fails on an item shows the difference. The items are kept by the sequence.

mod cursor;
mod filters;
mod generators;
mod groups;
mod mapping;
mod slices;

pub(crate) use cursor::{ItemCursor, MAX_PEEKED_MAP_INPUTS, next_of_each};
pub(crate) use filters::{Dedupe, Distinct, Interpose, Reductions};
pub(crate) use generators::{Cycle, Iterate, Range, Repeat};
pub(crate) use groups::{Interleave, Partition, PartitionBy};
pub(crate) use mapping::{Concat, ForEach, ItemRule, MapItems, MapTogether};
pub(crate) use slices::{Drop, DropWhile, Take, TakeNth, TakeWhile};
