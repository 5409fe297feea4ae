//! Order of deliveries: their numbers, and which first attempts wait for earlier deliveries of their loan and subscription.
//!
//! A loan and subscription has a partition of its own: the counter of its numbers, and its *open* deliveries, which have a number
//! and have not ended. Only deliveries with a number cost a call here.
//!
//! 1. **Intake** puts a delivery, its place among the open ones and the counter's next number in one transaction ([`intake`]).
//! 2. **A claim** of a first attempt looks at the open deliveries before it ([`claim`]). One that may not begin has no message and
//!    stands in no bucket of the index of what is due.
//! 3. **The end** of a delivery, or the failure of its first attempt, wakes the first that waits behind it ([`end`]).
//! 4. **A look** at a loan of which something waits, every five minutes, heals what a crash or a lost message left ([`look`]).
//!
//! An end takes the delivery away from the open ones and then reads those that are left; intake puts it there and then reads those
//! before it. Both reads are strongly consistent, so of the two at least one sees the other, and no wait is missed.

mod claim;
mod end;
mod intake;
mod look;
mod open_deliveries;
mod readers;
mod turn;

pub(crate) use self::claim::has_number;
pub(crate) use self::intake::Numbering;
pub(crate) use self::open_deliveries::has_ended;

/// The number of a delivery's first attempt.
pub(crate) const FIRST_ATTEMPT: u32 = 1;
