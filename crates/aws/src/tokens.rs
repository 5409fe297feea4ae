//! OAuth tokens: an item for each version of a subscription, which all instances share.
//!
//! A fetch begins and ends by a conditional update of the item: on the generation that its caller has seen, and by the ID of its
//! lease. So of many instances that find no token one fetches it; the others read the item again and again until the fetch has
//! ended. The value of a token is sealed, with a data key that is at hand before the fetch begins: its end is one write. An instance keeps a token that may be used, so that it is read once and not for each attempt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use tracing::warn;
use uuid::Uuid;

use crate::engine::Aws;
use crate::items::item::{Item, get_number, get_text, number, parse, parse_number, text};
use crate::items::key_schema::{
    self, DETAIL, ENDED, EXPIRES, FETCH, FETCH_UNTIL, GENERATION, KIND, TOKEN_VALUE, USE_UNTIL,
};
use crate::items::write_outcome::{WriteOutcome, write_outcome};
use loanhook_core::model::failure::{Failure, Phase};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    BeginFetchOutcome, FetchLease, FetchOutcome, StoreResult, StoredToken, TokenKey, TokenRecord, Tokens,
};

/// With so many tokens the map of an instance is emptied before the next one.
const MAX_KNOWN: usize = 10_000;
/// How long an item outlives what it says.
const ITEM_LIFETIME: Duration = Duration::from_secs(3600);
/// How often whoever waits for a fetch reads its item: after 200 to 600 ms, so that many do not read at once.
const MIN_WAIT_MS: u64 = 200;
const WAIT_SPREAD_MS: u128 = 400;

/// Tokens as this instance read them last.
#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<HashMap<TokenKey, TokenRecord>>);

impl KnownTokens {
    fn lock(&self) -> MutexGuard<'_, HashMap<TokenKey, TokenRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was last read of a token that may still be used.
    fn get(&self, key: &TokenKey, now: Timestamp) -> Option<TokenRecord> {
        self.lock().get(key).filter(|record| has_token(record, now)).cloned()
    }

    fn put(&self, key: &TokenKey, record: &TokenRecord) {
        let mut records = self.lock();
        if records.len() >= MAX_KNOWN {
            records.clear();
        }
        records.insert(key.clone(), record.clone());
    }

    fn forget(&self, key: &TokenKey) {
        self.lock().remove(key);
    }
}

fn has_token(record: &TokenRecord, now: Timestamp) -> bool {
    let token = record.outcome.as_ref().and_then(|outcome| outcome.result.as_ref().ok());
    token.is_some_and(|token| now < token.use_until)
}

impl Tokens for Aws {
    async fn token(&self, key: &TokenKey) -> StoreResult<TokenRecord> {
        if let Some(known) = self.known_tokens().get(key, Timestamp::now()) {
            return Ok(known);
        }
        // Of an item that has expired the generation still counts: a fetch begins behind it.
        let item = self.get_also_expired(key_schema::token(key)).await?;
        let record = self.token_record(key, item.as_ref()).await?;
        // While a fetch is under way, the token may be one that a receiver has refused.
        if record.fetching_until.is_none() {
            self.known_tokens().put(key, &record);
        }
        Ok(record)
    }

    async fn begin_fetch(
        &self,
        key: &TokenKey,
        generation: u64,
        lease: FetchLease,
        now: Timestamp,
    ) -> StoreResult<BeginFetchOutcome> {
        self.known_tokens().forget(key);
        // Where it is not to be had, nobody is asked for a token that could not be stored.
        self.sealing_keyring().await?;
        let seen = match generation {
            0 => "(attribute_not_exists(#generation) OR #generation = :seen)",
            _ => "#generation = :seen",
        };
        let update = self
            .update(key_schema::token(key))
            .update_expression(
                "SET #fetch = :fetch, #until = :until, #expires = :expires, #generation = if_not_exists(#generation, :seen)",
            )
            .condition_expression(format!("{seen} AND (attribute_not_exists(#until) OR #until <= :now)"))
            .expression_attribute_names("#generation", GENERATION)
            .expression_attribute_names("#fetch", FETCH)
            .expression_attribute_names("#until", FETCH_UNTIL)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":seen", number(generation))
            .expression_attribute_values(":fetch", text(lease.fetch.to_string()))
            .expression_attribute_values(":until", number(lease.until.millis()))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":expires", number((lease.until + ITEM_LIFETIME).seconds()))
            .return_values_on_condition_check_failure(AllOld);
        let is_own = |item: &Item| Ok(get_text(item, FETCH) == Some(lease.fetch.to_string().as_str()));
        Ok(match write_outcome(update.send().await)?.map(drop).or_own_write(is_own, drop)? {
            WriteOutcome::Done(()) => BeginFetchOutcome::Begun,
            WriteOutcome::Refused(item) => {
                BeginFetchOutcome::NotBegun(self.token_record(key, item.as_ref()).await?)
            }
        })
    }

    async fn extend_fetch(&self, key: &TokenKey, lease: FetchLease) -> StoreResult<()> {
        let update = self
            .update(key_schema::token(key))
            .update_expression("SET #until = :until, #expires = :expires")
            .condition_expression("#fetch = :fetch")
            .expression_attribute_names("#fetch", FETCH)
            .expression_attribute_names("#until", FETCH_UNTIL)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":fetch", text(lease.fetch.to_string()))
            .expression_attribute_values(":until", number(lease.until.millis()))
            .expression_attribute_values(":expires", number((lease.until + ITEM_LIFETIME).seconds()));
        // Refused where the fetch has ended, or the lease is another one's by now.
        write_outcome(update.send().await).map(|_| ())
    }

    async fn end_fetch(&self, key: &TokenKey, fetch: Uuid, outcome: Option<FetchOutcome>) -> StoreResult<()> {
        let update = self
            .update(key_schema::token(key))
            .condition_expression("#fetch = :fetch")
            .expression_attribute_names("#generation", GENERATION)
            .expression_attribute_names("#fetch", FETCH)
            .expression_attribute_names("#until", FETCH_UNTIL)
            .expression_attribute_names("#ended", ENDED)
            .expression_attribute_names("#value", TOKEN_VALUE)
            .expression_attribute_names("#useUntil", USE_UNTIL)
            .expression_attribute_names("#kind", KIND)
            .expression_attribute_names("#detail", DETAIL)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":fetch", text(fetch.to_string()));
        const NEXT: &str = "SET #generation = #generation + :one, #expires = :expires";
        const SET: &str = "SET #generation = #generation + :one, #expires = :expires, #ended = :at";
        let Some(FetchOutcome { at, result }) = outcome else {
            let expires = Timestamp::now() + ITEM_LIFETIME;
            let update = update
                .update_expression(format!(
                    "{NEXT} REMOVE #fetch, #until, #ended, #value, #useUntil, #kind, #detail"
                ))
                .expression_attribute_values(":expires", number(expires.seconds()));
            return write_outcome(update.send().await).map(|_| ());
        };
        let update = update.expression_attribute_values(":at", number(at.millis()));
        let update = match result {
            Ok(token) => update
                .update_expression(format!(
                    "{SET}, #value = :value, #useUntil = :useUntil REMOVE #fetch, #until, #kind, #detail"
                ))
                .expression_attribute_values(
                    ":value",
                    text(self.seal_prepared_text(&token.value, &place(key)).await?),
                )
                .expression_attribute_values(":useUntil", number(token.use_until.millis()))
                .expression_attribute_values(
                    ":expires",
                    number((token.use_until.max(at) + ITEM_LIFETIME).seconds()),
                ),
            Err(failure) => update
                .update_expression(format!(
                    "{SET}, #kind = :kind, #detail = :detail REMOVE #fetch, #until, #value, #useUntil"
                ))
                .expression_attribute_values(":kind", text(failure.kind.as_str()))
                .expression_attribute_values(":detail", text(failure.detail))
                .expression_attribute_values(":expires", number((at + ITEM_LIFETIME).seconds())),
        };
        // Refused where the lease is another one's by now, or where this very write was done before.
        write_outcome(update.send().await).map(|_| ())
    }

    async fn fetch_ended(&self, _: &TokenKey, _: u64) {
        let spread = Uuid::new_v4().as_u128() % WAIT_SPREAD_MS;
        let wait = MIN_WAIT_MS + u64::try_from(spread).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// What the value of a token is sealed for.
fn place(key: &TokenKey) -> String {
    format!("{}/token", loanhook_stored::place_of(&key.tenant, key.subscription_id))
}

impl Aws {
    /// What an item says; without one nothing. A token that is damaged, or whose data key is gone, is none: it is fetched anew.
    async fn token_record(&self, key: &TokenKey, item: Option<&Item>) -> StoreResult<TokenRecord> {
        let Some(item) = item else { return Ok(TokenRecord::default()) };
        let at = |name: &str| get_number(item, name).map(Timestamp::from_millis);
        let outcome = match (at(ENDED), get_text(item, TOKEN_VALUE)) {
            (None, _) => None,
            (Some(ended), Some(sealed)) => match self.open_text(sealed, &place(key)).await? {
                Ok(value) => {
                    let use_until = Timestamp::from_millis(parse_number(item, USE_UNTIL)?);
                    Some(FetchOutcome { at: ended, result: Ok(StoredToken { value, use_until }) })
                }
                Err(why) => {
                    warn!(tenant = %key.tenant, subscription_id = %key.subscription_id, %why, "token.not_opened");
                    None
                }
            },
            (Some(ended), None) => {
                let detail = get_text(item, DETAIL).unwrap_or_default();
                let failure = Failure::at(Phase::Prepare, parse(item, KIND)?, detail);
                Some(FetchOutcome { at: ended, result: Err(failure) })
            }
        };
        let generation = parse_number(item, GENERATION)?;
        Ok(TokenRecord { generation, outcome, fetching_until: at(FETCH_UNTIL) })
    }
}
