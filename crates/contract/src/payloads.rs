//! The bytes that were sent and came back, and the addresses they left from.

use bytes::Bytes;
use loanhook_core::model::attempt::{Attempt, AttemptState, StoredResponse};
use loanhook_core::model::payload::{Payload, PayloadKey};
use loanhook_core::ports::{
    Deliveries, EgressAddresses, Payloads, ResendClaimOutcome, Resends, StoreResult, Subscriptions,
};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{DAY, SECOND, START, Scene, accept, ended, resend_message, subscription, tenant};

/// Ended by an answer with this body.
fn answered(row: Attempt, body: &[u8]) -> Attempt {
    let mut row = ended(row, Ok(500), START + SECOND);
    let AttemptState::Complete(completion) = &mut row.state else { unreachable!("it ended") };
    completion.response = Some(StoredResponse {
        payload: Payload::of(body),
        content_type: None,
        truncated: false,
        headers: vec![("X-Empty".into(), String::new())],
        headers_truncated: false,
        headers_dropped: 0,
    });
    row
}

pub(crate) async fn a_payload_is_read_as_it_was_stored<E: Engine>() -> StoreResult<()> {
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    let mebibyte = vec![b'a'; 1 << 20];
    for body in [b"".as_slice(), b"\0", &all_bytes, &mebibyte] {
        let scene = Scene::<E>::new(&[]).await?;
        let response = Some(Bytes::copy_from_slice(body));
        let claim = scene.claim(START).await?;
        let row = answered(claim.row, body);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row.clone(), response).await?);
        assert_eq!(scene.rows().await?, [row]);
        let stored = scene.ports().payload(scene.tenant(), PayloadKey::of(body)).await?;
        assert_eq!(stored, (!body.is_empty()).then(|| Bytes::copy_from_slice(body)));

        let body = [body, b"to the resend"].concat();
        let (asked, _) = scene.resend(None, START + 2 * SECOND).await?;
        let (token, message) = (Uuid::new_v4(), resend_message(&asked, START));
        let taken =
            scene.ports().claim_resend(&message, &asked.loan_id, asked.id, token, asked.sent_at).await?;
        let ResendClaimOutcome::Claimed(won) = taken else { panic!("{taken:?}") };
        let end = answered(won.1, &body);
        assert!(scene.ports().complete_resend(token, end, Some(body.clone().into())).await?);
        let stored = scene.ports().payload(scene.tenant(), PayloadKey::of(&body)).await?;
        assert_eq!(stored, Some(body.into()));
    }
    Ok(())
}

pub(crate) async fn equal_bytes_of_a_tenant_are_stored_once<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let again = accept(&scene.engine, &scene.subscription, "another loan", START).await?;
    let stranger = subscription(&tenant("acme-2"), "Core banking", &[], START);
    scene.ports().create(stranger.clone(), 1).await?;
    let theirs = accept(&scene.engine, &stranger, "727", START).await?;
    let key = scene.accepted.snapshot.request.payload.key.expect("a payload");
    for delivery in [&again, &theirs] {
        assert_eq!(delivery.snapshot.request.payload.key, Some(key));
    }
    let bytes = scene.ports().payload(scene.tenant(), key).await?;
    assert!(bytes.is_some());

    // There is one to lose, and it is not the other tenant's.
    scene.engine.lose_payload(scene.tenant(), key);
    assert_eq!(scene.ports().payload(scene.tenant(), key).await?, None);
    assert_eq!(scene.ports().payload(&stranger.tenant, key).await?, bytes);
    Ok(())
}

pub(crate) async fn another_tenants_payload_cannot_be_read<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let key = scene.accepted.snapshot.request.payload.key.expect("a payload");
    assert_eq!(scene.ports().payload(&tenant("acme-2"), key).await?, None);
    assert_eq!(scene.ports().payload(scene.tenant(), PayloadKey::of(b"never stored")).await?, None);
    Ok(())
}

pub(crate) async fn recent_source_addresses_are_listed_once_each<E: Engine>() -> StoreResult<()> {
    let engine = E::fresh().await;
    let before = engine.ports().egress(START).await?;
    let addresses = ["203.0.113.7", "2001:db8::7"].map(|text| text.parse().expect("an address"));
    for _ in 0..2 {
        for address in addresses {
            engine.ports().record_source_address(address, START);
        }
    }
    let egress = engine.ports().egress(START + SECOND).await?;
    if egress.fixed {
        assert_eq!(egress, before);
        return Ok(());
    }
    for address in addresses {
        assert_eq!(egress.addresses.iter().filter(|told| **told == address).count(), 1);
    }
    assert_eq!(engine.ports().egress(START + 365 * DAY).await?, before);
    Ok(())
}
