//! Notice of client certificates that end soon.

use loanhook_core::model::id::{SubscriptionId, TenantId};
use loanhook_core::model::subscription::{ClientCertificate, Tls};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{OperationalEvents, ReplaceOutcome, StoreResult, Subscriptions as _};
use serde_json::{Value, json};

use crate::delivery_list::{acme, of_all_events};
use crate::engine::Engine;
use crate::operational_facts::{observer, told};
use crate::scene::{DAY, MILLISECOND};
use crate::triggers::with;

/// Two certificates, each of which ends in a hundred years or so. Nobody connects with them.
const CERTIFICATES: [&str; 2] =
    [include_str!("certificates/first.pem"), include_str!("certificates/second.pem")];

/// TLS settings with one of the certificates, and when that ends.
fn tls(number: usize) -> (Option<Tls>, Timestamp) {
    let client = ClientCertificate { certificate: CERTIFICATES[number].to_owned(), key: String::new() };
    let end = client.expires_at().expect("an end");
    (Some(Tls { client: Some(client), ca: None }), end)
}

/// What is told so many days before this end of a certificate.
async fn told_before<E: Engine>(engine: &E, end: Timestamp, days: u32) -> StoreResult<Vec<Value>>
where
    E::Ports: OperationalEvents,
{
    told(engine, end.minus(days * DAY)).await
}

fn notice(of: SubscriptionId, end: Timestamp, days: u32) -> Value {
    json!({
        "event-name": "certificate.expiring", "subscription-id": of.to_string(), "title": "Core",
        "occurred-at": end.minus(days * DAY).to_string(), "expires-at": end.to_string(), "days-left": days,
        "subject": "CN=hooks",
    })
}

pub(crate) async fn a_certificate_is_told_30_7_and_1_days_before_its_end<E: Engine>() -> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let ((first, end), mut core) = (tls(0), of_all_events("Core", 0));
    core.settings.request.tls = first;
    let mut engine = with::<E>(&[&core, &observer()]).await?;
    let before = end.minus(30 * DAY).minus(MILLISECOND);
    assert_eq!(told(&engine, before).await?, Vec::<Value>::new());
    let due = engine.ports().advance_operational_states(before).await?.next_due;
    assert_eq!(due, Some(end.minus(30 * DAY)));
    for (days, is_told) in [(30, true), (29, false), (8, false), (7, true), (7, false), (1, true), (0, false)]
    {
        let expected = if is_told { vec![notice(core.id, end, days)] } else { Vec::new() };
        assert_eq!(told_before(&engine, end, days).await?, expected, "{days}");
        engine = engine.restarted();
    }
    assert_eq!(engine.ports().advance_operational_states(end).await?.next_due, None);
    Ok(())
}

pub(crate) async fn another_certificate_is_told_anew_and_none_where_nobody_is_told<E: Engine>()
-> StoreResult<()>
where
    E::Ports: OperationalEvents,
{
    let ((first, end), mut core) = (tls(0), of_all_events("Core", 0));
    core.settings.request.tls = first;
    let observer = observer();
    let engine = with::<E>(&[&core, &observer]).await?;
    assert_eq!(told_before(&engine, end, 7).await?, [notice(core.id, end, 7)], "of several the last alone");
    let (second, end) = tls(1);
    core.settings.request.tls = second;
    core.version += 1;
    assert_eq!(engine.ports().replace(core.clone()).await?, ReplaceOutcome::Replaced);
    assert_eq!(told_before(&engine, end, 7).await?, [notice(core.id, end, 7)]);
    let tenant: TenantId = acme();
    engine.ports().delete(&tenant, observer.id, None).await?;
    assert_eq!(told_before(&engine, end, 1).await?, Vec::<Value>::new());
    Ok(())
}
