//! A sender that watches how long receivers take: it is how a slow mark begins and ends.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use super::receiver_record::Observation;
use super::route::Receiver;
use crate::engine::Aws;
use loanhook_core::model::failure::ErrorKind;
use loanhook_core::ports::{NotSent, SendOutcome, Sender, WebhookRequest};

/// A request that takes longer is slow. Most receivers answer within a tenth of it; and while a mark is not there yet, a
/// receiver that hangs gets more instances.
pub const SLOW_AFTER: Duration = Duration::from_secs(3);

/// A sender whose receivers get slow marks while their requests are under way, or when those have failed. Who uses it
/// calls [`Aws::finish_background`] before an invocation ends.
pub struct WatchedSender<O> {
    pub engine: Aws,
    pub sender: O,
    /// A request that takes longer is slow; [`SLOW_AFTER`] but in tests.
    pub slow_after: Duration,
}

impl<O: Sender + Sync> Sender for WatchedSender<O> {
    async fn send(&self, request: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let receiver = Receiver { tenant: request.tenant.clone(), subscription_id: request.subscription_id };
        let mut sending = pin!(self.sender.send(request));
        if let Ok(sent) = timeout(self.slow_after, sending.as_mut()).await {
            if let Some(observation) = sent.as_ref().ok().and_then(soon) {
                self.engine.observe_receiver(&receiver, observation);
            }
            return sent;
        }
        self.engine.observe_receiver(&receiver, Observation::Slow);
        let sent = sending.await;
        // One that never left says nothing of its receiver.
        if sent.is_ok() {
            self.engine.observe_receiver(&receiver, Observation::Slow);
        }
        sent
    }
}

/// What a request that ended soon says of its receiver; nothing where it never reached one.
fn soon(sent: &SendOutcome) -> Option<Observation> {
    match &sent.result {
        Ok(200..=299) => Some(Observation::Quick),
        Err(failure) if matches!(failure.kind, ErrorKind::Blocked | ErrorKind::Template) => None,
        Ok(_) | Err(_) => Some(Observation::Failed),
    }
}
