//! Shards of the stream: which there are, and the records of each, from its checkpoint on.

use aws_sdk_dynamodbstreams::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
use aws_sdk_dynamodbstreams::operation::get_shard_iterator::GetShardIteratorError;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};

use super::checkpoints::Checkpoint;
use crate::engine::Aws;
use crate::items::call_errors::{failed, store_error};
use loanhook_core::ports::StoreResult;

/// A shard, as a run reads it.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: String,
    /// It takes no more records.
    pub(super) closed: bool,
    /// How far it is counted.
    pub(super) checkpoint: Option<Checkpoint>,
    /// How far it was read, which may be further.
    position: Option<Checkpoint>,
    /// From where it is read next; none is from the position.
    iterator: Option<String>,
    /// How many pages without a new record were read one after the other.
    empty_pages: u32,
}

/// How many pages of an open shard may have no new record before it is left to the next run: there may be records behind an
/// empty page (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html>).
const MAX_EMPTY_PAGES: u32 = 4;

/// Records of a shard.
#[derive(Debug)]
pub(super) struct Page {
    /// In the order of their sequence numbers; none of them was read before.
    pub(super) records: Vec<Record>,
    /// Nothing is left to read, now or for ever.
    pub(super) is_last: bool,
}

impl Shard {
    pub(super) fn new(id: String, closed: bool, checkpoint: Option<Checkpoint>) -> Self {
        let position = checkpoint.clone();
        Self { id, closed, checkpoint, position, iterator: None, empty_pages: 0 }
    }
}

impl Aws {
    /// The shards of the stream that have records of the last 24 hours or take new ones: their IDs, and whether they are
    /// closed.
    pub(super) async fn shards(&self) -> StoreResult<Vec<(String, bool)>> {
        let (mut shards, mut after) = (Vec::new(), None);
        loop {
            let call = self.streams().describe_stream().stream_arn(self.stream_arn()?);
            let described = call.set_exclusive_start_shard_id(after).send().await.map_err(store_error)?;
            let Some(described) = described.stream_description else { return Ok(shards) };
            shards.extend(described.shards().iter().filter_map(|shard| {
                let range = shard.sequence_number_range();
                let closed = range.is_some_and(|range| range.ending_sequence_number().is_some());
                Some((shard.shard_id()?.to_owned(), closed))
            }));
            after = described.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    /// The next records of a shard.
    pub(super) async fn read_shard(&self, shard: &mut Shard) -> StoreResult<Page> {
        let iterator = match shard.iterator.take() {
            Some(iterator) => iterator,
            None => match self.shard_iterator(shard).await? {
                Some(iterator) => iterator,
                None => return Ok(Page { records: Vec::new(), is_last: true }),
            },
        };
        let read = match self.streams().get_records().shard_iterator(iterator).send().await {
            Ok(read) => read,
            Err(error) if is_stale(&error) => return Ok(Page { records: Vec::new(), is_last: false }),
            Err(error) => return Err(store_error(error)),
        };
        let mut records = read.records.unwrap_or_default();
        let was_read = |record: &Record| {
            let position = shard.position.as_ref();
            sequence(record).is_none_or(|sequence| position.is_some_and(|at| at.includes(sequence)))
        };
        records.retain(|record| !was_read(record));
        if let Some(last) = records.last().and_then(sequence) {
            shard.position = Some(Checkpoint::at(last));
        }
        shard.iterator = read.next_shard_iterator;
        shard.empty_pages = if records.is_empty() { shard.empty_pages + 1 } else { 0 };
        let is_last = shard.iterator.is_none() || (!shard.closed && shard.empty_pages >= MAX_EMPTY_PAGES);
        Ok(Page { records, is_last })
    }

    /// From the position on, or from the oldest record that is left; none where the shard is gone.
    async fn shard_iterator(&self, shard: &Shard) -> StoreResult<Option<String>> {
        let call = || self.streams().get_shard_iterator().shard_id(&shard.id);
        let stream = self.stream_arn()?;
        let oldest = || {
            let call = call().stream_arn(stream).shard_iterator_type(ShardIteratorType::TrimHorizon);
            call.send()
        };
        let got = match &shard.position {
            None => oldest().await,
            Some(position) => {
                let after = call()
                    .stream_arn(stream)
                    .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                    .sequence_number(&position.sequence);
                match after.send().await {
                    Err(error) if is_trimmed(&error) => oldest().await,
                    got => got,
                }
            }
        };
        match got {
            Ok(got) => Ok(got.shard_iterator),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(store_error(error)),
        }
    }

    fn stream_arn(&self) -> StoreResult<&str> {
        let arn = self.stack().stream_arn.as_deref();
        arn.ok_or_else(|| failed("the stream of the table is not known"))
    }
}

fn sequence(record: &Record) -> Option<&str> {
    record.dynamodb().and_then(|change| change.sequence_number())
}

/// Whether a record is older than what the stream keeps.
fn is_trimmed<R>(error: &SdkError<GetShardIteratorError, R>) -> bool {
    error.as_service_error().is_some_and(GetShardIteratorError::is_trimmed_data_access_exception)
}

/// Whether an iterator is too old: the shard is read again from its position.
fn is_stale<R>(error: &SdkError<GetRecordsError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_expired_iterator_exception() || error.is_trimmed_data_access_exception()
    })
}
