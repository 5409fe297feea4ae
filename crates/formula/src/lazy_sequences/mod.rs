//! Lazy sequences of Clojure's functions: `map`, `filter`, `take`, `partition`, `range` and their kin.
//!
//! Each is an [`ItemSource`](crate::value::sequence::source::ItemSource) that the functions in
//! [`functions`](crate::functions) make. Which items a source computes at once, and how far ahead it looks at its
//! input, is as in Clojure, as a formula that fails on an item shows the difference.

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
