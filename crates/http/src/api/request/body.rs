//! JSON bodies of requests: read within a limit and with memory reserved for them, then parsed. The problems are 413 for
//! a body over its limit, 408 for one that arrives too slowly, 400 for one that is not JSON, 422 for JSON of a wrong
//! shape, 503 where there is no memory.

use std::ops::Deref;

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::schema::strict_object::StrictObject;
use crate::web;
use crate::web::body_memory::{self, MemoryPermit};
use crate::web::body_reader::{BodyError, BodyLimit};
use loanhook_core::model::byte_order_mark;
use loanhook_core::model::validation::{ValidationErrors, pointer_segment};
use loanhook_core::ports::StoreError;

/// The largest body of settings: in bytes, and as a problem says it.
pub(in crate::api) const SETTINGS_LIMIT: (usize, &str) = (256 * 1024, "256 KiB");

/// A body that was read. It is kept until its request is answered, as the memory reserved for it is for what is made of
/// it too.
pub(in crate::api) struct ReadBody {
    bytes: Bytes,
    _memory: MemoryPermit<'static>,
}

impl Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of an authenticated caller, within a limit: in bytes, and as a problem says it.
pub(in crate::api) async fn read(
    caller: &Caller,
    body: Body,
    (limit, name): (usize, &str),
) -> Result<ReadBody, Problem> {
    let says = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let length = says.map_or(limit, |length| length.min(limit));
    let memory = body_memory::reserve(&caller.key().0.tenant, length).await.ok_or(StoreError::Busy)?;
    let bytes =
        web::body_reader::read(body, BodyLimit::for_authenticated_caller(limit)).await.map_err(|unread| {
            match unread {
                BodyError::TooLarge => Problem::too_large(name),
                BodyError::Stalled => Problem::stalled(),
                BodyError::Broken => Problem::not_json("the body did not arrive whole: send it again"),
            }
        })?;
    Ok(ReadBody { bytes, _memory: memory })
}

/// Parses the JSON object of a body; a byte order mark before it is skipped.
pub(in crate::api) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bytes = byte_order_mark::without(bytes);
    if bytes.is_empty() {
        return Err(Problem::not_json("the body is empty: send JSON"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::not_json("the body is not UTF-8"))?;
    // A body that is not JSON is a 400, whatever else would be wrong with it.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| Problem::not_json(error.to_string()))?;
    Ok(parse_object(text)?)
}

/// Parses a JSON object of a text that is known to be JSON. What is wrong has the JSON pointer of its place.
pub(in crate::api) fn parse_object<T: DeserializeOwned>(text: &str) -> Result<T, ValidationErrors> {
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(deserializer).map(|StrictObject(value)| value).map_err(|error| {
        let detail = error.inner().to_string();
        let detail = detail.split(" at line ").next().unwrap_or_default().trim();
        let mut pointer = pointer(error.path());
        if let Some(missing) = detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'))
        {
            pointer = format!("{pointer}/{}", pointer_segment(missing));
        }
        ValidationErrors::one(pointer, in_words_of_json(detail))
    })
}

/// A message of serde with the names of Rust's types replaced by those of JSON.
fn in_words_of_json(detail: &str) -> String {
    [
        ("expected u32", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("a sequence", "a list"),
    ]
    .into_iter()
    .fold(detail.to_owned(), |detail, (ours, plain)| detail.replace(ours, plain))
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", pointer_segment(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}
