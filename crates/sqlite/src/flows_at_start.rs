//! Flows at the start: the scheduler is given the settings and states that are stored.

use rusqlite::{Connection, Row};

use super::flow_states::{put, states};
use super::queue::QueueScheduler;
use super::subscription_versions::opened_row;
use super::unreadable::read_all;
use loanhook_core::model::flow::throttle::SentBefore;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_seal::Keyring;

/// Gives the scheduler the settings and states that are stored. Limits of a deleted subscription are kept for its deliveries.
pub(crate) fn load(
    connection: &Connection,
    keyring: &Keyring,
    scheduler: &QueueScheduler,
) -> rusqlite::Result<()> {
    let mut newest = connection.prepare(
        "SELECT id, tenant, doc, current FROM subscriptions AS newest WHERE doc LIKE '%\"flow\":%' AND version =
             (SELECT max(version) FROM subscriptions AS of WHERE of.tenant = newest.tenant AND of.id = newest.id)",
    )?;
    let settings = |row: &Row<'_>| Ok((opened_row(row, (1, 0, 2), keyring)?, row.get(3)?));
    let newest: Vec<(Subscription, bool)> = read_all(newest.query([])?, &"flow settings", settings)?;
    for (subscription, is_current) in newest {
        let of = (&subscription.tenant, subscription.id);
        scheduler.set_flow_settings(of, subscription.settings.flow, SentBefore::Unknown);
        if !is_current {
            scheduler.forget_flow_state(of);
        }
    }
    for (tenant, id, state) in states(connection)? {
        // The clock may have been set back since the process before this one ended.
        let bounded = state.bounded_by(Timestamp::now());
        if bounded != state {
            put(connection, (&tenant, id), &bounded)?;
        }
        scheduler.resume_flow_state((&tenant, id), &bounded);
    }
    Ok(())
}
