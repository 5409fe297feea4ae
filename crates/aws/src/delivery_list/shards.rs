//! Shards: partitions of an index, each sorted, that are read together from the newest on.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures_util::future::try_join_all;

use crate::items::call_errors::store_error;
use crate::items::item::Item;
use loanhook_core::ports::StoreResult;

/// Keys of several shards, the newest first, without gaps.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Merged<K> {
    pub(super) keys: Vec<K>,
    /// The oldest key, where a shard has more: older ones may be missing here.
    pub(super) read_to: Option<K>,
}

/// How many keys each of so many shards is asked for, where so many are wanted in all: twice its share, and some more.
pub(super) fn keys_per_shard(wanted: usize, shards: u8) -> usize {
    2 * wanted / usize::from(shards) + 8
}

/// Reads at most so many items of each shard, by queries that are made alike; `key` gives the key of an item. Newest first.
pub(super) async fn read<K: Ord + Clone>(
    queries: impl IntoIterator<Item = QueryFluentBuilder>,
    each: usize,
    key: impl Fn(&Item) -> StoreResult<K>,
) -> StoreResult<Merged<K>> {
    let limit = i32::try_from(each).unwrap_or(i32::MAX);
    let query = |query: QueryFluentBuilder| async move {
        let page = query.scan_index_forward(false).limit(limit).send().await.map_err(store_error)?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key.is_some()))
    };
    let shards = try_join_all(queries.into_iter().map(query)).await?;
    let read = |(items, more): (Vec<Item>, bool)| {
        Ok((items.iter().map(&key).collect::<StoreResult<Vec<K>>>()?, more))
    };
    Ok(merge(shards.into_iter().map(read).collect::<StoreResult<Vec<_>>>()?))
}

/// The keys of shards, each the newest first and with whether it has more, down to where one of them has a gap.
fn merge<K: Ord + Clone>(shards: Vec<(Vec<K>, bool)>) -> Merged<K> {
    let ends = shards.iter().filter(|(_, more)| *more).filter_map(|(keys, _)| keys.last().cloned());
    let read_to = ends.max();
    let mut keys: Vec<K> = shards.into_iter().flat_map(|(keys, _)| keys).collect();
    keys.retain(|key| read_to.as_ref().is_none_or(|end| end <= key));
    keys.sort_unstable_by(|a, b| b.cmp(a));
    Merged { keys, read_to }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_merged_down_to_the_first_gap() {
        for (shards, keys, read_to) in [
            (vec![], vec![], None),
            (vec![(vec![9, 3], false), (vec![8, 7], false)], vec![9, 8, 7, 3], None),
            (vec![(vec![9, 3], false), (vec![8, 7], true)], vec![9, 8, 7], Some(7)),
            (vec![(vec![9, 6], true), (vec![8, 7], true)], vec![9, 8, 7], Some(7)),
            (vec![(vec![9, 3], true), (vec![], false)], vec![9, 3], Some(3)),
        ] {
            assert_eq!(merge(shards), Merged { keys, read_to });
        }
    }
}
