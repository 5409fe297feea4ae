//! JSON objects and nothing else, for drafts.
//!
//! Left alone, serde takes an array of values for a struct, field by field; nobody who sends one means that.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A `T` that was written as an object.
#[derive(Debug)]
pub(in crate::api) struct StrictObject<T>(pub(in crate::api) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StrictObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// For a field that is an object.
pub(in crate::api) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    StrictObject::deserialize(deserializer).map(|StrictObject(value)| value)
}

/// For a field that is an object or null.
pub(in crate::api) fn optional_object<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Option::<StrictObject<T>>::deserialize(deserializer)?.map(|StrictObject(value)| value))
}

/// For a field that is an object of texts, none of whose names may be there twice.
pub(in crate::api) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    DistinctNames::deserialize(deserializer).map(|DistinctNames(texts)| texts)
}

/// For a field that is null, or an object of texts, none of whose names may be there twice.
pub(in crate::api) fn optional_map<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    Ok(Option::<DistinctNames<_>>::deserialize(deserializer)?.map(|DistinctNames(texts)| texts))
}

/// For a field that is null, or an object of texts and nulls, none of whose names may be there twice.
pub(in crate::api) fn optional_texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Option<String>>>, D::Error> {
    Ok(Option::<DistinctNames<_>>::deserialize(deserializer)?.map(|DistinctNames(texts)| texts))
}

/// The members of an object, none of whose names is there twice.
struct DistinctNames<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for DistinctNames<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, T>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate name `{name}`")));
            }
            members.insert(name, value);
        }
        Ok(members)
    }
}
