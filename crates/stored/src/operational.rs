//! Stored operational state of a subscription, and an operational event that waits in the outbox.

use std::borrow::Cow;

use loanhook_core::model::id::TraceId;
use loanhook_core::model::operational::{
    CertificateNotice, ExhaustedWindow, FailingRun, OperationalEvent, OperationalEventId, OperationalState,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{StoredHash, StoredTenant, StoredTime};
use crate::words::StoredOperationalKind;
use crate::{Document, Version};

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOperationalState<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<StoredFailingRun>,
    /// Absent is none.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    exhausted: Option<StoredExhaustedWindow<'a>>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<StoredCertificateNotice>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredFailingRun {
    count: u32,
    since: StoredTime,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredExhaustedWindow<'a> {
    opened_at: StoredTime,
    title: Cow<'a, str>,
    count: u32,
    traces: Vec<Uuid>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredCertificateNotice {
    certificate: StoredHash,
    days: u32,
}

impl Document for OperationalState {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredOperationalState<'a>;

    fn to_stored(&self) -> StoredOperationalState<'_> {
        let Self { failing, exhausted, certificate } = self;
        StoredOperationalState {
            v: Version::NEWEST,
            failing: failing
                .map(|FailingRun { count, since }| StoredFailingRun { count, since: StoredTime(since) }),
            exhausted: exhausted.as_ref().map(Into::into),
            certificate: certificate.map(|CertificateNotice { certificate, days }| StoredCertificateNotice {
                certificate: StoredHash(certificate),
                days,
            }),
        }
    }

    fn from_stored(stored: StoredOperationalState<'_>) -> Self {
        let StoredOperationalState { v: _, failing, exhausted, certificate } = stored;
        Self {
            failing: failing.map(|StoredFailingRun { count, since }| FailingRun { count, since: since.0 }),
            exhausted: exhausted.map(Into::into),
            certificate: certificate.map(|StoredCertificateNotice { certificate, days }| CertificateNotice {
                certificate: certificate.0,
                days,
            }),
        }
    }
}

impl<'a> From<&'a ExhaustedWindow> for StoredExhaustedWindow<'a> {
    fn from(ExhaustedWindow { opened_at, title, count, traces }: &'a ExhaustedWindow) -> Self {
        Self {
            opened_at: StoredTime(*opened_at),
            title: title.into(),
            count: *count,
            traces: traces.iter().map(|trace| trace.uuid()).collect(),
        }
    }
}

impl From<StoredExhaustedWindow<'_>> for ExhaustedWindow {
    fn from(stored: StoredExhaustedWindow<'_>) -> Self {
        let StoredExhaustedWindow { opened_at, title, count, traces } = stored;
        Self {
            opened_at: opened_at.0,
            title: title.into_owned(),
            count,
            traces: traces.into_iter().map(TraceId::from_uuid).collect(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredOperationalEvent<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    kind: StoredOperationalKind,
    occurred_at: StoredTime,
    /// JSON, as a text.
    context: Cow<'a, str>,
}

impl Document for OperationalEvent {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredOperationalEvent<'a>;

    fn to_stored(&self) -> StoredOperationalEvent<'_> {
        let Self { id, tenant, kind, occurred_at, context } = self;
        StoredOperationalEvent {
            v: Version::NEWEST,
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            kind: (*kind).into(),
            occurred_at: StoredTime(*occurred_at),
            context: context.into(),
        }
    }

    fn from_stored(stored: StoredOperationalEvent<'_>) -> Self {
        let StoredOperationalEvent { v: _, id, tenant, kind, occurred_at, context } = stored;
        Self {
            id: OperationalEventId::from_uuid(id),
            tenant: tenant.0,
            kind: kind.into(),
            occurred_at: occurred_at.0,
            context: context.into_owned(),
        }
    }
}
