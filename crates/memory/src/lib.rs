//! Engine in memory: all ports over one state behind one lock.
//!
//! Tests and the simulation use it; nothing is kept when the process ends. It says in the shortest form what an engine must
//! do. Each operation is a sequence of *steps*, in the order that the docs of its port name; a step reads and writes the
//! state under the lock, so its condition and its effect are one. Between two steps others may run, as between two calls
//! of the engine for AWS, and a caller may stop for ever.
//!
//! An [`Interceptor`] sees each step before it is made and each answer before it is given, and can delay or refuse it. One
//! that never waits between two steps makes each operation one transaction on a single thread, as in the engine for SQLite.

mod attempts;
mod deliveries;
mod delivery_list;
mod egress;
mod flow;
mod formula_errors;
mod grants;
mod intake;
mod jobs;
mod keys;
mod ledger;
mod order;
mod queue;
mod releases;
mod reports;
mod resends;
mod state;
mod step;
mod subscriptions;
mod triggers;
mod unreadable;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use loanhook_core::ports::{Health, NotReady};

pub use state::{State, Stored};
pub use step::{Interceptor, Operation, Step, StepKind};
pub use unreadable::Kept;

/// An engine in memory. Its clones share one state.
#[derive(Clone)]
pub struct Memory(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    interceptor: Option<Box<dyn Interceptor>>,
}

impl Memory {
    /// An engine with nothing in it.
    pub fn new() -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), interceptor: None }))
    }

    /// An engine with nothing in it, whose steps an interceptor sees.
    pub fn intercepted(interceptor: impl Interceptor) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), interceptor: Some(Box::new(interceptor)) }))
    }

    /// The state as it is now, for tests to look at and to change past the ports.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Health for Memory {
    async fn is_healthy(&self) -> bool {
        true
    }

    async fn readiness(&self) -> Result<(), NotReady> {
        Ok(())
    }
}
