//! Items of a job's list, page by page, the newest delivery first.

use crate::model::job::{ITEMS_PER_CHUNK, ItemOutcome, Job, JobItem};
use crate::ports::{Jobs, StoreResult};

/// How many chunks are read at once.
const CHUNKS_PER_READ: u32 = 5;
/// How many items are looked at for a page at most.
const MAX_EXAMINED: u32 = 5000;

/// A page of items.
#[derive(Debug, Default)]
pub struct ItemPage {
    /// Each with its number.
    pub items: Vec<(u32, JobItem)>,
    /// The number of the item that the next page begins with; none at the end of the list.
    pub next: Option<u32>,
}

/// Items of a job with this outcome, or all, from the item of this number on: at most `limit`. The page is full unless the list
/// ends or 5,000 items were looked at.
///
/// # Errors
///
/// When the store fails.
pub async fn items<S: Jobs>(
    store: &S,
    job: &Job,
    outcome: Option<ItemOutcome>,
    from: u32,
    limit: usize,
) -> StoreResult<ItemPage> {
    let (mut page, mut next) = (ItemPage::default(), from);
    let end = job.counts.total.min(from.saturating_add(MAX_EXAMINED));
    while next < end {
        let first = next / ITEMS_PER_CHUNK;
        let numbers: Vec<u32> = (first..end.div_ceil(ITEMS_PER_CHUNK).min(first + CHUNKS_PER_READ)).collect();
        let mut chunks = store.job_chunks(&job.tenant, job.id, &numbers).await?.into_iter();
        for number in numbers {
            let items = chunks.next().map(|chunk| chunk.items).ok_or_else(super::listing::missing_part)?;
            for item in items.into_iter().skip((next - number * ITEMS_PER_CHUNK) as usize) {
                if next == end {
                    break;
                }
                if page.items.len() == limit {
                    return Ok(ItemPage { next: Some(next), ..page });
                }
                if outcome.is_none_or(|outcome| outcome == item.state.outcome()) {
                    page.items.push((next, item));
                }
                next += 1;
            }
        }
    }
    page.next = (next < job.counts.total).then_some(next);
    Ok(page)
}
