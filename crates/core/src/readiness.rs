//! Readiness of a store: how often it is tried. Anybody may ask, so an answer holds for a second.

use std::future::Future;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ports::NotReady;

/// How long an answer holds for others who ask.
pub const ANSWER_LIFETIME: Duration = Duration::from_secs(1);

/// The last answer to whether a store is ready.
#[derive(Debug, Default)]
pub struct LastReadiness {
    answered: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

impl LastReadiness {
    /// The answer of a moment ago, or that of another try. Whoever asks meanwhile waits, and has the same.
    ///
    /// # Errors
    ///
    /// Why the store is not ready.
    pub async fn or_try(&self, store: impl Future<Output = Result<(), NotReady>>) -> Result<(), NotReady> {
        let mut answered = self.answered.lock().await;
        if let Some((at, answer)) = *answered
            && at.elapsed() < ANSWER_LIFETIME
        {
            return answer;
        }
        let answer = store.await;
        *answered = Some((Instant::now(), answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_is_tried_once_a_second_however_many_ask() {
        let (last, tries) = (LastReadiness::default(), AtomicU32::new(0));
        let ask = || {
            last.or_try(async {
                sleep(Duration::from_millis(300)).await;
                match tries.fetch_add(1, Ordering::Relaxed) {
                    0 => Err(NotReady::TooSlow),
                    _ => Ok(()),
                }
            })
        };
        assert_eq!(tokio::join!(ask(), ask()), (Err(NotReady::TooSlow), Err(NotReady::TooSlow)));
        advance(ANSWER_LIFETIME - Duration::from_millis(1)).await;
        assert_eq!(ask().await, Err(NotReady::TooSlow), "the answer of a moment ago");
        advance(Duration::from_millis(1)).await;
        assert_eq!(ask().await, Ok(()));
        assert_eq!(tries.load(Ordering::Relaxed), 2);
    }
}
