//! Version of a document: which form it has.

use serde::{Deserialize, Deserializer, Serialize};

const FIRST: u32 = 1;

/// The field `v` of a document whose newest form is `NEWEST`: absent from documents of version 1, so that those are
/// written as they were before there were versions, and the first field of all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Version<const NEWEST: u32>(u32);

impl<const NEWEST: u32> Version<NEWEST> {
    /// What is written.
    pub const NEWEST: Self = Self(NEWEST);

    /// The newest of a document that is sealed; the first of one that is not, and stays as it was read.
    pub(crate) const fn of_sealed(is_sealed: bool) -> Self {
        if is_sealed { Self::NEWEST } else { Self(FIRST) }
    }

    /// Whether the field is left out.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.0 == FIRST
    }

    /// The version of a document that was read.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A document that does not say its version.
impl<const NEWEST: u32> Default for Version<NEWEST> {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl<'de, const NEWEST: u32> Deserialize<'de> for Version<NEWEST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            known @ FIRST.. if known <= NEWEST => Ok(Self(known)),
            _ => Err(serde::de::Error::custom("an unknown version")),
        }
    }
}

/// The version that a document says it has, wherever in it; none where it says none or is no JSON object.
pub(crate) fn of(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u64,
    }
    serde_json::from_str(json).ok().map(|Versioned { v }| v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, ReadError, read, write};

    /// A document in its second version: `seconds` was `minutes` in the first.
    #[derive(Debug, PartialEq, Eq)]
    struct Wait {
        seconds: u64,
    }

    #[derive(Serialize, Deserialize)]
    struct StoredWait {
        #[serde(default, skip_serializing_if = "Version::is_first")]
        v: Version<2>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minutes: Option<u64>,
        #[serde(default)]
        seconds: u64,
    }

    impl Document for Wait {
        const VERSION: u32 = 2;
        type Stored<'a> = StoredWait;

        fn to_stored(&self) -> StoredWait {
            StoredWait { v: Version::NEWEST, minutes: None, seconds: self.seconds }
        }

        fn from_stored(stored: StoredWait) -> Self {
            let StoredWait { v, minutes, seconds } = stored;
            Self { seconds: if v.number() == 1 { minutes.unwrap_or(0) * 60 } else { seconds } }
        }
    }

    #[test]
    fn a_version_is_written_from_the_second_on() {
        assert_eq!(write(&Wait { seconds: 90 }).expect("JSON"), r#"{"v":2,"seconds":90}"#);
        assert!(Version::<1>::NEWEST.is_first());
    }

    #[test]
    fn a_document_without_a_version_is_of_the_first() {
        for (json, seconds) in [
            (r#"{"minutes":2}"#, 120),
            (r#"{"v":1,"minutes":2}"#, 120),
            (r#"{"v":2,"seconds":90}"#, 90),
            (r#"{"seconds":90,"v":2}"#, 90),
        ] {
            assert_eq!(read::<Wait>(json).expect(json), Wait { seconds });
        }
    }

    #[test]
    fn a_document_of_a_newer_version_is_refused_wherever_it_says_so() {
        for json in [r#"{"v":3,"seconds":90}"#, r#"{"seconds":"ninety","v":3}"#, r#"{"hours":1,"v":3}"#] {
            let error = read::<Wait>(json).expect_err(json);
            assert!(matches!(error, ReadError::Newer { found: 3, known: 2 }), "{json}: {error}");
            let sentence =
                "a newer loanhook wrote it: its version is 3, and this one reads versions up to 2".to_owned();
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn what_is_no_document_says_where_and_not_what() {
        for (json, sentence) in [
            (r#"{"seconds":"secret"}"#, "its JSON has another shape, at line 1 column 19"),
            (r#"{"v":0,"seconds":1}"#, "its JSON has another shape, at line 1 column 6"),
            (r#"{"v":"3"}"#, "its JSON has another shape, at line 1 column 8"),
            (r#"{"seconds":1"#, "its JSON ends early, at line 1 column 12"),
            ("secret", "it is not JSON, at line 1 column 1"),
        ] {
            assert_eq!(read::<Wait>(json).expect_err(json).to_string(), sentence);
        }
    }
}
