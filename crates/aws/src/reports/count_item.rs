//! Counts of a group in an hour or a day, as an item.
//!
//! Every count is an attribute of its own, so that counts are added without being read: `s0` to `s7` in the order of
//! [`Counts::scalars`], `a` and the code of a class of attempts, `r` and the number of a bucket of response times, `f` and
//! that of a bucket of times to the first attempt. `event` is the name of the event, of which the key has a hash: a name may
//! be longer than a key.

use std::time::Duration;

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use sha2::{Digest as _, Sha256};

use crate::items::hex::hex;
use crate::items::item::{Item, get_number, get_text, missing_attribute, number, text};
use crate::items::key_schema::{EXPIRES, ItemKey, SK};
use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::report::{AttemptClass, Bucket, CountGroup, Counts, Histogram, Period};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::StoreResult;

const EVENT: &str = "event";
/// How long counts are kept: 13 months.
const RETENTION: Duration = Duration::from_secs(400 * 24 * 3600);
const DAY_MILLIS: i64 = 24 * 3600 * 1000;
/// How many days share a partition of the counts of days.
const DAYS_PER_PARTITION: i64 = 32;
/// Bytes of the hash of an event's name.
const HASH_BYTES: usize = 16;

/// What an item has the counts of: a group in a period, whose beginning stands for the hour of the group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CountKey {
    pub(super) period: Period,
    pub(super) group: CountGroup,
}

/// The partition of counts that begin at this time: of hours those of a day, of days those of about a month.
pub(super) fn partition(tenant: &TenantId, period: Period, start: Timestamp) -> String {
    let day = start.millis().div_euclid(DAY_MILLIS);
    match period {
        Period::Hour => format!("C#{tenant}#{day}"),
        Period::Day => format!("D#{tenant}#{}", day.div_euclid(DAYS_PER_PARTITION)),
    }
}

/// The beginning of all sort keys of a time; they sort by it.
pub(super) fn sort_prefix(start: Timestamp) -> String {
    format!("{:015}", start.millis())
}

impl CountKey {
    /// The hour of a group, and its day.
    pub(super) fn of(group: &CountGroup) -> [Self; 2] {
        let day = CountGroup { hour: Period::Day.beginning(group.hour), ..group.clone() };
        [Self { period: Period::Hour, group: group.clone() }, Self { period: Period::Day, group: day }]
    }

    fn item_key(&self) -> ItemKey {
        let CountGroup { tenant, hour, subscription, event_name } = &self.group;
        let subscription = subscription.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let hash = hex(&Sha256::digest(event_name.as_bytes())[..HASH_BYTES]);
        ItemKey {
            pk: partition(tenant, self.period, *hour),
            sk: format!("{}#{subscription}#{hash}", sort_prefix(*hour)),
        }
    }
}

/// What is added to attributes.
fn additions(counts: &Counts) -> Vec<(String, i64)> {
    let scalars = counts.scalars().into_iter().enumerate().map(|(index, count)| (format!("s{index}"), count));
    let attempts = AttemptClass::ALL.into_iter().zip(counts.attempts);
    let attempts = attempts.map(|(class, count)| (format!("a{}", loanhook_stored::class_code(class)), count));
    let buckets = |letter: char, histogram: &Histogram| {
        let counts = histogram.buckets();
        counts
            .map(|(bucket, count)| {
                (format!("{letter}{}", bucket.number()), i64::try_from(count).unwrap_or(i64::MAX))
            })
            .collect::<Vec<_>>()
    };
    let all = scalars.chain(attempts);
    let all = all.chain(buckets('r', &counts.response_time)).chain(buckets('f', &counts.first_attempt));
    all.filter(|(_, count)| *count != 0).collect()
}

/// How many attributes counts are added to.
pub(super) fn addition_count(counts: &Counts) -> usize {
    additions(counts).len()
}

/// The update that adds counts.
pub(super) fn add(table: &str, key: &CountKey, counts: &Counts) -> UpdateBuilder {
    let expires = key.group.hour + RETENTION;
    let mut update = aws_sdk_dynamodb::types::Update::builder()
        .table_name(table)
        .set_key(Some(key.item_key().attributes()))
        .expression_attribute_names("#event", EVENT)
        .expression_attribute_names("#expires", EXPIRES)
        .expression_attribute_values(":event", text(&key.group.event_name))
        .expression_attribute_values(":expires", number(expires.seconds()));
    let mut added = Vec::new();
    for (index, (name, count)) in additions(counts).into_iter().enumerate() {
        added.push(format!("#{index} :{index}"));
        update = update
            .expression_attribute_names(format!("#{index}"), name)
            .expression_attribute_values(format!(":{index}"), number(count));
    }
    update.update_expression(format!("SET #event = :event, #expires = :expires ADD {}", added.join(", ")))
}

/// What an item says: the beginning of its period, its subscription, the name of its event, its counts.
pub(super) type ReadCounts = (Timestamp, Option<SubscriptionId>, String, Counts);

pub(super) fn read(item: &Item) -> StoreResult<ReadCounts> {
    let key = || missing_attribute(SK);
    let mut parts = get_text(item, SK).ok_or_else(key)?.split('#');
    let start = parts.next().and_then(|part| part.parse().ok()).ok_or_else(key)?;
    let subscription = match parts.next().ok_or_else(key)? {
        "-" => None,
        id => Some(id.parse().map_err(|_| key())?),
    };
    let event = get_text(item, EVENT).ok_or_else(|| missing_attribute(EVENT))?;
    let mut counts = Counts::default();
    for (index, count) in counts.scalars_mut().into_iter().enumerate() {
        *count = get_number(item, &format!("s{index}")).unwrap_or(0);
    }
    for (class, count) in AttemptClass::ALL.into_iter().zip(&mut counts.attempts) {
        *count = get_number(item, &format!("a{}", loanhook_stored::class_code(class))).unwrap_or(0);
    }
    for name in item.keys() {
        let histogram = match name.as_bytes().first() {
            Some(b'r') => &mut counts.response_time,
            Some(b'f') => &mut counts.first_attempt,
            _ => continue,
        };
        let bucket = name[1..].parse().ok().and_then(Bucket::from_number);
        if let (Some(bucket), Some(count)) = (bucket, get_number(item, name)) {
            histogram.add_to(bucket, count);
        }
    }
    Ok((Timestamp::from_millis(start), subscription, event.to_owned(), counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(event_name: &str) -> CountGroup {
        CountGroup {
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            // 2026-11-23T10:00:00Z.
            hour: Timestamp::from_millis(1_795_428_000_000),
            subscription: None,
            event_name: event_name.into(),
        }
    }

    #[test]
    fn the_key_of_an_hour_and_of_a_day() {
        let [hour, day] = CountKey::of(&group("Posted")).map(|key| key.item_key());
        assert_eq!(hour.pk, "C#acme#20780");
        assert_eq!(day.pk, "D#acme#649");
        let hash = &hex(&Sha256::digest(b"Posted"))[..32];
        assert_eq!(hour.sk, format!("001795428000000#-#{hash}"));
        assert_eq!(day.sk, format!("001795392000000#-#{hash}"));
        let long = "ü".repeat(256);
        assert!(CountKey::of(&group(&long))[0].item_key().sk.len() < 1024, "a key has at most 1,024 bytes");
    }

    #[test]
    fn what_is_added_to_an_empty_item_is_read_from_it() {
        let mut counts = Counts { deliveries_accepted: 3, exhausted: -1, ..Counts::default() };
        for class in AttemptClass::ALL {
            counts.count_attempt(class);
        }
        counts.record_response_time(41.7);
        counts.record_response_time(0.0);
        counts.first_attempt.record(u64::MAX);
        let [key, _] = CountKey::of(&group("Posted"));
        let mut item = key.item_key().attributes();
        item.insert(EVENT.into(), text("Posted"));
        item.extend(additions(&counts).into_iter().map(|(name, count)| (name, number(count))));
        assert_eq!(read(&item).expect("counts"), (key.group.hour, None, "Posted".into(), counts.clone()));
        assert_eq!(addition_count(&counts), 2 + AttemptClass::ALL.len() + 3);
    }
}
