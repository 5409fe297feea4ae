//! Places of a subscription with limits: a request begins only with one. One conditional update takes it, of a share of the limit of
//! requests under way and of the rate together; another gives it back when the request has ended.
//!
//! A place that nobody gave back, as its sender died, is free when the sender's invocation is certainly over. So the limits hold
//! across senders, duplicates and crashes.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use uuid::Uuid;

use super::shares::{self, Share, micros};
use crate::engine::Aws;
use crate::items::item::{Item, get_number, number};
use crate::items::key_schema::{self, EXPIRES, PLACE_TIME, TAKEN};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use crate::queue::Receiver;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

/// How many shares are asked for a place. The message that a request's end wakes asks the share of that one first.
const MAX_SHARES_ASKED: usize = 4;
/// How often a share is asked again: after places of dead senders were removed, and where its time moved on meanwhile.
const MAX_TRIES: u32 = 3;
/// How long the item of a share outlives its last request.
const ITEM_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// A place: of which share, and its name there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) share: u32,
    name: String,
}

/// What came of asking for a place.
#[derive(Debug)]
pub(super) enum Taken {
    /// With a place to be given back, where requests under way are limited.
    Yes(Option<Place>),
    /// With the time when the rate may let one through, where that is what forbids it.
    No(Option<Timestamp>),
}

/// How many requests may begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) places: u32,
    pub(super) tokens: u32,
}

impl Aws {
    /// Takes a place that is over at `over`, of the share `preferred` where there is one.
    pub(super) async fn take_place(
        &self,
        of: &Receiver,
        settings: &FlowSettings,
        preferred: Option<u32>,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Taken> {
        let count = shares::count(settings);
        let mut refused = Taken::No(None);
        for index in order_of_shares(preferred, count) {
            let share = shares::share(settings, index, count);
            match self.take_of_share(of, share, over, now).await? {
                Taken::No(until) => refused = Taken::No(until),
                yes @ Taken::Yes(_) => return Ok(yes),
            }
        }
        Ok(refused)
    }

    async fn take_of_share(
        &self,
        of: &Receiver,
        share: Share,
        over: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Taken> {
        let name = format!("{}#{}", over.millis(), Uuid::new_v4().simple());
        let mut is_ahead = false;
        for _ in 0..MAX_TRIES {
            let item = match self.write_place(of, share, &name, now, is_ahead).await? {
                WriteOutcome::Done(()) => {
                    let place = Place { share: share.index, name };
                    return Ok(Taken::Yes(share.in_flight.map(|_| place)));
                }
                WriteOutcome::Refused(item) => item.unwrap_or_default(),
            };
            if let Some(rate) = share.rate {
                let time = get_number(&item, PLACE_TIME);
                if rate.tokens(time, now) == 0 {
                    let until = time.unwrap_or(0) - rate.tolerance;
                    return Ok(Taken::No(Some(Timestamp::from_millis(until.div_euclid(1000) + 1))));
                }
                is_ahead = time.is_some_and(|time| time > micros(now));
            }
            if live_places(&item, now) >= share.in_flight.unwrap_or(u32::MAX) {
                return Ok(Taken::No(None));
            }
            let dead = dead_places(&item, now);
            if !dead.is_empty() {
                self.remove_places(of, share.index, dead).await?;
            }
        }
        Ok(Taken::No(None))
    }

    /// Takes a place of a share whose time is ahead of now, or is not.
    async fn write_place(
        &self,
        of: &Receiver,
        share: Share,
        name: &str,
        now: Timestamp,
        is_ahead: bool,
    ) -> StoreResult<WriteOutcome<()>> {
        let mut set = vec!["#expires = :expires"];
        let (mut add, mut conditions) = ("", Vec::new());
        let mut update = self
            .update(key_schema::places(&of.tenant, of.subscription_id, share.index))
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":expires", number((Timestamp::now() + ITEM_LIFETIME).seconds()))
            .return_values_on_condition_check_failure(AllOld);
        if let Some(most) = share.in_flight {
            add = " ADD #taken :place";
            conditions.push("(attribute_not_exists(#taken) OR size(#taken) < :most)");
            update = update
                .expression_attribute_names("#taken", TAKEN)
                .expression_attribute_values(":place", AttributeValue::Ss(vec![name.to_owned()]))
                .expression_attribute_values(":most", number(most));
        }
        if let Some(rate) = share.rate {
            let now = micros(now);
            update = update
                .expression_attribute_names("#time", PLACE_TIME)
                .expression_attribute_values(":now", number(now));
            update = if is_ahead {
                set.push("#time = #time + :interval");
                conditions.push("#time > :now AND #time <= :latest");
                update
                    .expression_attribute_values(":interval", number(rate.interval))
                    .expression_attribute_values(":latest", number(now + rate.tolerance))
            } else {
                set.push("#time = :next");
                conditions.push("(attribute_not_exists(#time) OR #time <= :now)");
                update.expression_attribute_values(":next", number(now + rate.interval))
            };
        }
        let update = update
            .update_expression(format!("SET {}{add}", set.join(", ")))
            .condition_expression(conditions.join(" AND "));
        let outcome = write_outcome(update.send().await)?.map(drop);
        outcome.or_own_write(|item| Ok(places(item).iter().any(|taken| taken == name)), drop)
    }

    /// Gives a place back.
    pub(super) async fn give_place_back(&self, of: &Receiver, place: &Place) -> StoreResult<()> {
        self.remove_places(of, place.share, vec![place.name.clone()]).await
    }

    async fn remove_places(&self, of: &Receiver, share: u32, names: Vec<String>) -> StoreResult<()> {
        let update = self
            .update(key_schema::places(&of.tenant, of.subscription_id, share))
            .update_expression("DELETE #taken :places")
            .expression_attribute_names("#taken", TAKEN)
            .expression_attribute_values(":places", AttributeValue::Ss(names));
        write_outcome(update.send().await).map(drop)
    }

    /// How many requests may begin now, by all shares.
    pub(super) async fn room(
        &self,
        of: &Receiver,
        settings: &FlowSettings,
        now: Timestamp,
    ) -> StoreResult<Room> {
        let count = shares::count(settings);
        let keys =
            (0..count).map(|index| key_schema::places(&of.tenant, of.subscription_id, index)).collect();
        let items = match settings.has_limit() {
            true => self.get_all(keys, None).await?,
            false => Vec::new(),
        };
        let mut room = Room { places: 0, tokens: 0 };
        for index in 0..count {
            let share = shares::share(settings, index, count);
            let key = key_schema::places(&of.tenant, of.subscription_id, index);
            let item = items.iter().find(|item| is_of(item, &key));
            let taken = item.map_or(0, |item| live_places(item, now));
            let free = share.in_flight.map_or(u32::MAX, |most| most.saturating_sub(taken));
            let time = item.and_then(|item| get_number(item, PLACE_TIME));
            let tokens = share.rate.map_or(u32::MAX, |rate| rate.tokens(time, now));
            room.places = room.places.saturating_add(free);
            room.tokens = room.tokens.saturating_add(tokens);
        }
        Ok(room)
    }
}

fn is_of(item: &Item, key: &key_schema::ItemKey) -> bool {
    crate::items::item::get_text(item, key_schema::PK) == Some(&key.pk)
}

/// The shares that are asked, in their order: the preferred one, and then any.
fn order_of_shares(preferred: Option<u32>, count: u32) -> Vec<u32> {
    let mut order: Vec<u32> = preferred.filter(|index| *index < count).into_iter().collect();
    let mut bytes = [0; 4];
    // Without randomness all begin with the same one.
    let _ = getrandom::fill(&mut bytes);
    let first = u32::from_ne_bytes(bytes) % count;
    let mut seen: HashSet<u32> = order.iter().copied().collect();
    order.extend((0..count).map(|step| (first + step) % count).filter(|index| seen.insert(*index)));
    order.truncate(MAX_SHARES_ASKED);
    order
}

fn places(item: &Item) -> &[String] {
    item.get(TAKEN).and_then(|taken| taken.as_ss().ok()).map_or(&[], Vec::as_slice)
}

/// Whether a place is one of a sender that has died.
fn is_dead(name: &str, now: Timestamp) -> bool {
    let over = name.split_once('#').and_then(|(over, _)| over.parse().ok());
    over.is_none_or(|over| Timestamp::from_millis(over) <= now)
}

fn dead_places(item: &Item, now: Timestamp) -> Vec<String> {
    places(item).iter().filter(|name| is_dead(name, now)).cloned().collect()
}

fn live_places(item: &Item, now: Timestamp) -> u32 {
    let live = places(item).iter().filter(|name| !is_dead(name, now)).count();
    u32::try_from(live).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
