//! Stored subscription: one version of a webhook's settings, with its secrets, which are sealed from version 2 of the document on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{
    Auth, CompiledCache, Criteria, Request, Settings, Subscription, Tls,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::authentication::{StoredAuth, StoredTls};
use crate::flow::StoredFlow;
use crate::retry::StoredRetry;
use crate::sealed::{FIRST_SEALED, Sealed};
use crate::secrets::{self, StoredSecrets};
use crate::values::{StoredTenant, StoredTime};
use crate::words::{StoredFire, StoredMethod, StoredOperationalKind};
use crate::{Document, Version};

const VERSION: u32 = FIRST_SEALED;

#[derive(Serialize, Deserialize)]
pub struct StoredSubscription<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    /// The subscription's, not the document's.
    version: u64,
    created_at: StoredTime,
    updated_at: StoredTime,
    settings: StoredSettings<'a>,
    secrets: StoredSecrets<'a>,
    /// Absent of a version that was stored before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_by: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct StoredSettings<'a> {
    title: Cow<'a, str>,
    description: Cow<'a, str>,
    enabled: bool,
    criteria: StoredCriteria<'a>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restriction: Option<Cow<'a, str>>,
    request: StoredRequest<'a>,
    retry: StoredRetry<'a>,
    timeout_seconds: u32,
    /// Absent is the default.
    #[serde(default, skip_serializing_if = "StoredFlow::is_default")]
    flow: StoredFlow,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredCriteria<'a> {
    Events(Cow<'a, [String]>),
    Trigger {
        trigger: Cow<'a, str>,
        fire: StoredFire,
        since: u64,
    },
    /// A loanhook that does not know it cannot read the subscription, and sends nothing for it.
    Operational(Vec<StoredOperationalKind>),
}

#[derive(Serialize, Deserialize)]
struct StoredRequest<'a> {
    method: StoredMethod,
    url: Cow<'a, str>,
    headers: Cow<'a, BTreeMap<String, String>>,
    content_type: Cow<'a, str>,
    /// Absent is no template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, str>>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<StoredAuth<'a>>,
    /// Absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<StoredTls<'a>>,
}

impl Document for Sealed<Subscription> {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredSubscription<'a>;

    fn to_stored(&self) -> StoredSubscription<'_> {
        let Self { value, is_sealed } = self;
        let Subscription { id, tenant, version, created_at, updated_at, updated_by, settings, secrets } =
            value;
        StoredSubscription {
            v: Version::of_sealed(*is_sealed),
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            version: *version,
            created_at: StoredTime(*created_at),
            updated_at: StoredTime(*updated_at),
            settings: settings.into(),
            secrets: secrets::within(secrets),
            updated_by: updated_by.as_deref().map(Cow::Borrowed),
        }
    }

    fn from_stored(stored: StoredSubscription<'_>) -> Self {
        let StoredSubscription {
            v,
            id,
            tenant,
            version,
            created_at,
            updated_at,
            settings,
            secrets,
            updated_by,
        } = stored;
        let value = Subscription {
            id: SubscriptionId::from_uuid(id),
            tenant: tenant.0,
            version,
            created_at: created_at.0,
            updated_at: updated_at.0,
            updated_by: updated_by.map(Cow::into_owned),
            settings: settings.into(),
            secrets: secrets.into(),
        };
        Self { value, is_sealed: v.number() >= FIRST_SEALED }
    }
}

impl<'a> From<&'a Settings> for StoredSettings<'a> {
    fn from(settings: &'a Settings) -> Self {
        let Settings {
            title,
            description,
            enabled,
            criteria,
            restriction,
            request,
            retry,
            timeout_seconds,
            flow,
            compiled: _,
        } = settings;
        Self {
            title: title.into(),
            description: description.into(),
            enabled: *enabled,
            criteria: criteria.into(),
            restriction: restriction.as_deref().map(Cow::Borrowed),
            request: request.into(),
            retry: retry.into(),
            timeout_seconds: *timeout_seconds,
            flow: flow.into(),
        }
    }
}

impl From<StoredSettings<'_>> for Settings {
    fn from(stored: StoredSettings<'_>) -> Self {
        let StoredSettings {
            title,
            description,
            enabled,
            criteria,
            restriction,
            request,
            retry,
            timeout_seconds,
            flow,
        } = stored;
        Self {
            title: title.into_owned(),
            description: description.into_owned(),
            enabled,
            criteria: criteria.into(),
            restriction: restriction.map(Cow::into_owned),
            request: request.into(),
            retry: retry.into(),
            timeout_seconds,
            flow: flow.into(),
            compiled: CompiledCache::default(),
        }
    }
}

impl<'a> From<&'a Criteria> for StoredCriteria<'a> {
    fn from(criteria: &'a Criteria) -> Self {
        match criteria {
            Criteria::Events(names) => Self::Events(Cow::Borrowed(names)),
            Criteria::Trigger { trigger, fire, since } => {
                Self::Trigger { trigger: trigger.into(), fire: (*fire).into(), since: *since }
            }
            Criteria::Operational(kinds) => {
                Self::Operational(kinds.iter().map(|kind| (*kind).into()).collect())
            }
        }
    }
}

impl From<StoredCriteria<'_>> for Criteria {
    fn from(stored: StoredCriteria<'_>) -> Self {
        match stored {
            StoredCriteria::Events(names) => Self::Events(names.into_owned()),
            StoredCriteria::Trigger { trigger, fire, since } => {
                Self::Trigger { trigger: trigger.into_owned(), fire: fire.into(), since }
            }
            StoredCriteria::Operational(kinds) => {
                Self::Operational(kinds.into_iter().map(Into::into).collect())
            }
        }
    }
}

impl<'a> From<&'a Request> for StoredRequest<'a> {
    fn from(request: &'a Request) -> Self {
        let Request { method, url, headers, content_type, payload, auth, tls } = request;
        Self {
            method: (*method).into(),
            url: url.into(),
            headers: Cow::Borrowed(headers),
            content_type: content_type.into(),
            payload: payload.as_deref().map(Cow::Borrowed),
            auth: auth.as_ref().map(StoredAuth::from),
            tls: tls.as_ref().map(StoredTls::from),
        }
    }
}

impl From<StoredRequest<'_>> for Request {
    fn from(stored: StoredRequest<'_>) -> Self {
        let StoredRequest { method, url, headers, content_type, payload, auth, tls } = stored;
        Self {
            method: method.into(),
            url: url.into_owned(),
            headers: headers.into_owned(),
            content_type: content_type.into_owned(),
            payload: payload.map(Cow::into_owned),
            auth: auth.map(Auth::from),
            tls: tls.map(Tls::from),
        }
    }
}
