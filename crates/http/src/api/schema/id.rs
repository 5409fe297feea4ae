//! IDs and times, as text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use loanhook_core::model::{id, time};

macro_rules! uuids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub(in crate::api) struct $name(Uuid);

        impl From<id::$name> for $name {
            fn from(id: id::$name) -> Self {
                Self(id.uuid())
            }
        }

        impl From<$name> for id::$name {
            fn from(shown: $name) -> Self {
                Self::from_uuid(shown.0)
            }
        }
    )*};
}

uuids! {
    /// One accepted event: a UUID that begins with its time (UUIDv8, or UUIDv7 of older events).
    EventId;
    /// One delivery: an event matched to a subscription. It never changes, however often it is sent.
    TraceId;
    /// One attempt: a row of the history (UUIDv7).
    AttemptId;
    SubscriptionId;
    /// An API key's name in the API; not the key itself.
    KeyId;
    /// One recovery job (UUIDv7).
    JobId;
}

macro_rules! texts {
    ($($(#[$attribute:meta])* $name:ident from $model:ty;)*) => {$(
        #[derive(Debug, Clone, utoipa::ToSchema)]
        $(#[$attribute])*
        pub(in crate::api) struct $name($model);

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                Self(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }
    )*};
}

texts! {
    /// Whose things these are: `[a-z0-9-]{1,64}`.
    #[schema(value_type = String, pattern = "tenantId")]
    TenantId from id::TenantId;
    /// A loan, as the servicing platform names it: 1 to 256 characters that can stand in a path.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    LoanId from id::LoanId;
    /// Milliseconds since 1970-01-01T00:00:00Z. As text: RFC 3339 in UTC with three decimals.
    #[schema(value_type = String, format = DateTime)]
    Timestamp from time::Timestamp;
}

impl LoanId {
    /// As readers are shown it: null of an operational event, which belongs to no loan.
    pub(in crate::api) fn shown(loan: id::LoanId) -> Option<Self> {
        (!loan.is_operational()).then_some(Self(loan))
    }
}

impl From<TenantId> for id::TenantId {
    fn from(shown: TenantId) -> Self {
        shown.0
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.try_into().map(Self).map_err(D::Error::custom)
    }
}
