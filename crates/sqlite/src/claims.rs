//! Claims: an attempt begins in the commit that took it in, or in one that takes several messages of a lane.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::lane::LaneId;
use super::lanes::Lanes;
use super::places::{Places, Slot};
use super::starts::{Admission, Door, Open};
use super::tables::{
    delivery, first_attempt, messages, progress_json, put_aside, put_attempt, put_message, put_progress,
    to_json,
};
use super::unreadable::{is_of_content, sentence};
use super::worker::Task;
use super::writer::Class;
use super::{Embedded, payloads};
use loanhook_core::deliver::ClaimedAttempt;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DueWork, QueueMessage, StoreResult};

/// What of an intake goes on after its commit.
#[derive(Default)]
pub(super) struct Entered {
    queued: Vec<QueueMessage>,
    admitted: Vec<(Admission, QueueMessage, Box<ClaimedAttempt>)>,
}

impl Entered {
    /// Starts what was claimed, and tells the lanes of the rest.
    pub(super) fn go_on(&mut self, lanes: &Lanes) {
        lanes.add(&std::mem::take(&mut self.queued));
        for (admission, message, claimed) in self.admitted.drain(..) {
            admission.start(message, claimed);
        }
    }

    /// Puts a delivery that is not there yet with its payload, and claims its first attempt where that can leave
    /// at once; else it puts the message for it.
    pub(super) fn put_new(
        &mut self,
        connection: &Connection,
        (starts, lanes): &Door,
        (mut delivery, bytes): (Delivery, Bytes),
    ) -> rusqlite::Result<()> {
        let message = QueueMessage::for_next_attempt(&delivery);
        // The event may have waited for its commit: the attempt begins now.
        let now = Timestamp::now();
        let first = message.as_ref().filter(|message| message.due <= now).and_then(|message| {
            let DueWork::Attempt(number) = message.work else { return None };
            let admission = starts.admit(lanes, LaneId::of(message), now)?;
            let token = Uuid::new_v4();
            Some((admission, token, delivery.claim(number, token, now).ok()?))
        });
        if !insert(connection, &delivery)? {
            return Ok(());
        }
        payloads::put(connection, &delivery.snapshot.tenant, delivery.snapshot.request.payload, &bytes)?;
        match (first, message) {
            (Some((admission, token, row)), Some(message)) => {
                put_attempt(connection, &row)?;
                let payload = Some(bytes);
                let claimed = Box::new(ClaimedAttempt { delivery, row, token, payload });
                self.admitted.push((admission, message, claimed));
            }
            (_, Some(message)) => {
                put_message(connection, &message)?;
                self.queued.push(message);
            }
            (_, None) => {}
        }
        Ok(())
    }
}

/// False if it is there already.
fn insert(connection: &Connection, delivery: &Delivery) -> rusqlite::Result<bool> {
    let snapshot = &delivery.snapshot;
    let new = connection
        .prepare_cached(
            "INSERT INTO deliveries (trace, tenant, frozen, progress, first) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            snapshot.trace_id.uuid().as_bytes(),
            snapshot.tenant.as_str(),
            to_json(snapshot)?,
            progress_json(delivery)?,
            first_attempt(&delivery.progress),
        ])?;
    Ok(new > 0)
}

/// Messages of a lane that are taken to be worked on.
#[derive(Default)]
struct Found {
    taken: Vec<Taken>,
    /// When the first that was left is due.
    left: Option<Timestamp>,
}

/// A message, claimed if it could be, with what its request takes up.
struct Taken {
    row: i64,
    message: QueueMessage,
    claimed: Option<Box<ClaimedAttempt>>,
    place: Places,
    slot: Slot,
}

impl Embedded {
    /// Takes as many due messages of a lane as there are places and slots, and starts them. An automatic attempt is
    /// claimed with that; what cannot be claimed is for its handler to look at, as resends are.
    pub(super) async fn take_due(
        &self,
        lane: &LaneId,
        places: Places,
        slots: Vec<Slot>,
        open: Arc<Open>,
    ) -> StoreResult<()> {
        let lanes = Arc::clone(&self.0.lanes);
        let (looking, looked_at, lane) = (Arc::clone(&lanes), lane.clone(), lane.clone());
        let work = move |connection: &Connection| look(connection, &looking, &looked_at, places, slots);
        let then = move |found: &mut Found| {
            if let Some(due) = found.left {
                lanes.due(lane.clone(), due);
            }
            for Taken { row, message, claimed, place, slot } in found.taken.drain(..) {
                match claimed {
                    Some(claimed) => open.starter.start_claimed(message, claimed, place, slot),
                    // In hand it takes its place by itself.
                    None if lanes.take(&lane, row) => {
                        open.starter.start(message.clone(), Task::Message(message), Some(row), slot);
                    }
                    None => {}
                }
            }
        };
        self.0.writer.run(Class::Progress, work, then).await.map(|_| ())
    }
}

/// What is left of places and slots is given back at once.
fn look(
    connection: &Connection,
    lanes: &Lanes,
    lane: &LaneId,
    mut places: Places,
    mut slots: Vec<Slot>,
) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    let now = Timestamp::now();
    for (row, message) in messages(connection, lane, slots.len() + lanes.held(lane) + 1)? {
        if lanes.holds(lane, row) {
            continue;
        }
        if message.due > now {
            found.left = Some(message.due);
            break;
        }
        let (Some(slot), Some(place)) = (slots.pop(), places.split_one()) else {
            found.left = Some(message.due);
            break;
        };
        let claimed = match claim_message(connection, row, &message, now) {
            Err(fault) if is_of_content(&fault) => {
                // Its delivery cannot be read, and it holds up nothing behind it.
                put_aside(connection, lane, row, &sentence(&fault))?;
                continue;
            }
            claimed => claimed?,
        };
        found.taken.push(Taken { row, message, claimed, place, slot });
    }
    Ok(found)
}

fn claim_message(
    connection: &Connection,
    row_id: i64,
    message: &QueueMessage,
    now: Timestamp,
) -> rusqlite::Result<Option<Box<ClaimedAttempt>>> {
    let DueWork::Attempt(number) = message.work else { return Ok(None) };
    let Some(mut delivery) = delivery(connection, &message.tenant, message.trace_id)? else {
        return Ok(None);
    };
    let payload = match delivery.snapshot.request.payload.key {
        Some(key) => payloads::get(connection, &message.tenant, key).unwrap_or_default(),
        None => Some(Bytes::new()),
    };
    let token = Uuid::new_v4();
    let Ok(row) = delivery.claim(number, token, now) else { return Ok(None) };
    connection.prepare_cached("DELETE FROM queue WHERE id = ?1")?.execute([row_id])?;
    put_progress(connection, &delivery)?;
    put_attempt(connection, &row)?;
    Ok(Some(Box::new(ClaimedAttempt { delivery, row, token, payload })))
}
