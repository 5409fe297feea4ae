//! Plan of a job: what it would do, without a job.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::NewJob;
use super::listing::Part;
use crate::delivery_list::ListedDelivery;
use crate::model::delivery::DeliveryPosition;
use crate::model::id::TenantId;
use crate::model::job::Selection;
use crate::model::time::Timestamp;
use crate::ports::{DeliveryList, FlowControl, Ledger, StoreResult};

/// How many deliveries a plan counts.
pub const MAX_PLANNED: u32 = 100_000;
/// How many parts of the list a plan reads, in each of which up to 5,000 deliveries are looked at.
const MAX_PARTS: u32 = 40;
/// How many of the deliveries that come first a plan shows.
const SHOWN: usize = 20;

/// What a job would do now.
#[derive(Debug, Default)]
pub struct Plan {
    /// How many deliveries it would take.
    pub count: u32,
    /// There may be more than were counted: those that are shown may not be the first.
    pub more: bool,
    /// How many would be left alone, since a newer one of their loan and subscription is taken.
    pub superseded: u32,
    /// Of how many loans they are.
    pub loans: u32,
    /// The first that would be taken, the oldest first.
    pub deliveries: Vec<ListedDelivery>,
    /// How long it takes at least.
    pub duration: Duration,
}

/// What the job would do if it were made now.
///
/// # Errors
///
/// When the store fails.
pub async fn plan<S: DeliveryList + FlowControl + Ledger>(
    store: &S,
    tenant: &TenantId,
    new: &NewJob,
    now: Timestamp,
) -> StoreResult<Plan> {
    let of = (tenant, &new.request);
    let mut counted = Counted::default();
    if new.request.selection == Selection::Traces {
        counted.add(Part::of_traces(store, of, &new.traces, now).await?, new.request.newest_per_loan);
    } else {
        let mut before = Some(DeliveryPosition::first_at(now.plus_millis(1)));
        let mut parts = 0..MAX_PARTS;
        while let Some(position) = before {
            if counted.plan.count + counted.plan.superseded >= MAX_PLANNED || parts.next().is_none() {
                counted.plan.more = true;
                break;
            }
            let part = Part::of_filter(store, of, position, now).await?;
            before = part.goes_on;
            counted.add(part, new.request.newest_per_loan);
        }
    }
    let Counted { mut plan, loans, last, .. } = counted;
    plan.loans = u32::try_from(loans.len()).unwrap_or(u32::MAX);
    plan.deliveries = last.into_iter().rev().collect();
    // The first is taken at once.
    plan.duration = Duration::from_secs_f64(f64::from(plan.count.saturating_sub(1)) / new.request.per_second);
    Ok(plan)
}

#[derive(Default)]
struct Counted {
    plan: Plan,
    loans: HashSet<String>,
    of_subscriptions: HashSet<(String, uuid::Uuid)>,
    /// The oldest that were counted, newest first.
    last: VecDeque<ListedDelivery>,
}

impl Counted {
    fn add(&mut self, part: Part, newest_per_loan: bool) {
        for listed in part.deliveries {
            let snapshot = &listed.delivery.snapshot;
            // Operational events are of no loan.
            if let Some(loan) = snapshot.loan_id.shown() {
                let of_subscription = (loan.to_owned(), snapshot.subscription_id.uuid());
                if newest_per_loan && !self.of_subscriptions.insert(of_subscription) {
                    self.plan.superseded += 1;
                    continue;
                }
                self.loans.insert(loan.to_owned());
            }
            self.plan.count += 1;
            if self.last.len() == SHOWN {
                self.last.pop_front();
            }
            self.last.push_back(listed);
        }
    }
}
