//! Filter of a bulk resend: what the filters of the page mean for deliveries, where they can be chosen by them.
//!
//! The page filters attempts. A delivery is chosen by its newest attempt, and by what became of it.

use super::page_parameters::PageParameters;
use loanhook_core::delivery_list::DeliveryFilterInput;
use loanhook_core::model::id::LoanId;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum BulkFilter {
    /// No filter is set.
    Empty,
    /// These filters tell single attempts apart: no delivery can be chosen by them.
    OfAttempts(Vec<&'static str>),
    /// Deliveries of the loan.
    Deliveries(Box<DeliveryFilterInput>),
}

impl BulkFilter {
    pub(super) fn of(parameters: &PageParameters, loan: &LoanId) -> Self {
        let mut filter =
            DeliveryFilterInput { loan_id: Some(loan.as_str().to_owned()), ..DeliveryFilterInput::default() };
        let (mut set, mut of_attempts) = (0, Vec::new());
        for (name, value) in parameters.filters() {
            let field = match (name, value) {
                ("outcome", "succeeded" | "failed") => &mut filter.status,
                ("eventName", _) => &mut filter.event_name,
                ("subscriptionId", _) => &mut filter.subscription_id,
                ("responseCode", _) => &mut filter.response_code,
                ("error", _) => &mut filter.error,
                _ => {
                    of_attempts.push(name);
                    continue;
                }
            };
            *field = Some(value.to_owned());
            set += 1;
        }
        match (set, of_attempts.is_empty()) {
            (_, false) => Self::OfAttempts(of_attempts),
            (0, true) => Self::Empty,
            (_, true) => Self::Deliveries(Box::new(filter)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> BulkFilter {
        let loan = LoanId::try_from("727".to_owned()).expect("a loan");
        BulkFilter::of(&PageParameters::read(Some(query)), &loan)
    }

    #[test]
    fn filters_that_tell_deliveries_apart_are_those_of_the_job_and_the_loan_always_is() {
        let text = |text: &str| Some(text.to_owned());
        let of_loan = DeliveryFilterInput { loan_id: text("727"), ..DeliveryFilterInput::default() };
        for (query, filter) in [
            ("outcome=failed", DeliveryFilterInput { status: text("failed"), ..of_loan.clone() }),
            (
                "outcome=succeeded&limit=100",
                DeliveryFilterInput { status: text("succeeded"), ..of_loan.clone() },
            ),
            ("error=dns&loanId=728", DeliveryFilterInput { error: text("dns"), ..of_loan.clone() }),
            (
                "eventName=Paid&subscriptionId=s&responseCode=5xx",
                DeliveryFilterInput {
                    event_name: text("Paid"),
                    subscription_id: text("s"),
                    response_code: text("5xx"),
                    ..of_loan
                },
            ),
        ] {
            assert_eq!(of(query), BulkFilter::Deliveries(Box::new(filter)), "{query}");
        }
        assert_eq!(of("limit=100&before=x"), BulkFilter::Empty);
    }

    #[test]
    fn filters_that_tell_attempts_apart_are_named() {
        for (query, names) in [
            ("outcome=sending", vec!["outcome"]),
            ("outcome=queued", vec!["outcome"]),
            ("outcome=failed&eventTitle=Core&from=2026-11-23T10:00:00Z", vec!["eventTitle", "from"]),
            ("attempt=manual&method=POST", vec!["method", "attempt"]),
            ("traceId=x&to=2026-11-23T10:00:00Z", vec!["traceId", "to"]),
        ] {
            assert_eq!(of(query), BulkFilter::OfAttempts(names), "{query}");
        }
    }
}
