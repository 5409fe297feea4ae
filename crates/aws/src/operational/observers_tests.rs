//! Since when a tenant is observed, by the changes of its subscriptions.

use uuid::Uuid;

use super::*;

const START: i64 = 1_795_428_000_000;

fn id(number: u128) -> SubscriptionId {
    SubscriptionId::from_uuid(Uuid::from_u128(number))
}

fn change(number: u128, is_observer: IsObserver) -> SettingsChange {
    let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
    SettingsChange { tenant, subscription: id(number), is_observer }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START + 1000 * seconds)
}

#[test]
fn a_tenant_is_observed_from_the_first_that_comes_until_the_last_goes() {
    let (came, gone, unread) =
        (|seconds| IsObserver::Since(at(seconds)), IsObserver::No, IsObserver::Unknown);
    for (changes, expected) in [
        (&[][..], None),
        (&[(1, came(1))], Some((1, &[1][..]))),
        (&[(1, came(1)), (1, came(5))], Some((1, &[1]))),
        (&[(1, came(1)), (2, came(2)), (1, gone)], Some((1, &[2]))),
        (&[(1, came(1)), (2, came(2)), (1, gone), (3, came(3)), (2, gone)], Some((1, &[3]))),
        (&[(1, came(1)), (1, gone), (2, came(2))], Some((2, &[2]))),
        (&[(1, came(1)), (2, gone), (3, unread)], Some((1, &[1]))),
        (&[(1, came(1)), (1, unread)], Some((1, &[1]))),
        (&[(1, came(1)), (1, gone), (2, unread)], None),
    ] {
        let after = changes.iter().fold(None, |before, (number, is_observer)| {
            Observers::after(before, &change(*number, *is_observer))
        });
        let expected = expected.map(|(since, ids)| Observers::new(at(since), ids.iter().map(|one| id(*one))));
        assert_eq!(after, expected, "{changes:?}");
    }
}

#[test]
fn an_item_is_read_as_it_was_written() {
    let tenant_name = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let observers = Observers::new(at(3), [id(1), id(2)]);
    let write = replace("reports", &tenant_name, None, Some(&observers)).expect("a write").expect("a change");
    let item = write.put().expect("a put").item();
    assert_eq!(tenant(item), Some(tenant_name.clone()));
    assert_eq!(Observers::read(item).expect("observers"), observers);
    let same = replace("reports", &tenant_name, Some(&observers), Some(&observers)).expect("no write");
    assert_eq!(same, None);
}
