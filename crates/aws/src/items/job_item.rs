//! A recovery job as items: the job, each chunk of its list, and its turn while it is not over.
//!
//! All of them expire together, when the retention since the job was made is over.

use loanhook_core::model::job::{Job, JobChunk};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;
use loanhook_stored::Document;

use super::item::{Item, document_value, number};
use super::item_size::bytes_of;
use super::key_schema::{self, DOC, EXPIRES, SEEN, TURN, VERSION};

pub(crate) fn of_job(job: &Job, expires: Timestamp) -> StoreResult<Item> {
    let mut item = key_schema::job(&job.tenant, job.request.kind, job.id).attributes();
    item.insert(VERSION.into(), number(job.version));
    with_document(item, job, expires)
}

pub(crate) fn of_chunk(job: &Job, chunk: &JobChunk, expires: Timestamp) -> StoreResult<Item> {
    with_document(key_schema::job_chunk(&job.tenant, job.id, chunk.number).attributes(), chunk, expires)
}

/// The turn of a new job, of which no message was taken.
pub(crate) fn first_turn(job: &Job, now: Timestamp, expires: Timestamp) -> Item {
    let mut item = key_schema::turn(&job.tenant, job.id).attributes();
    item.insert(TURN.into(), number(0));
    item.insert(SEEN.into(), number(now.millis()));
    item.insert(EXPIRES.into(), number(expires.seconds()));
    item
}

/// The turn of a job that is over: it expires at once, which counts as deleted, and no message of it is taken.
pub(crate) fn last_turn(job: &Job) -> Item {
    let mut item = key_schema::turn(&job.tenant, job.id).attributes();
    item.insert(EXPIRES.into(), number(Timestamp::now().seconds()));
    item
}

fn with_document(mut item: Item, value: &impl Document, expires: Timestamp) -> StoreResult<Item> {
    item.insert(EXPIRES.into(), number(expires.seconds()));
    let document = document_value(value, bytes_of(&item) + DOC.len())?;
    item.insert(DOC.into(), document);
    Ok(item)
}
