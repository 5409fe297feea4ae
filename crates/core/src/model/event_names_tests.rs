use super::*;
use crate::model::id::{SubscriptionId, TenantId};
use crate::model::secret::{Secrets, SigningSecret};
use crate::model::subscription::{CriteriaInput, SubscriptionInput};
use crate::model::time::Timestamp;

fn subscription(events: &[&str]) -> Arc<Subscription> {
    let now = Timestamp::from_millis(0);
    let events = events.iter().map(|name| (*name).to_owned()).collect();
    let criteria = CriteriaInput { events: Some(events), ..CriteriaInput::default() };
    let url = "https://core.example.com/hooks".into();
    let input = SubscriptionInput::with_defaults("Core banking".into(), criteria, url);
    Arc::new(Subscription {
        id: SubscriptionId::at(now),
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        version: 1,
        created_at: now,
        updated_at: now,
        updated_by: None,
        settings: input.check(None).expect("good settings"),
        secrets: Secrets::new(SigningSecret::generate().expect("randomness")),
    })
}

/// The names that an event's name is said to be nearly, in the order of their warnings.
fn nearly<'n>(name: &str, of: &[&[&str]], known: &[&'n str]) -> Vec<&'n str> {
    let subscriptions: Vec<_> = of.iter().map(|events| subscription(events)).collect();
    let warnings = warnings(name, &subscriptions);
    let named = |warning: &String| {
        let other = known.iter().find(|other| warning.contains(&format!("is not the name {other:?} that")));
        *other.unwrap_or_else(|| panic!("{warning}"))
    };
    assert!(warnings.iter().all(|warning| warning.contains("names are compared exactly")), "{warnings:?}");
    warnings.iter().map(named).collect()
}

#[test]
fn a_name_that_differs_only_in_form_is_warned_of() {
    for (name, of, expected) in [
        ("core posted", &[&["Core Posted"] as &[&str]] as &[&[&str]], &["Core Posted"] as &[&str]),
        ("Core Posted", &[&["Core Posted"]], &[]),
        ("Core Postponed", &[&["Core Posted"]], &[]),
        // In another normal form, with a blank that does not break, with two blanks.
        ("Bo\u{308}rse", &[&["B\u{f6}rse"]], &["B\u{f6}rse"]),
        ("B\u{d6}RSE", &[&["B\u{f6}rse"]], &["B\u{f6}rse"]),
        ("Core\u{a0}Posted", &[&["Core Posted"]], &["Core Posted"]),
        ("Core  Posted ", &[&["Core Posted"]], &["Core Posted"]),
        // A subscription that asks for it exactly, and another that does not.
        (
            "Core Posted",
            &[&["Core Posted", "core posted"], &["CORE POSTED"]],
            &["CORE POSTED", "core posted"],
        ),
        // Once, however many subscriptions have it; never of what takes every name.
        ("core posted", &[&["Core Posted"], &["Core Posted"], &["*"]], &["Core Posted"]),
        ("*", &[&["*"]], &[]),
        // The catalogue's names, but for a name that a subscription means.
        ("payment posted to account", &[], &["Payment Posted to Account"]),
        ("Payment Posted to Account", &[], &[]),
        ("payment posted to account", &[&["payment posted to account"]], &[]),
        ("Payment Posted to Account", &[&["payment posted to account"]], &["payment posted to account"]),
    ] {
        let known = [
            "Core Posted",
            "core posted",
            "CORE POSTED",
            "B\u{f6}rse",
            "Payment Posted to Account",
            "payment posted to account",
        ];
        assert_eq!(nearly(name, of, &known), expected, "{name:?}");
    }
}

#[test]
fn an_event_gets_a_few_warnings_at_most() {
    let spellings: Vec<String> = (0..8)
        .map(|upper| {
            let spell =
                |(i, letter): (usize, char)| if i == upper { letter.to_ascii_uppercase() } else { letter };
            "disburse".chars().enumerate().map(spell).collect()
        })
        .collect();
    let spellings: Vec<&str> = spellings.iter().map(String::as_str).collect();
    assert_eq!(warnings("disburse", &[subscription(&spellings)]).len(), MAX_WARNINGS);
}
