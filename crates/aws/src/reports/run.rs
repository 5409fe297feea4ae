//! Run: counts what is new in the stream, until it has come to the end of every shard.

use std::time::Instant;

use futures_util::future::join_all;
use serde::Serialize;
use tracing::info;

use super::added::Added;
use super::batch::Batch;
use super::changes::Changes;
use super::checkpoints::{Checkpoint, Checkpoints};
use super::reading::{ReadRecord, Reading, take_countable};
use super::shard::Shard;
use crate::engine::Aws;
use crate::items::call_errors::failed;
use crate::operational::{Happening, States};
use loanhook_core::model::report::Counting;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many shards are read at once.
const CONCURRENT_READS: usize = 8;
/// How many records may wait to be counted, but for a page of each shard.
const MAX_WAITING: usize = 8 * 1000;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CountReport {
    /// How many changes of the table it counted, also those that add nothing.
    pub records: u64,
    /// In how many transactions.
    pub transactions: u64,
    /// Another run did the same at once, and this one left it to that.
    pub superseded: bool,
}

/// What a run works on.
struct Run<'a> {
    engine: &'a Aws,
    counting: Counting,
    /// The operational states of subscriptions, as they are stored.
    states: States,
    report: CountReport,
    /// What its transactions added.
    added: &'a mut Added,
    /// After this it begins no further transaction.
    end: Instant,
}

/// What became of records that were to be counted.
#[derive(PartialEq, Eq)]
enum Records {
    Counted,
    /// The time was over before all were counted.
    OutOfTime,
    /// Another run counted them first.
    Superseded,
}

fn written_by_newer() -> StoreError {
    failed(
        "a newer loanhook wrote what is to be counted next: it is counted once the function of reports has its version",
    )
}

impl Aws {
    /// Counts the changes of the table that no run has counted, until `end` at the latest; what is left then is done by the
    /// next run. Adds to `added` what is stored, of all groups together, also where it fails later.
    ///
    /// # Errors
    ///
    /// When the stream could not be read, the counts not be written, or a newer loanhook wrote what is to be counted. Nothing
    /// is counted twice then, and nothing is lost: the next run goes on, in the last case that of the newer version.
    pub async fn count_changes(&self, end: Instant, added: &mut Added) -> StoreResult<CountReport> {
        let Checkpoints { counting, mut of_shards } = self.checkpoints((self.stack().clock)()).await?;
        let shards = self.shards().await?.into_iter().map(|(id, closed)| {
            let checkpoint = of_shards.remove(&id);
            Shard::new(id, closed, checkpoint)
        });
        let is_over = |shard: &Shard| shard.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.ended);
        let shards = shards.filter(|shard| !is_over(shard)).collect();
        let states = self.operational_states().await?;
        let mut run = Run { engine: self, counting, states, report: CountReport::default(), added, end };
        run.count(shards).await?;
        Ok(run.report)
    }
}

impl Run<'_> {
    /// Reads the shards to their ends, and counts what they have, in the order of its time. A shard that cannot be read keeps no
    /// other from being counted: its failure is the answer once all were.
    async fn count(&mut self, shards: Vec<Shard>) -> StoreResult<()> {
        let mut readings: Vec<_> = shards.into_iter().map(Reading::new).collect();
        let mut failure = None;
        loop {
            let is_out_of_time = self.end <= Instant::now();
            let is_full = |readings: &[Reading]| {
                readings.iter().map(Reading::waiting_count).sum::<usize>() >= MAX_WAITING
            };
            if !is_out_of_time {
                let was_full = is_full(&readings);
                let of_shard = self.read_on(&mut readings, was_full).await;
                failure = failure.or(of_shard);
                // As much as can be is counted together: in order, and in few transactions.
                if !is_full(&readings) && readings.iter().any(|reading| reading.is_read_on(false)) {
                    continue;
                }
            }
            let is_read = readings.iter().all(Reading::is_over);
            match self.count_waiting(&mut readings).await? {
                Records::Counted if !is_read && !is_out_of_time => {}
                Records::Counted | Records::OutOfTime => break,
                Records::Superseded => {
                    info!("reports.superseded");
                    self.report.superseded = true;
                    return Ok(());
                }
            }
        }
        if readings.iter().any(Reading::is_of_newer_version) {
            failure = failure.or_else(|| Some(written_by_newer()));
        }
        failure.map_or(Ok(()), Err)
    }

    /// Reads a page of each shard of which more may be read, and gives the first failure.
    async fn read_on(&self, readings: &mut [Reading], is_full: bool) -> Option<StoreError> {
        let mut failure = None;
        let mut next: Vec<_> = readings.iter_mut().filter(|reading| reading.is_read_on(is_full)).collect();
        for group in next.chunks_mut(CONCURRENT_READS) {
            let reads = group.iter_mut().map(|reading| self.engine.read_shard(&mut reading.shard));
            let pages = join_all(reads).await;
            for (reading, page) in group.iter_mut().zip(pages) {
                match page {
                    Ok(page) => reading.take(self.counting, page),
                    Err(of_shard) => {
                        reading.give_up();
                        failure = failure.or(Some(of_shard));
                    }
                }
            }
        }
        failure
    }

    /// Counts what waits and can be counted. Where the time is over, the rest is left to the next run.
    async fn count_waiting(&mut self, readings: &mut [Reading]) -> StoreResult<Records> {
        let mut records = take_countable(readings);
        self.read_schedule_ends(&mut records).await?;
        let mut batch = Batch::default();
        // Where each shard comes to, by its place.
        let mut reached: Vec<_> = readings.iter().map(|reading| reading.shard.checkpoint.clone()).collect();
        for (place, ReadRecord { sequence, mut changes, .. }) in records {
            self.leave_out_untold(&mut changes).await?;
            if !batch.has_room_for(&readings[place].shard.id, &changes, &self.states) {
                if !self.write(std::mem::take(&mut batch), readings).await? {
                    return Ok(Records::Superseded);
                }
                if self.end <= Instant::now() {
                    return Ok(Records::OutOfTime);
                }
                // The transaction may have changed who is observed.
                self.leave_out_untold(&mut changes).await?;
            }
            batch.add(changes, &self.states);
            self.report.records += 1;
            let at = Checkpoint::at(&sequence);
            let shard = &readings[place].shard;
            batch.come_to(&shard.id, shard.checkpoint.as_ref(), at.clone());
            reached[place] = Some(at);
        }
        for place in (0..readings.len()).filter(|place| readings[*place].has_ended()).collect::<Vec<_>>() {
            let ended = Checkpoint::ended(reached[place].take());
            if !batch.has_room_for(&readings[place].shard.id, &Changes::default(), &self.states)
                && !self.write(std::mem::take(&mut batch), readings).await?
            {
                return Ok(Records::Superseded);
            }
            let shard = &readings[place].shard;
            batch.come_to(&shard.id, shard.checkpoint.as_ref(), ended);
        }
        if !batch.is_empty() && !self.write(batch, readings).await? {
            return Ok(Records::Superseded);
        }
        Ok(Records::Counted)
    }

    /// Reads when the schedules ended of which somebody may be told.
    async fn read_schedule_ends(&mut self, records: &mut [(usize, ReadRecord)]) -> StoreResult<()> {
        let is_exhausted = |one: &Happening| matches!(one, Happening::Exhausted { .. });
        let mut told = Vec::new();
        for (_, ReadRecord { changes, .. }) in records {
            if changes.happening.as_ref().is_some_and(is_exhausted) {
                self.leave_out_untold(changes).await?;
                told.extend(&mut changes.happening);
            }
        }
        self.engine.read_schedule_ends(told.into_iter(), (self.engine.stack().clock)()).await
    }

    /// Leaves out what happened where nobody is told: it takes no room.
    async fn leave_out_untold(&mut self, changes: &mut Changes) -> StoreResult<()> {
        if let Some(happening) = &changes.happening
            && !self.engine.may_be_told(happening, &mut self.states).await?
        {
            changes.happening = None;
        }
        Ok(())
    }

    /// Writes a batch, and notes where its shards are. False where another run came first.
    async fn write(&mut self, batch: Batch, readings: &mut [Reading]) -> StoreResult<bool> {
        let added = batch.added().clone();
        let now = (self.engine.stack().clock)();
        let Some(reached) = self.engine.write_counts(batch, &mut self.states, now).await? else {
            return Ok(false);
        };
        self.added.add(&added);
        self.report.transactions += 1;
        for (id, checkpoint) in reached {
            if let Some(reading) = readings.iter_mut().find(|reading| reading.shard.id == id) {
                reading.shard.checkpoint = Some(checkpoint);
            }
        }
        Ok(true)
    }
}
