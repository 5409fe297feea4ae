//! Keys of the cursors of the sweep.

use super::ItemKey;

/// The last slot whose deferred deliveries were handed over, and the last that was checked.
pub(crate) const HANDED_OVER: &str = "handedOver";
pub(crate) const CHECKED: &str = "checked";

/// The partition of the cursors.
pub(crate) const SWEEP_PK: &str = "W#sweep";

/// How far the sweep of a shard has come.
pub(crate) fn sweep_cursor(shard: u8) -> ItemKey {
    ItemKey { pk: SWEEP_PK.into(), sk: shard.to_string() }
}
