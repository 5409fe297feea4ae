//! Operational events: states of subscriptions and the outbox, in the table of reports, so that they are not in the stream that they
//! are made from.
//!
//! 1. The run that counts what is in the stream (`reports`) asks each record what it tells ([`Happening`], in `happening`), and
//!    gathers that for its next transaction (`gathered`), where somebody observes the tenant. Records of several shards are taken in the order of their time.
//! 2. Before it writes the transaction, `recording` makes of what was gathered the states after it and events in the outbox
//!    (`states`, `outbox`). They are written with the checkpoints, so what a record tells is told once. A tenant that nobody observes
//!    costs a read of its version, and only where something failed, a hold began or a job ended (`observers`).
//! 3. After that, `time` ends windows of exhausted deliveries, and looks at tenants whose subscriptions changed or have a certificate
//!    of which notice is due (`looks`).
//! 4. The function takes the outbox in, by the use case [`loanhook_core::operational`].
//!
//! No call that sends a webhook reads or writes anything of this.

mod gathered;
mod happening;
mod looks;
mod observers;
mod outbox;
mod recording;
mod schedule_ends;
mod states;
mod time;

pub(crate) use self::gathered::Gathered;
pub(crate) use self::happening::Happening;
pub(crate) use self::states::States;
