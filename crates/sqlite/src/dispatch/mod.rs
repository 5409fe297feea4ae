//! Dispatch: the way of an event from its intake to the end of its attempts.
//!
//! Each step is one operation of the writer; what follows a commit (a handler that starts, a message that is
//! scheduled) runs after it, and before its caller is answered.
//!
//! 1. **Intake** stores the deliveries of an event, in one operation: `NewDeliveries::put` in [`admission`], called by the
//!    port `Intake`.
//! 2. **Admission**: `AdmissionControl::admit` gives a delivery whose first attempt is due a process permit and a wire
//!    permit, while a worker runs, permits are free and nothing that is due waits for them. Then steps 3 to 5 are left
//!    out: the claim (6) is in the same operation.
//! 3. Otherwise its message is put into the **queue** (`put_message`), and the scheduler hears of it after the commit
//!    (`NewDeliveries::after_commit`).
//! 4. The **worker** (`Worker::run`) sleeps until the scheduler has a queue whose requests may begin (`next_queue`), and takes the
//!    permits for its requests.
//! 5. **Due messages** of that queue are found, at most one for each permit (`find_due` in [`due`]). A message that cannot
//!    be acted on is quarantined (`quarantine_message`).
//! 6. **Claim**: `write_claim` in [`claim`] stores the row of the attempt, as `sending`, and the delivery with the
//!    fencing token, and deletes the message. A message that was not claimed with its queue (a resend, or a delivery that is
//!    not waiting) goes to its handler, which claims through the ports (`claim_handled_message`, `claim_resend`).
//! 7. **Send**: after that commit `Dispatcher::start_claimed` in [`send`] runs the handler, which sends the request. The
//!    wire permit is returned once the response has come, the process permit when the handler has ended.
//! 8. **Completion**: `PreparedCompletion::complete` in [`completion`] writes the row, the delivery moved on and the message
//!    of the next attempt, which goes on with step 4. It is tried again until it is committed.
//!
//! Where no request could leave, `release_claim` in [`release`] takes the place of step 8: the claim is given back. Where
//! the sender died, [`recovery`] takes it: the attempt is completed as interrupted, at the next start (`interrupt_all`), or at
//! once if its handler panicked (`interrupt_handled`).

pub(crate) mod admission;
pub(crate) mod claim;
pub(crate) mod completion;
mod due;
pub(crate) mod recovery;
pub(crate) mod release;
mod send;
mod task;
mod worker;

pub use task::{DispatchLimits, Task, WirePermit};
pub use worker::Worker;
