//! Resends that a caller of the API or a viewer of a page asks for, within the limits of each.

use std::time::Instant;

use http::Extensions;

use super::call_limits::{CallLimits, RateLimited, Requester};
use loanhook_core::model::attempt::ResendTo;
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::time::Timestamp;
use loanhook_core::resend::{self, ResendError, ResendRequest, ResendStore, ResendTarget};

/// The right to ask for one resend now.
pub(crate) struct AllowedResend<'a> {
    tenant: &'a TenantId,
    requested_by: &'a str,
}

impl<'a> AllowedResend<'a> {
    /// The right of a requester, whose name the row of the resend shows. `extensions` are those of the request.
    ///
    /// # Errors
    ///
    /// The requester asked for too many.
    pub(crate) fn check(
        extensions: &Extensions,
        requester: &Requester,
        tenant: &'a TenantId,
        requested_by: &'a str,
    ) -> Result<Self, RateLimited> {
        CallLimits::of(extensions).take_resend(requester, tenant, requested_by, Instant::now())?;
        Ok(Self { tenant, requested_by })
    }

    /// Queues the resend and gives its attempt; with an idempotency key that was used before, the one of that time.
    pub(crate) async fn queue<S: ResendStore>(
        self,
        store: &S,
        trace_id: TraceId,
        (attempt, to): (ResendTarget, ResendTo),
        key: Option<String>,
    ) -> Result<AttemptId, ResendError> {
        let requested_by = self.requested_by.to_owned();
        let request = ResendRequest { trace_id, attempt, to, requested_by, key };
        resend::resend(store, self.tenant, request, Timestamp::now()).await
    }
}
