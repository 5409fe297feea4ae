//! Frozen headers of deliveries that an earlier version of loanhook stored, credentials among them. The snapshot is written again
//! without them: when an attempt of the delivery is claimed, or a resend.

use crate::engine::Aws;
use crate::items::delivery_item;
use crate::items::key_schema::{self, DOC, PK};
use crate::items::write_outcome::write_outcome;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::ports::StoreResult;

impl Aws {
    /// Writes the snapshot of a delivery again; one that is gone stays so. Whoever writes it writes the same.
    pub(super) async fn write_snapshot(&self, snapshot: &DeliverySnapshot) -> StoreResult<()> {
        let update = self
            .update(key_schema::delivery(&snapshot.tenant, snapshot.trace_id))
            .update_expression("SET #doc = :doc")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":doc", delivery_item::snapshot_value(snapshot)?);
        write_outcome(update.send().await)?;
        Ok(())
    }
}
