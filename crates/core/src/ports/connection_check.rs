//! Port of the check of a webhook's connection: as far as a request gets before it is sent.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::model::id::TenantId;
use crate::model::subscription::Tls;

/// What is checked.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Whose limit of name lookups it counts in.
    pub tenant: TenantId,
    pub url: String,
    pub tls: Option<Arc<Tls>>,
    /// Over all steps.
    pub timeout: Duration,
}

/// The steps of a check, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStepName {
    /// The host's name is looked up.
    Resolve,
    /// The address guard judges its addresses.
    Guard,
    /// A connection is made.
    Connect,
    /// The connection is secured, with the client certificate.
    Tls,
    /// A token is fetched.
    Token,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStep {
    pub step: CheckStepName,
    pub ok: bool,
    /// One sentence, without secrets and without an address that the guard refuses.
    pub detail: String,
    pub took: Duration,
}

pub trait ConnectionCheck {
    /// Goes the way of a request up to a secured connection, and closes that: no step follows one that failed. Nothing is sent.
    fn check_connection(&self, check: CheckRequest) -> impl Future<Output = Vec<CheckStep>> + Send;
}
