//! Run: counts what is new in the stream, until it has come to the end of every shard.

use std::collections::VecDeque;
use std::time::Instant;

use futures_util::future::join_all;
use serde::Serialize;
use tracing::info;

use super::added::Added;
use super::batch::Batch;
use super::changes::Changes;
use super::checkpoints::{Checkpoint, Checkpoints};
use super::merged::{Merged, merged};
use super::shard::{Page, Shard};
use crate::engine::Aws;
use crate::items::call_errors::failed;
use crate::operational::{Happening, States};
use loanhook_core::model::report::Counting;
use loanhook_core::ports::{StoreError, StoreResult};

/// How many shards are read at once.
const CONCURRENT_READS: usize = 8;

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

/// What became of pages that were read.
enum Pages {
    Counted,
    /// The time was over before all were counted.
    OutOfTime,
    /// They are counted but for what a newer version wrote, and what follows that in its shard.
    OfNewerVersion,
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
    /// Reads some records of each shard and counts them, until none has any. So many pages are in memory as are read at once,
    /// and a shard that cannot be read keeps no other from being counted: its failure is the answer once all were.
    async fn count(&mut self, shards: Vec<Shard>) -> StoreResult<()> {
        let mut shards = VecDeque::from(shards);
        let mut failure = None;
        while !shards.is_empty() && Instant::now() < self.end {
            let group = shards.drain(..shards.len().min(CONCURRENT_READS));
            let engine = self.engine;
            let reads = group.map(|mut shard| async move {
                let page = engine.read_shard(&mut shard).await?;
                StoreResult::Ok((shard, page))
            });
            let mut read = Vec::new();
            for done in join_all(reads).await {
                match done {
                    Ok(page) => read.push(page),
                    Err(of_shard) => failure = failure.or(Some(of_shard)),
                }
            }
            match self.count_pages(&mut read).await? {
                Pages::Counted => {}
                Pages::OutOfTime => break,
                Pages::OfNewerVersion => failure = failure.or_else(|| Some(written_by_newer())),
                Pages::Superseded => {
                    info!("reports.superseded");
                    self.report.superseded = true;
                    return Ok(());
                }
            }
            shards.extend(read.into_iter().filter(|(_, page)| !page.is_last).map(|(shard, _)| shard));
        }
        failure.map_or(Ok(()), Err)
    }

    /// Counts what was read, of each shard up to the first change that a newer version wrote. Where the time is over, the rest is left
    /// to the next run.
    async fn count_pages(&mut self, read: &mut [(Shard, Page)]) -> StoreResult<Pages> {
        let (mut records, of_newer) = merged(self.counting, read);
        self.read_schedule_ends(&mut records).await?;
        let mut batch = Batch::default();
        // Where each shard comes to, by its place.
        let mut reached: Vec<_> = read.iter().map(|(shard, _)| shard.checkpoint.clone()).collect();
        for Merged { place, sequence, mut changes, .. } in records {
            self.leave_out_untold(&mut changes).await?;
            if !batch.has_room_for(&read[place].0.id, &changes, &self.states) {
                if !self.write(std::mem::take(&mut batch), read).await? {
                    return Ok(Pages::Superseded);
                }
                if self.end <= Instant::now() {
                    return Ok(Pages::OutOfTime);
                }
                // The transaction may have changed who is observed.
                self.leave_out_untold(&mut changes).await?;
            }
            batch.add(changes, &self.states);
            self.report.records += 1;
            let at = Checkpoint::at(&sequence);
            let shard = &read[place].0;
            batch.come_to(&shard.id, shard.checkpoint.as_ref(), at.clone());
            reached[place] = Some(at);
        }
        for place in (0..read.len()).filter(|place| !of_newer[*place]) {
            let (shard, page) = &read[place];
            if !page.is_last || !shard.closed {
                continue;
            }
            let ended = Checkpoint::ended(reached[place].take());
            if !batch.has_room_for(&shard.id, &Changes::default(), &self.states)
                && !self.write(std::mem::take(&mut batch), read).await?
            {
                return Ok(Pages::Superseded);
            }
            let shard = &read[place].0;
            batch.come_to(&shard.id, shard.checkpoint.as_ref(), ended);
        }
        if !batch.is_empty() && !self.write(batch, read).await? {
            return Ok(Pages::Superseded);
        }
        Ok(if of_newer.contains(&true) { Pages::OfNewerVersion } else { Pages::Counted })
    }

    /// Reads when the schedules ended of which somebody may be told.
    async fn read_schedule_ends(&mut self, records: &mut [Merged]) -> StoreResult<()> {
        let is_exhausted = |one: &Happening| matches!(one, Happening::Exhausted { .. });
        let mut told = Vec::new();
        for Merged { changes, .. } in records {
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
    async fn write(&mut self, batch: Batch, read: &mut [(Shard, Page)]) -> StoreResult<bool> {
        let added = batch.added().clone();
        let now = (self.engine.stack().clock)();
        let Some(reached) = self.engine.write_counts(batch, &mut self.states, now).await? else {
            return Ok(false);
        };
        self.added.add(&added);
        self.report.transactions += 1;
        for (id, checkpoint) in reached {
            if let Some((shard, _)) = read.iter_mut().find(|(shard, _)| shard.id == id) {
                shard.checkpoint = Some(checkpoint);
            }
        }
        Ok(true)
    }
}
