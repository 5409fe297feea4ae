//! Lists across loans with deliveries whose traces do not begin with their time, as those of older files.

use loanhook_contract::scene::{SECOND, START, Scene, event, tenant, unwatched};
use loanhook_core::delivery_list::{self, DeliveryFilter};
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::event_evaluation::EventEvaluation;
use loanhook_core::model::id::EventId;
use loanhook_core::ports::Intake as _;

use super::OnDisk;

#[test]
fn deliveries_with_traces_of_both_kinds_are_one_list_by_their_time() {
    loanhook_contract::run_on::<OnDisk>(async {
        let scene = Scene::<OnDisk>::new(&[300]).await?;
        let mut expected = vec![scene.accepted.snapshot.trace_id];
        for step in 1..12 {
            let at = START + (step / 2) * SECOND;
            // An event of an earlier version is a UUIDv7.
            let id = EventId::at(at).uuid();
            let older =
                uuid::Builder::from_bytes(id.into_bytes()).with_version(uuid::Version::SortRand).into_uuid();
            let id = EventId::from_uuid(if step % 3 == 0 { id } else { older });
            let of = event("727", "{}");
            let delivery = Delivery::render(&scene.subscription, &EventEvaluation::new(&of, at), id);
            expected.push(delivery.0.snapshot.trace_id);
            scene
                .ports()
                .accept(unwatched(scene.tenant(), None, vec![delivery], at), Default::default())
                .await?;
        }
        let filter = DeliveryFilter::default();
        let of =
            |before, limit| delivery_list::page(scene.ports(), scene.tenant(), &filter, before, limit, START);
        let mut positions: Vec<_> =
            of(None, 100).await?.deliveries.iter().map(|listed| listed.delivery.position()).collect();
        assert_eq!(positions.len(), expected.len());
        assert!(positions.is_sorted_by(|newer, older| newer > older), "{positions:?}");
        positions.reverse();
        for limit in [1, 2, 5, 12] {
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let page = of(before, limit).await?;
                seen.extend(page.deliveries.iter().map(|listed| listed.delivery.position()));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            seen.reverse();
            assert_eq!(seen, positions, "{limit} a page");
        }
        let mut found: Vec<_> = positions.iter().map(|position| position.trace).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);

        let within = DeliveryFilter {
            from: Some(START + SECOND),
            to: Some(START + 3 * SECOND),
            ..DeliveryFilter::default()
        };
        let page = delivery_list::page(scene.ports(), &tenant("acme"), &within, None, 100, START).await?;
        let seconds: Vec<_> = page
            .deliveries
            .iter()
            .map(|listed| listed.delivery.snapshot.accepted_at.since(START).as_secs())
            .collect();
        assert_eq!(seconds, [2, 2, 1, 1]);
        Ok(())
    });
}
