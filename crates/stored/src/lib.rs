//! Stored forms of the model: the JSON documents that the engines keep in a file, a table or a queue message.
//!
//! Each document has types of its own here, and conversions from the model and to it that name every field. So a field
//! that is renamed in the model changes nothing that is stored, and a field that is new in the model does not compile
//! until its stored form is decided. Both engines store the same documents; columns, attributes and keys, and what only
//! one engine keeps, are the engine's.
//!
//! What is written is always readable by the version that wrote the fixtures of `tests/stored`, and the golden files in
//! `tests/golden` hold it byte for byte. Counts of reports and their changes are bytes in place of JSON; their golden files
//! are in `tests/counts`.
//!
//! # How to add a stored field
//!
//! 1. Add the field to the model. This crate no longer compiles: the conversions in the document's file name every field.
//! 2. Add the field at the end of the stored type, in the case of its neighbours. What was stored before does not have it:
//!    give it `#[serde(default)]` (or make it an `Option`), and say in its comment what its absence means. Add
//!    `skip_serializing_if` where the default is the usual value, so that most documents stay as they were.
//! 3. Name it in both conversions.
//! 4. Add a golden file that has the field. The golden files that are there stay as they are: they are what older documents
//!    look like. With `skip_serializing_if` each must still be written byte for byte; without it, move what is read but no
//!    longer written to the test of older documents (`src/tests/older.rs`).
//! 5. If a program that does not know the field would do something wrong with such a document, raise `VERSION` in the
//!    document's file. From version 2 on it is written as `"v"`; a document without `"v"` is of version 1, and one of a newer
//!    version than the program knows is refused as unreadable ([`ReadError::Newer`]). `from_stored` finds the version of what
//!    it reads in the field `v`.
//!
//! To rename or remove a field, or to change what a value means, is a new version too: the stored type keeps reading the old
//! form beside the new one. A field is never given another meaning under its old name.

mod attempt;
mod authentication;
mod completion;
mod count_changes;
mod counts;
mod delivery;
mod flow;
mod flow_state;
mod formula_error;
mod grant;
mod idempotency;
mod job;
mod job_chunk;
mod key;
mod ledger;
mod message;
mod numbers;
mod operational;
mod payload;
mod retry;
mod sealed;
mod secrets;
mod subscription;
mod trigger_state;
mod values;
mod version;
mod words;

use serde::{Deserialize, Serialize};

pub use count_changes::{read_count_changes, write_count_changes};
pub use counts::{CountsReadError, class_code, read_counts, write_counts};
pub use sealed::{HasSecrets, Sealed, place_of};
pub use values::{StoredTenant, StoredTime};
pub use version::Version;

/// A value that is stored as one JSON document.
pub trait Document: Sized + 'static {
    /// The version of the stored form that is written; documents of older versions are read too.
    const VERSION: u32;
    /// The stored form. It borrows long texts from the value that it is made of.
    type Stored<'a>: Serialize + Deserialize<'a>;

    fn to_stored(&self) -> Self::Stored<'_>;
    fn from_stored(stored: Self::Stored<'_>) -> Self;
}

/// Why a document cannot be read. The sentence holds nothing of what the document holds.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}", json_sentence(.0))]
    Json(serde_json::Error),
    #[error("a newer loanhook wrote it: its version is {found}, and this one reads versions up to {known}")]
    Newer { found: u64, known: u32 },
}

/// The JSON of a value.
///
/// # Errors
///
/// Where a value has no JSON, which none of these lacks.
pub fn write<D: Document>(value: &D) -> serde_json::Result<String> {
    serde_json::to_string(&value.to_stored())
}

/// The value that a JSON text stands for.
///
/// # Errors
///
/// Where the text is no such document, or one of a newer version.
pub fn read<D: Document>(json: &str) -> Result<D, ReadError> {
    match serde_json::from_str(json) {
        Ok(stored) => Ok(D::from_stored(stored)),
        Err(error) => Err(match version::of(json) {
            Some(found) if found > u64::from(D::VERSION) => ReadError::Newer { found, known: D::VERSION },
            _ => ReadError::Json(error),
        }),
    }
}

/// What is wrong with JSON, without a word of what it holds: an error of serde's may quote it.
fn json_sentence(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io | Category::Syntax => "it is not JSON",
        Category::Eof => "its JSON ends early",
        Category::Data => "its JSON has another shape",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests;
