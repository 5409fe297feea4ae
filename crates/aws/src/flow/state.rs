//! Flow state of a subscription as an item: read with strong consistency, and changed on condition that nobody else did since.
//!
//! Beside the state stands who sends the probe of an automatic hold, so that one does at a time. A sender that died is known by its
//! time; any change of the state ends the probe.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::{Item, document, get_number, get_text, json, number, text};
use crate::items::key_schema::{self, CHANGED_BY, DOC, PROBE, PROBE_TOKEN, VERSION, WRITER};
use crate::items::unreadable::readable;
use crate::items::write_outcome::write_outcome;
use crate::queue::Receiver;
use crate::sdk::back_off::back_off;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::flow::FlowState;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{StoreError, StoreResult};

/// How often a state is changed anew because another change came first.
const MAX_TRIES: u32 = 10;

/// A state, and how often it was changed.
#[derive(Debug, Default)]
pub(super) struct StoredState {
    pub(super) state: FlowState,
    pub(super) version: u64,
}

/// A state before and after a change.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) before: FlowState,
    pub(super) after: FlowState,
}

/// What changes a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangedBy {
    /// The end of this attempt: who reads the stream tells by it a hold that a success ended from one that was released.
    End(AttemptId),
    /// An operator, a change of the subscription, or the attempt of an operational event: what becomes of that tells nothing.
    Other,
}

impl ChangedBy {
    pub(super) fn end_of(row: &Attempt) -> Self {
        if row.loan_id.is_operational() { Self::Other } else { Self::End(row.id) }
    }
}

/// The right to send the probe of a hold.
#[derive(Debug)]
pub(super) struct ProbeRight(Uuid);

impl StoredState {
    /// The state of an item; where it cannot be read, that of a subscription without failures.
    pub(super) fn read(item: &Item) -> Self {
        Self {
            state: readable(std::slice::from_ref(item), document).pop().unwrap_or_default(),
            version: get_number(item, VERSION).unwrap_or(0),
        }
    }
}

impl Aws {
    pub(super) async fn flow_state(&self, of: &Receiver) -> StoreResult<StoredState> {
        let item = self.get(key_schema::flow_state(&of.tenant, of.subscription_id)).await?;
        Ok(item.as_ref().map(StoredState::read).unwrap_or_default())
    }

    /// Changes a state; none where it is as it was. `by` stands with it. `change` is asked again where another change came first.
    pub(super) async fn change_flow_state(
        &self,
        of: &Receiver,
        by: ChangedBy,
        change: impl Fn(&mut FlowState),
    ) -> StoreResult<Option<Changed>> {
        for try_index in 0..MAX_TRIES {
            let StoredState { state: before, version } = self.flow_state(of).await?;
            let mut after = before.clone();
            change(&mut after);
            if after == before {
                return Ok(None);
            }
            if self.put_flow_state(of, &after, by, version).await? {
                return Ok(Some(Changed { before, after }));
            }
            back_off(try_index).await;
        }
        Err(StoreError::Busy)
    }

    /// Puts a state on top of this version. False where another change came first.
    async fn put_flow_state(
        &self,
        of: &Receiver,
        state: &FlowState,
        by: ChangedBy,
        version: u64,
    ) -> StoreResult<bool> {
        let writer = Uuid::new_v4().to_string();
        let update = self
            .update(key_schema::flow_state(&of.tenant, of.subscription_id))
            .expression_attribute_names("#by", CHANGED_BY)
            .expression_attribute_names("#doc", DOC)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#writer", WRITER)
            .expression_attribute_names("#probe", PROBE)
            .expression_attribute_names("#token", PROBE_TOKEN)
            .expression_attribute_values(":doc", json(state)?)
            .expression_attribute_values(":after", number(version + 1))
            .expression_attribute_values(":writer", text(&writer))
            .return_values_on_condition_check_failure(AllOld);
        let update = match version {
            0 => update.condition_expression("attribute_not_exists(#version)"),
            version => update
                .condition_expression("#version = :before")
                .expression_attribute_values(":before", number(version)),
        };
        let update = match by {
            ChangedBy::End(attempt) => {
                update.expression_attribute_values(":by", text(attempt.to_string())).update_expression(
                    "SET #doc = :doc, #version = :after, #writer = :writer, #by = :by REMOVE #probe, #token",
                )
            }
            ChangedBy::Other => update.update_expression(
                "SET #doc = :doc, #version = :after, #writer = :writer REMOVE #probe, #token, #by",
            ),
        };
        let outcome = write_outcome(update.send().await)?.map(drop);
        Ok(outcome.or_own_write(|item| Ok(get_text(item, WRITER) == Some(&writer)), drop)?.is_done())
    }

    /// Takes the right to send the probe of a hold, until `over` at most; none where another probe is under way, or the state has
    /// changed since it was read.
    pub(super) async fn take_probe(
        &self,
        of: &Receiver,
        read: &StoredState,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Option<ProbeRight>> {
        let token = Uuid::new_v4();
        let update = self
            .update(key_schema::flow_state(&of.tenant, of.subscription_id))
            .update_expression("SET #probe = :over, #token = :token")
            .condition_expression(
                "#version = :version AND (attribute_not_exists(#probe) OR #probe < :now OR #token = :token)",
            )
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#probe", PROBE)
            .expression_attribute_names("#token", PROBE_TOKEN)
            .expression_attribute_values(":version", number(read.version))
            .expression_attribute_values(":over", number(over.millis()))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":token", text(token.to_string()));
        Ok(write_outcome(update.send().await)?.is_done().then_some(ProbeRight(token)))
    }

    /// Gives the right back, where no change of the state has ended it. Gives whether it did: the probe said nothing.
    pub(super) async fn give_probe_back(
        &self,
        of: &Receiver,
        ProbeRight(token): ProbeRight,
    ) -> StoreResult<bool> {
        let update = self
            .update(key_schema::flow_state(&of.tenant, of.subscription_id))
            .update_expression("REMOVE #probe, #token")
            .condition_expression("#token = :token")
            .expression_attribute_names("#probe", PROBE)
            .expression_attribute_names("#token", PROBE_TOKEN)
            .expression_attribute_values(":token", text(token.to_string()));
        write_outcome(update.send().await).map(|outcome| outcome.is_done())
    }
}
