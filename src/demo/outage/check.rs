//! Check at the end of the drill: whether the receiver has each payload, byte for byte, and in which order.
//!
//! It goes by what the receiver remembers and by the text of each payload, which the drill writes itself: nothing of it is read
//! from loanhook but the traces of the deliveries, and when those that failed were accepted.

use std::collections::{BTreeMap, HashMap};

use super::events::DrillEvents;
use super::receiver::Received;
use crate::error::CommandResult;
use crate::terminal::table;

/// What is known of the deliveries.
pub(super) struct Accepted<'a> {
    pub(super) events: DrillEvents,
    /// The trace of each event's delivery.
    pub(super) trace_ids: &'a [String],
    /// Of those that the job resent: trace, and when it was accepted, as the API says it.
    pub(super) resent: &'a [(String, String)],
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Check {
    deliveries: usize,
    arrived: usize,
    /// Requests that were taken for a delivery that had arrived.
    again: usize,
    refused: usize,
    /// Requests with other bytes than those of their delivery, or of no delivery.
    wrong: usize,
    of_job: LoansInOrder,
    of_all: LoansInOrder,
}

/// Of so many loans, deliveries arrived, and of so many of these in the order in which they were accepted.
#[derive(Debug, Default, PartialEq, Eq)]
struct LoansInOrder {
    loans: usize,
    in_order: usize,
}

impl Check {
    pub(super) fn of(accepted: &Accepted<'_>, received: &[Received]) -> Self {
        let Accepted { events, trace_ids, resent } = *accepted;
        let numbers: HashMap<&str, usize> =
            trace_ids.iter().enumerate().map(|(number, trace)| (trace.as_str(), number)).collect();
        let mut check = Self { deliveries: events.deliveries, ..Self::default() };
        // When each arrived, by the place among all requests.
        let mut arrivals: HashMap<usize, usize> = HashMap::new();
        for (place, request) in received.iter().enumerate() {
            let number = numbers.get(request.trace_id.as_str()).copied();
            match number.filter(|number| request.body == events.payload(*number)) {
                None => check.wrong += 1,
                Some(_) if !request.was_taken => check.refused += 1,
                Some(number) if arrivals.contains_key(&number) => check.again += 1,
                Some(number) => {
                    arrivals.insert(number, place);
                }
            }
        }
        check.arrived = arrivals.len();
        check.of_all = LoansInOrder::of(
            arrivals.iter().map(|(number, place)| (*place, events.loan(*number), *number)).collect(),
        );
        let of_job = resent.iter().filter_map(|(trace, accepted_at)| {
            let number = *numbers.get(trace.as_str())?;
            Some((*arrivals.get(&number)?, events.loan(number), accepted_at.as_str()))
        });
        check.of_job = LoansInOrder::of(of_job.collect());
        check
    }

    /// Prints what was found.
    ///
    /// # Errors
    ///
    /// Something is missing or wrong, or the job did not keep the order of a loan.
    pub(super) fn print(&self) -> CommandResult {
        let Self { deliveries, arrived, again, refused, wrong, of_job, of_all } = self;
        let in_order = |of: &LoansInOrder| format!("{} of {} loans", of.in_order, of.loans);
        table::details([
            (
                "arrived",
                Some(format!("{arrived} of {deliveries} payloads, each byte for byte as it was to be")),
            ),
            ("arrived again", Some(format!("{again} requests (delivery is at least once)"))),
            ("while it was down", Some(format!("{refused} requests, with the same bytes"))),
            ("wrong", Some(format!("{wrong} requests with other bytes, or of no delivery"))),
            ("in order, of the job", Some(in_order(of_job))),
            ("in order, of all", Some(in_order(of_all))),
        ])?;
        if arrived != deliveries || *wrong > 0 {
            return Err("the receiver does not have every payload as it was to be".to_owned().into());
        }
        if of_job.in_order != of_job.loans {
            return Err("the job did not resend the deliveries of each loan in their order"
                .to_owned()
                .into());
        }
        Ok(())
    }
}

impl LoansInOrder {
    /// Of arrivals: each the place among all requests, the loan, and what is larger for a delivery that was accepted later.
    fn of<K: PartialOrd>(mut arrivals: Vec<(usize, String, K)>) -> Self {
        arrivals.sort_unstable_by_key(|(place, ..)| *place);
        let mut of_loans: BTreeMap<String, Vec<K>> = BTreeMap::new();
        for (_, loan, accepted) in arrivals {
            of_loans.entry(loan).or_default().push(accepted);
        }
        Self { loans: of_loans.len(), in_order: of_loans.values().filter(|of| of.is_sorted()).count() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: DrillEvents = DrillEvents { deliveries: 4, loans: 2 };

    fn request(number: usize, body: &str, was_taken: bool) -> Received {
        Received { trace_id: format!("t{number}"), body: body.to_owned().into(), was_taken }
    }

    fn taken(number: usize) -> Received {
        request(number, &EVENTS.payload(number), true)
    }

    /// The check of these requests, where the job resent the first two, which are of one loan.
    fn check(received: &[Received]) -> Check {
        assert_eq!(EVENTS.loan(0), EVENTS.loan(1));
        let trace_ids: Vec<String> = (0..4).map(|number| format!("t{number}")).collect();
        let resent = [("t1", "10:00:01"), ("t0", "10:00:00")].map(|(id, at)| (id.to_owned(), at.to_owned()));
        Check::of(&Accepted { events: EVENTS, trace_ids: &trace_ids, resent: &resent }, received)
    }

    #[test]
    fn everything_that_arrived_as_it_was_to_be_holds() {
        let refused = request(0, &EVENTS.payload(0), false);
        // Of the other loan the newer delivery came first: only what a job resends has an order.
        let found = check(&[refused, taken(0), taken(3), taken(1), taken(1), taken(2)]);
        let of_job = LoansInOrder { loans: 1, in_order: 1 };
        let of_all = LoansInOrder { loans: 2, in_order: 1 };
        let expected = Check { deliveries: 4, arrived: 4, again: 1, refused: 1, wrong: 0, of_job, of_all };
        assert_eq!(found, expected);
        found.print().expect("it holds");
    }

    #[test]
    fn what_is_missing_or_changed_and_a_job_out_of_order_do_not_hold() {
        let changed = request(2, "{}", true);
        let unknown = request(9, &EVENTS.payload(2), true);
        for received in [
            &[taken(0), taken(1), taken(2)][..],
            &[taken(0), taken(1), changed.clone(), taken(3)],
            &[taken(0), taken(1), taken(2), taken(3), changed],
            &[taken(0), taken(1), taken(2), taken(3), unknown],
            &[taken(1), taken(0), taken(2), taken(3)],
        ] {
            assert!(check(received).print().is_err(), "{received:?}");
        }
    }
}
