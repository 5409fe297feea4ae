//! Background calls: writes that no response waits for, such as the hour in which a key was used.
//!
//! Nothing runs between two invocations of a function, so each invocation waits for them before it ends.

use std::sync::PoisonError;

use crate::engine::Aws;

impl Aws {
    /// Starts a call that no response waits for.
    pub(crate) fn spawn_background(&self, call: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background().lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended are removed, so that they do not add up where nothing waits for them.
        while background.try_join_next().is_some() {}
        background.spawn(call);
    }

    /// Waits for the background calls.
    pub async fn finish_background(&self) {
        let mut background = {
            let mut background = self.background().lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *background)
        };
        while background.join_next().await.is_some() {}
    }
}
