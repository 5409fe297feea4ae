//! Stored attempt: one row of a loan's history.

use std::borrow::Cow;
use std::ops::Not;

use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState};
use loanhook_core::model::credentials::CredentialsVersion;
use loanhook_core::model::id::{AttemptId, SubscriptionId, TraceId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::completion::StoredCompletion;
use crate::payload::StoredPayload;
use crate::values::{StoredLoan, StoredTenant, StoredTime};
use crate::words::StoredMethod;
use crate::{Document, Version};

/// A row of version 1 is an automatic attempt, or a resend of what its delivery sent. One of version 2 is a resend to another
/// address, which a program that knows version 1 alone would send to the delivery's own. Each is written in the first version
/// that has it.
const VERSION: u32 = 2;
/// In the place of a version of a subscription, which begin with 1.
const NO_VERSION: u64 = 0;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredAttempt<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    id: Uuid,
    tenant: StoredTenant,
    loan_id: StoredLoan,
    trace_id: Uuid,
    subscription_id: Uuid,
    event_title: Cow<'a, str>,
    event_name: Cow<'a, str>,
    occurred_at: Option<Cow<'a, str>>,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    test: bool,
    method: StoredMethod,
    destination: Cow<'a, str>,
    content_type: Option<Cow<'a, str>>,
    source: StoredPayload,
    number: StoredNumber,
    requested_by: Option<Cow<'a, str>>,
    resend_of: Option<Uuid>,
    sent_at: StoredTime,
    state: StoredState<'a>,
    next_attempt_at: Option<StoredTime>,
    /// Absent where the delivery's own request is sent. From version 2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address_version: Option<u64>,
    /// The version of the subscription that gave the credentials, 0 where none did. Absent is the address version, else the
    /// version that its delivery matched: so it is where nothing was edited, and in rows of versions that froze credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials_version: Option<u64>,
}

/// A number, or the word `manual`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredNumber {
    Manual,
    #[serde(untagged)]
    Auto(u32),
}

#[derive(Debug, Serialize, Deserialize)]
enum StoredState<'a> {
    Queued,
    Sending { token: Uuid },
    Complete(StoredCompletion<'a>),
}

impl Document for Attempt {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredAttempt<'a>;

    fn to_stored(&self) -> StoredAttempt<'_> {
        let Self {
            id,
            tenant,
            loan_id,
            trace_id,
            subscription_id,
            event_title,
            event_name,
            occurred_at,
            test,
            method,
            destination,
            content_type,
            source,
            number,
            requested_by,
            resend_of,
            address_version,
            credentials,
            sent_at,
            state,
            next_attempt_at,
        } = self;
        StoredAttempt {
            v: if address_version.is_some() { Version::NEWEST } else { Version::default() },
            id: id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            loan_id: StoredLoan(loan_id.clone()),
            trace_id: trace_id.uuid(),
            subscription_id: subscription_id.uuid(),
            event_title: event_title.into(),
            event_name: event_name.into(),
            occurred_at: occurred_at.as_deref().map(Cow::Borrowed),
            test: *test,
            method: (*method).into(),
            destination: destination.into(),
            content_type: content_type.as_deref().map(Cow::Borrowed),
            source: (*source).into(),
            number: (*number).into(),
            requested_by: requested_by.as_deref().map(Cow::Borrowed),
            resend_of: resend_of.map(AttemptId::uuid),
            sent_at: StoredTime(*sent_at),
            state: state.into(),
            next_attempt_at: next_attempt_at.map(StoredTime),
            address_version: *address_version,
            credentials_version: match credentials {
                CredentialsVersion::Own => None,
                CredentialsVersion::Other(version) => Some(*version),
                CredentialsVersion::NoVersion => Some(NO_VERSION),
            },
        }
    }

    fn from_stored(stored: StoredAttempt<'_>) -> Self {
        let StoredAttempt {
            v: _,
            id,
            tenant,
            loan_id,
            trace_id,
            subscription_id,
            event_title,
            event_name,
            occurred_at,
            test,
            method,
            destination,
            content_type,
            source,
            number,
            requested_by,
            resend_of,
            sent_at,
            state,
            next_attempt_at,
            address_version,
            credentials_version,
        } = stored;
        Self {
            id: AttemptId::from_uuid(id),
            tenant: tenant.0,
            loan_id: loan_id.0,
            trace_id: TraceId::from_uuid(trace_id),
            subscription_id: SubscriptionId::from_uuid(subscription_id),
            event_title: event_title.into_owned(),
            event_name: event_name.into_owned(),
            occurred_at: occurred_at.map(Cow::into_owned),
            test,
            method: method.into(),
            destination: destination.into_owned(),
            content_type: content_type.map(Cow::into_owned),
            source: source.into(),
            number: number.into(),
            requested_by: requested_by.map(Cow::into_owned),
            resend_of: resend_of.map(AttemptId::from_uuid),
            address_version,
            credentials: match credentials_version {
                None => CredentialsVersion::Own,
                Some(NO_VERSION) => CredentialsVersion::NoVersion,
                Some(version) => CredentialsVersion::Other(version),
            },
            sent_at: sent_at.0,
            state: state.into(),
            next_attempt_at: next_attempt_at.map(|StoredTime(at)| at),
        }
    }
}

impl From<AttemptNumber> for StoredNumber {
    fn from(number: AttemptNumber) -> Self {
        match number {
            AttemptNumber::Manual => Self::Manual,
            AttemptNumber::Auto(number) => Self::Auto(number),
        }
    }
}

impl From<StoredNumber> for AttemptNumber {
    fn from(stored: StoredNumber) -> Self {
        match stored {
            StoredNumber::Manual => Self::Manual,
            StoredNumber::Auto(number) => Self::Auto(number),
        }
    }
}

impl<'a> From<&'a AttemptState> for StoredState<'a> {
    fn from(state: &'a AttemptState) -> Self {
        match state {
            AttemptState::Queued => Self::Queued,
            AttemptState::Sending { token } => Self::Sending { token: *token },
            AttemptState::Complete(completion) => Self::Complete(completion.into()),
        }
    }
}

impl From<StoredState<'_>> for AttemptState {
    fn from(stored: StoredState<'_>) -> Self {
        match stored {
            StoredState::Queued => Self::Queued,
            StoredState::Sending { token } => Self::Sending { token },
            StoredState::Complete(completion) => Self::Complete(completion.into()),
        }
    }
}
