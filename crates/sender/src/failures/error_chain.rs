//! The chain of causes of an error.

use std::{error::Error, io, iter};

/// The innermost error of type `E` in the chain. `io::Error` does not return the error that it wraps as its `source`, so
/// it is unwrapped here.
pub(crate) fn innermost_error<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let causes = iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    });
    causes.filter_map(|error| error.downcast_ref()).last()
}
