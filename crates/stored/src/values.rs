//! Values within documents: names, moments, hashes.

use std::borrow::Cow;

use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: RFC 3339 in UTC with three decimals.
#[derive(Debug, Clone, Copy)]
pub struct StoredTime(pub Timestamp);

impl Serialize for StoredTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StoredTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A tenant, by its name.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct StoredTenant(pub TenantId);

impl TryFrom<String> for StoredTenant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        TenantId::try_from(text).map(Self)
    }
}

impl Serialize for StoredTenant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// A loan, as the servicing platform names it, or what stands for that of operational events.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StoredLoan(pub(crate) LoanId);

impl TryFrom<String> for StoredLoan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        LoanId::stored(text).map(Self)
    }
}

impl Serialize for StoredLoan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// The hash of a payload: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredHash(pub(crate) PayloadKey);

impl Serialize for StoredHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.0.hex_digits()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for StoredHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text.len() != 64 || !text.is_ascii() {
            return Err(D::Error::custom("a hash has 64 hexadecimal digits"));
        }
        let mut hash = [0; 32];
        for (byte, start) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[start..start + 2], 16).map_err(D::Error::custom)?;
        }
        Ok(Self(PayloadKey::from_bytes(hash)))
    }
}
