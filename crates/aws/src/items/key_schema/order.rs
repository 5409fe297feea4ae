//! Keys of the order of deliveries: a partition for each loan and subscription that keeps an order, with the last number that was
//! given and the deliveries with a number that have not ended.

use super::ItemKey;
use loanhook_core::model::delivery::DeliverySnapshot;
use loanhook_core::model::id::{LoanId, SubscriptionId, TenantId};

/// Of deliveries with a number: that number.
pub(crate) const SEQUENCE: &str = "sequence";
/// Of the counter of a loan: the last number that was given.
pub(crate) const LAST: &str = "last";
/// Of an open delivery: its trace. Another name than that of rows, by which the index of rows has them.
pub(crate) const OPEN_TRACE: &str = "of";
/// Of an open delivery: when its first attempt ended without success, in milliseconds since 1970.
pub(crate) const FAILED: &str = "failed";

/// A loan, for one subscription that keeps an order, or did.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OrderedLoan {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionId,
    pub(crate) loan: LoanId,
}

impl OrderedLoan {
    pub(crate) fn of(snapshot: &DeliverySnapshot) -> Self {
        Self {
            tenant: snapshot.tenant.clone(),
            subscription: snapshot.subscription_id,
            loan: snapshot.loan_id.clone(),
        }
    }

    /// Its partition: the counter first, then the open deliveries in their order.
    pub(crate) fn pk(&self) -> String {
        format!("{}{}", ordered_loans_prefix(&self.tenant, self.subscription), self.loan)
    }

    /// The counter of its numbers.
    pub(crate) fn counter(&self) -> ItemKey {
        ItemKey::only(self.pk())
    }

    /// The open delivery of this number.
    pub(crate) fn open_delivery(&self, sequence: u64) -> ItemKey {
        ItemKey { pk: self.pk(), sk: open_delivery_sk(sequence) }
    }

    /// The loan of a partition; none where that is of another kind.
    pub(crate) fn read_pk(pk: &str) -> Option<Self> {
        let mut parts = pk.splitn(4, '#');
        let (kind, tenant) = (parts.next()?, parts.next()?);
        let (subscription, loan) = (parts.next()?, parts.next()?);
        (kind == "N").then_some(())?;
        Some(Self {
            tenant: TenantId::try_from(tenant.to_owned()).ok()?,
            subscription: subscription.parse().ok()?,
            loan: LoanId::try_from(loan.to_owned()).ok()?,
        })
    }
}

/// What the partitions of all loans of a subscription begin with.
pub(crate) fn ordered_loans_prefix(tenant: &TenantId, subscription: SubscriptionId) -> String {
    format!("N#{tenant}#{subscription}#")
}

/// The sort key of the open delivery of this number.
pub(crate) fn open_delivery_sk(sequence: u64) -> String {
    // Padded with zeros, so that numbers sort as text; the sort key of the counter is before all of them.
    format!("{sequence:020}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::key_schema::ONLY_SK;

    #[test]
    fn a_partition_names_its_loan_whatever_that_is_called() {
        for loan in ["727", "A 7", "Börse & Co ✓"] {
            let loan = OrderedLoan {
                tenant: TenantId::try_from("acme-2".to_owned()).expect("a tenant"),
                subscription: "01a207d9-217b-7000-8000-00000000002f".parse().expect("an ID"),
                loan: LoanId::try_from(loan.to_owned()).expect("a loan"),
            };
            assert_eq!(loan.pk(), format!("N#acme-2#01a207d9-217b-7000-8000-00000000002f#{}", loan.loan));
            assert_eq!(OrderedLoan::read_pk(&loan.pk()), Some(loan));
        }
        assert_eq!(OrderedLoan::read_pk("T#acme#01a207d9-217b-7000-8000-00000000002f#7"), None);
        assert_eq!(OrderedLoan::read_pk("N#acme"), None);
    }

    #[test]
    fn open_deliveries_are_sorted_by_their_numbers_behind_the_counter() {
        let sorted = [ONLY_SK.to_owned(), open_delivery_sk(0), open_delivery_sk(9), open_delivery_sk(10)];
        assert!(sorted.is_sorted(), "{sorted:?}");
        assert_eq!(open_delivery_sk(u64::MAX).len(), open_delivery_sk(1).len());
    }
}
