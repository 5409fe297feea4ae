//! Webhooks of a run, and the events for them.

use fastrand::Rng;
use loanhook_contract::scene::{self, MILLISECOND};
use loanhook_core::model::event::Event;
use loanhook_core::model::flow::{DeliveryOrder, FlowSettings};
use loanhook_core::model::id::TenantId;
use loanhook_core::model::retry::{Exponential, RetryPolicy};
use loanhook_core::model::subscription::{Criteria, Fire, Method, Subscription};
use loanhook_core::model::time::Timestamp;

/// The header that is a credential: its value is [`credential_of`] the host that it was given for.
pub(crate) const CREDENTIAL_HEADER: &str = "Authorization";
/// The header by which a receiver knows of which event a request is.
pub(crate) const EVENT_HEADER: &str = "X-Event";
/// The triggers are true where the variable `days` is more than this.
const TRIGGER: &str = "(> days 30)";

/// A webhook with settings that are drawn; `place` tells those that are made at once apart.
pub(crate) fn webhook(rng: &mut Rng, tenant: &TenantId, place: u32, at: Timestamp) -> Subscription {
    let mut subscription =
        scene::subscription(tenant, &format!("Webhook {place}"), &[], at + place * MILLISECOND);
    let settings = &mut subscription.settings;
    settings.criteria = match rng.u32(..4) {
        0 => Criteria::Trigger { trigger: TRIGGER.into(), fire: Fire::OnChange, since: 1 },
        1 => Criteria::Trigger { trigger: TRIGGER.into(), fire: Fire::EveryMatch, since: 1 },
        _ => Criteria::Events(vec!["*".into()]),
    };
    settings.request.headers = [EVENT_HEADER, "X-Loan", CREDENTIAL_HEADER]
        .into_iter()
        .zip(["[[v('n')]]", "[[v('loan-id')]]", ""])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    change(rng, &mut subscription);
    subscription
}

/// Changes what a webhook sends, and when: what was accepted before must not notice.
pub(crate) fn change(rng: &mut Rng, subscription: &mut Subscription) {
    let settings = &mut subscription.settings;
    let health = [100, 95, 60, 20, 0][rng.usize(..5)];
    settings.request.url = format!("https://r{health}.example.com/hooks/{}/[[v('loan-id')]]", rng.u32(..100));
    let credential = credential_of(&settings.request.url);
    settings.request.headers.insert(CREDENTIAL_HEADER.into(), credential);
    settings.request.method = if rng.u32(..8) == 0 { Method::Get } else { Method::Post };
    settings.request.payload = match rng.u32(..10) {
        0 => Some("{\"missing\": [[v('missing')]]}".into()),
        1..5 => Some("{\"event\": [[v('n')]], \"days\": [[v('days')]]}".into()),
        _ => None,
    };
    settings.timeout_seconds = rng.u32(1..=30);
    settings.retry = retry(rng);
    settings.flow = flow(rng);
}

/// The credential that is given for the host of a URL.
pub(crate) fn credential_of(url: &str) -> String {
    format!("Bearer of {}", url.split('/').nth(2).unwrap_or_default())
}

/// Every third keeps the order of its loans, and some have limits or an automatic hold. What is stuck steps aside, or a run would
/// take longer than it may.
fn flow(rng: &mut Rng) -> FlowSettings {
    let order = if rng.u32(..3) == 0 { DeliveryOrder::Loan } else { DeliveryOrder::None };
    FlowSettings {
        max_in_flight: (rng.u32(..4) == 0).then(|| rng.u32(1..4)),
        max_per_second: (rng.u32(..4) == 0).then(|| [0.1, 0.5, 1.0, 2.5, 5.0][rng.usize(..5)]),
        order,
        step_aside_after_seconds: Some([60, 600, 3600][rng.usize(..3)]),
        hold_after_failures: (rng.u32(..3) == 0).then(|| rng.u32(3..6)),
    }
}

fn retry(rng: &mut Rng) -> RetryPolicy {
    match rng.u32(..6) {
        0 => RetryPolicy::Delays { delays: Vec::new() },
        1 => RetryPolicy::default(),
        2 => RetryPolicy::Interval { interval: rng.u32(1..120), max_retries: rng.u32(..6) },
        3 => RetryPolicy::Exponential {
            exponential: Exponential {
                base: rng.u32(1..30),
                factor: [1.0, 2.0, 3.5][rng.usize(..3)],
                cap: 3600,
                max_retries: rng.u32(1..6),
                jitter: [0.0, 0.5, 1.0][rng.usize(..3)],
            },
        },
        _ => RetryPolicy::Delays { delays: (0..rng.usize(1..6)).map(|_| rng.u32(1..300)).collect() },
    }
}

/// An event of a loan; every event has another number.
pub(crate) fn event(number: u32, loan: u32, days: u32) -> Event {
    scene::event(&format!("L{loan}"), &format!("{{\"n\": {number}, \"days\": {days}}}"))
}

/// Whether the triggers are true at an event.
pub(crate) const fn triggers(days: u32) -> bool {
    days > 30
}
