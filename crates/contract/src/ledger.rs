//! The ledger: every accepted event, with what each subscription decided about it.

use loanhook_core::intake;
use loanhook_core::ledger::{self, EventFilter, EventWithStatuses};
use loanhook_core::model::id::{EventId, LoanId, SubscriptionId, TenantId};
use loanhook_core::model::ledger::{Decision, DecisionKind, EventResult, LedgerEvent};
use loanhook_core::model::subscription::{Criteria, Fire, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{
    AcceptOutcome, IdempotencyKey, IdempotencyRecord, Intake, Ledger, Payloads, ReplaceOutcome, StoreResult,
    Subscriptions,
};

use crate::engine::Engine;
use crate::scene::{DAY, MILLISECOND, SECOND, START, Scene, event, loan, subscription, tenant, unwatched};
use crate::triggers::{LATE, send, submit, with};

const EARLY: &str = r#"{"days": 3}"#;
const MANY: usize = 100;

fn acme() -> TenantId {
    tenant("acme")
}

async fn event_of<E: Engine>(engine: &E, id: EventId) -> StoreResult<LedgerEvent> {
    Ok(engine.ports().event(&acme(), id).await?.expect("an event"))
}

/// A subscription of acme with these criteria, created so many milliseconds after the start.
fn with_criteria(title: &str, millis: u32, criteria: Criteria) -> Subscription {
    let mut made = subscription(&acme(), title, &[300], START + millis * MILLISECOND);
    made.settings.criteria = criteria;
    made
}

fn trigger(source: &str, fire: Fire) -> Criteria {
    Criteria::Trigger { trigger: source.into(), fire, since: 1 }
}

pub(crate) async fn an_event_has_the_verdict_of_every_subscription_that_asks_for_it<E: Engine>()
-> StoreResult<()> {
    let all = || Criteria::Events(vec!["*".into()]);
    let mut restricted = with_criteria("Restricted", 2, all());
    restricted.settings.restriction = Some("(< days 5)".into());
    let mut disabled = with_criteria("Disabled", 3, all());
    disabled.settings.enabled = false;
    let mut disabled_for_others = with_criteria("Other", 4, Criteria::Events(vec!["Other".into()]));
    disabled_for_others.settings.enabled = false;
    let subscriptions = [
        with_criteria("All", 0, all()),
        with_criteria("Late", 1, trigger("(> days 60)", Fire::EveryMatch)),
        restricted,
        disabled,
        disabled_for_others,
        with_criteria("For others", 5, Criteria::Events(vec!["Other".into()])),
        with_criteria("Fails", 6, trigger("(> limit 60)", Fire::EveryMatch)),
        with_criteria("On change", 7, trigger("(> days 30)", Fire::OnChange)),
        with_criteria("Never", 8, trigger("(> days 90)", Fire::OnChange)),
    ];
    let engine = with::<E>(&subscriptions.iter().collect::<Vec<_>>()).await?;
    let of = |n: usize| subscriptions[n].id;
    let expected = |on_change| {
        [
            (of(0), DecisionKind::Delivered),
            (of(1), DecisionKind::TriggerFalse),
            (of(2), DecisionKind::RestrictionFalse),
            (of(3), DecisionKind::Disabled),
            (of(6), DecisionKind::FormulaError),
            (of(7), on_change),
            (of(8), DecisionKind::TriggerFalse),
        ]
    };
    for (step, on_change) in [(0, DecisionKind::Delivered), (1, DecisionKind::AlreadyTrue)] {
        let receipt = send(&engine, "727", LATE, step).await;
        let found = event_of(&engine, receipt.event_id).await?;
        let verdicts =
            found.verdicts.iter().map(|verdict| (verdict.subscription_id, verdict.decision.kind()));
        assert_eq!(verdicts.collect::<Vec<_>>(), expected(on_change), "event {step}");
        let promised: Vec<_> = receipt.deliveries.iter().map(|delivery| delivery.trace_id).collect();
        assert_eq!(found.traces().collect::<Vec<_>>(), promised);
        assert_eq!((found.loan_id.as_str(), found.accepted_at), ("727", START + step * SECOND));
        assert!(!found.test);
        let [first, ..] = found.verdicts.as_slice() else { panic!("no verdicts") };
        assert_eq!((first.title.as_str(), first.version), ("All", 1));
        let failed = &found.verdicts[4].decision;
        assert!(matches!(failed, Decision::FormulaError(detail) if !detail.is_empty()), "{failed:?}");
    }
    Ok(())
}

pub(crate) async fn a_restriction_that_forbids_a_rising_edge_is_the_verdict<E: Engine>() -> StoreResult<()> {
    let mut late = with_criteria("Late", 0, trigger("(> days 30)", Fire::OnChange));
    late.settings.restriction = Some("(> days 60)".into());
    let engine = with::<E>(&[&late]).await?;
    for (step, kind) in [(0, DecisionKind::RestrictionFalse), (1, DecisionKind::AlreadyTrue)] {
        let found = event_of(&engine, send(&engine, "727", LATE, step).await.event_id).await?;
        assert_eq!(found.verdicts.iter().map(|verdict| verdict.decision.kind()).collect::<Vec<_>>(), [kind]);
    }
    Ok(())
}

pub(crate) async fn an_event_that_nothing_matches_is_in_the_ledger_with_its_context<E: Engine>()
-> StoreResult<()> {
    let engine = E::fresh().await;
    let context = r#"{ "last-payment-amount": 250.00, "b": {"a": 1e2} }"#;
    let receipt = send(&engine, "727", context, 0).await;
    assert!(receipt.deliveries.is_empty());
    let found = event_of(&engine, receipt.event_id).await?;
    assert_eq!((found.name.as_str(), found.verdicts.len()), ("Payment Posted to Account", 0));
    let bytes = engine.ports().payload(&acme(), found.context.payload).await?.expect("a payload");
    let from = found.context.offset as usize;
    assert_eq!(bytes[from..from + found.context.bytes as usize], *context.as_bytes());
    assert_eq!(engine.ports().event(&tenant("other"), receipt.event_id).await?, None);
    assert_eq!(engine.ports().event(&acme(), EventId::at(START)).await?, None);
    Ok(())
}

pub(crate) async fn events_of_a_loan_are_listed_newest_first_within_bounds<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let mut sent = Vec::new();
    for step in 0..5 {
        sent.push(send(&engine, "727", EARLY, step).await.event_id);
        send(&engine, "728", EARLY, step).await;
    }
    sent.reverse();
    let list = async |of: &TenantId, loan: &LoanId, oldest, before, limit| {
        let events = engine.ports().events(of, loan, oldest, before, limit).await?;
        StoreResult::Ok(events.into_iter().map(|event| event.id).collect::<Vec<_>>())
    };
    let of_loan = loan("727");
    assert_eq!(list(&acme(), &of_loan, None, None, MANY).await?, sent);
    assert_eq!(list(&acme(), &of_loan, None, None, 2).await?, sent[..2]);
    assert_eq!(list(&acme(), &of_loan, None, Some(sent[1]), 2).await?, sent[2..4]);
    let oldest = Some(EventId::first_at(START + 2 * SECOND));
    assert_eq!(list(&acme(), &of_loan, oldest, Some(sent[0]), MANY).await?, sent[1..3]);
    assert_eq!(list(&acme(), &loan("729"), None, None, MANY).await?, []);
    assert_eq!(list(&tenant("other"), &of_loan, None, None, MANY).await?, []);
    Ok(())
}

pub(crate) async fn a_repeated_call_adds_no_event<E: Engine>() -> StoreResult<()> {
    let all = with_criteria("All", 0, Criteria::Events(vec!["*".into()]));
    let engine = with::<E>(&[&all]).await?;
    let first = submit(&engine, "727", EARLY, Some("a"), START).await;
    let stored = event_of(&engine, first.event_id).await?;
    let again = submit(&engine, "727", EARLY, Some("a"), START + SECOND).await;
    assert_eq!(again.event_id, first.event_id);
    assert_eq!(engine.ports().events(&acme(), &loan("727"), None, None, MANY).await?, [stored]);
    Ok(())
}

/// A first call that stopped after its record, whose subscriptions were changed before the repeat.
pub(crate) async fn a_repeated_call_stores_the_event_of_one_that_crashed<E: Engine>() -> StoreResult<()> {
    let all = with_criteria("All", 0, Criteria::Events(vec!["*".into()]));
    let late = with_criteria("Late", 1, trigger("(> days 60)", Fire::EveryMatch));
    let fails = with_criteria("Fails", 2, trigger("(> limit 60)", Fire::EveryMatch));
    let engine = with::<E>(&[&all, &late, &fails]).await?;
    let digest = event("727", LATE).digest();
    let id = EventId::at(START);
    let record = IdempotencyRecord {
        digest,
        event_id: id,
        accepted_at: START,
        matched: vec![(all.id, 1)],
        unmatched: vec![(late.id, 1, DecisionKind::TriggerFalse), (fails.id, 1, DecisionKind::FormulaError)],
    };
    let key = IdempotencyKey { key: "a".into(), until: START + DAY };
    let crashed = unwatched(&acme(), Some((key, record)), vec![], START);
    assert_eq!(
        engine.ports().accept(crashed, Default::default()).await?,
        AcceptOutcome::Stored { fired: vec![] }
    );
    let mut changed = late.clone();
    changed.version = 2;
    changed.settings.title = "Changed".into();
    assert!(matches!(engine.ports().replace(changed).await?, ReplaceOutcome::Replaced));

    let receipt = submit(&engine, "727", LATE, Some("a"), START + SECOND).await;
    assert_eq!(receipt.event_id, id);
    let found = event_of(&engine, id).await?;
    let verdicts = found.verdicts.iter().map(|verdict| (verdict.subscription_id, verdict.title.as_str()));
    assert_eq!(verdicts.collect::<Vec<_>>(), [(all.id, "All"), (late.id, "Late"), (fails.id, "Fails")]);
    assert_eq!(found.accepted_at, START);
    assert_eq!(found.traces().collect::<Vec<_>>(), [receipt.deliveries[0].trace_id]);
    let failed = &found.verdicts[2].decision;
    assert!(matches!(failed, Decision::FormulaError(detail) if !detail.is_empty()), "{failed:?}");
    Ok(())
}

pub(crate) async fn an_event_says_what_became_of_its_deliveries<E: Engine>() -> StoreResult<()> {
    let all = with_criteria("All", 0, Criteria::Events(vec!["*".into()]));
    let scene = Scene::<E>::new(&[300]).await?;
    let other = send(&scene.engine, "727", EARLY, 1).await;
    let result = async |id| {
        let found: Option<EventWithStatuses> = ledger::event(scene.ports(), &acme(), id).await?;
        StoreResult::Ok(found.expect("an event").result())
    };
    assert_eq!(result(other.event_id).await?, EventResult::Pending);
    let trace = other.deliveries[0].trace_id;
    loanhook_core::resend::cancel(scene.ports(), &acme(), trace).await.expect("canceled");
    assert_eq!(result(other.event_id).await?, EventResult::Failed);

    let tested =
        intake::accept_test(scene.ports(), all.into(), &event("727", EARLY), START + 2 * SECOND).await?;
    let found = event_of(&scene.engine, tested.event_id).await?;
    assert!(found.test);
    assert_eq!(found.traces().collect::<Vec<_>>(), [tested.deliveries[0].trace_id]);

    let unmatched = EventFilter { result: Some(EventResult::Failed), ..EventFilter::default() };
    let page = ledger::page(scene.ports(), (&acme(), &loan("727")), &unmatched, None, MANY).await?;
    assert_eq!(ids(&page.events), [other.event_id]);
    assert_eq!(page.next, None);
    Ok(())
}

fn ids(events: &[EventWithStatuses]) -> Vec<EventId> {
    events.iter().map(|found| found.event.id).collect()
}

pub(crate) async fn pages_of_events_are_filtered_and_full<E: Engine>() -> StoreResult<()> {
    let late = with_criteria("Late", 0, trigger("(> days 30)", Fire::EveryMatch));
    let engine = with::<E>(&[&late]).await?;
    let mut matched = Vec::new();
    for step in 0..6 {
        let context = if step % 2 == 0 { LATE } else { EARLY };
        let receipt = send(&engine, "727", context, step).await;
        if step % 2 == 0 {
            matched.insert(0, receipt.event_id);
        }
    }
    let page = async |filter: EventFilter, before, limit| {
        ledger::page(engine.ports(), (&acme(), &loan("727")), &filter, before, limit).await
    };
    let pending = || EventFilter { result: Some(EventResult::Pending), ..EventFilter::default() };
    let first = page(pending(), None, 2).await?;
    assert_eq!((ids(&first.events), first.next), (matched[..2].to_vec(), Some(matched[1])));
    let second = page(pending(), first.next, 2).await?;
    assert_eq!((ids(&second.events), second.next), (matched[2..].to_vec(), None));

    let named = |name: &str| EventFilter { event_name: Some(name.into()), ..EventFilter::default() };
    assert_eq!(page(named("Other"), None, 10).await?.events.len(), 0);
    assert_eq!(page(named("Payment Posted to Account"), None, 10).await?.events.len(), 6);
    let within = |from: Timestamp, to: Timestamp| EventFilter {
        from: Some(from),
        to: Some(to),
        ..EventFilter::default()
    };
    let found = page(within(START + SECOND, START + 3 * SECOND), None, 10).await?;
    let seconds: Vec<_> =
        found.events.iter().map(|found| found.event.accepted_at.since(START).as_secs()).collect();
    assert_eq!(seconds, [2, 1], "from is inclusive and to is not");
    Ok(())
}

/// What the list of subscriptions is sorted by, which the verdicts are too.
pub(crate) async fn verdicts_are_in_the_order_of_subscriptions<E: Engine>() -> StoreResult<()> {
    let of = |title, millis| with_criteria(title, millis, Criteria::Events(vec!["*".into()]));
    let (second, first) = (of("Second", 1), of("First", 0));
    let engine = with::<E>(&[&second, &first]).await?;
    let found = event_of(&engine, send(&engine, "727", EARLY, 0).await.event_id).await?;
    let subscriptions: Vec<SubscriptionId> =
        found.verdicts.iter().map(|verdict| verdict.subscription_id).collect();
    assert_eq!(subscriptions, [first.id, second.id]);
    Ok(())
}
