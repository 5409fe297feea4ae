//! Ends of schedules: when deliveries ended without success, by the rows of their last attempts.

use std::collections::HashMap;

use super::happening::Happening;
use crate::engine::Aws;
use crate::items::key_schema;
use crate::items::row_item;
use crate::items::unreadable::readable;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// Reads when the schedules of these ended. A row is complete before its delivery moves on; one that is gone or cannot be read
    /// says `now`.
    pub(crate) async fn read_schedule_ends<'a>(
        &self,
        happenings: impl Iterator<Item = &'a mut Happening>,
        now: Timestamp,
    ) -> StoreResult<()> {
        let ends = happenings.filter_map(|happening| match happening {
            Happening::Exhausted { of, end, .. } => Some((&*of, end)),
            _ => None,
        });
        let mut ends: Vec<_> = ends.collect();
        if ends.is_empty() {
            return Ok(());
        }
        let keys = ends.iter().map(|(of, end)| key_schema::row(&of.tenant, &end.loan, end.attempt)).collect();
        let rows = readable(&self.get_all(keys, None).await?, row_item::read);
        let ended = rows.iter().filter_map(|row| Some((row.id, row.completion()?.ended_at)));
        let ended: HashMap<_, _> = ended.collect();
        for (_, end) in &mut ends {
            end.at = Some(ended.get(&end.attempt).copied().unwrap_or(now));
        }
        Ok(())
    }
}
