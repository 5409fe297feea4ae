//! Clock and randomness of a simulation, for the thread that it runs on.
//!
//! One seed gives one run only where time and the IDs of events, subscriptions and attempts come from that seed. A
//! simulation sets a [`Source`] for its thread; everywhere else none is set, and both are the operating system's.
//! Fencing tokens and secrets stay random: they are only ever compared.

use std::cell::RefCell;
use std::rc::Rc;

use crate::model::time::Timestamp;

/// Where a simulation takes time and randomness from.
pub trait Source {
    fn now(&self) -> Timestamp;

    /// Random bytes for an ID.
    fn random(&self) -> [u8; 10];
}

thread_local! {
    static SOURCE: RefCell<Option<Rc<dyn Source>>> = const { RefCell::new(None) };
}

/// Sets the source of this thread while `run` runs.
pub fn with_source<T>(source: Rc<dyn Source>, run: impl FnOnce() -> T) -> T {
    let _unset = Unset(SOURCE.replace(Some(source)));
    run()
}

/// Sets what was before, also where the simulation panics.
struct Unset(Option<Rc<dyn Source>>);

impl Drop for Unset {
    fn drop(&mut self) {
        SOURCE.set(self.0.take());
    }
}

pub(crate) fn now() -> Option<Timestamp> {
    read(|source| source.now())
}

pub(crate) fn random() -> Option<[u8; 10]> {
    read(|source| source.random())
}

/// None without a simulation, and on a thread that is ending.
fn read<T>(read: impl FnOnce(&dyn Source) -> T) -> Option<T> {
    SOURCE.try_with(|source| source.borrow().as_deref().map(read)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::EventId;

    struct Fixed;

    impl Source for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(5)
        }

        fn random(&self) -> [u8; 10] {
            [7; 10]
        }
    }

    #[test]
    fn time_and_ids_are_the_simulations_while_it_runs_and_no_longer() {
        let made = with_source(Rc::new(Fixed), || (Timestamp::now(), EventId::at(Timestamp::now())));
        assert_eq!(made.0, Timestamp::from_millis(5));
        let again = with_source(Rc::new(Fixed), || EventId::at(Timestamp::now()));
        assert_eq!(made.1, again);
        assert!(Timestamp::now() > made.0);
        assert_ne!(EventId::at(made.0), made.1);
    }
}
