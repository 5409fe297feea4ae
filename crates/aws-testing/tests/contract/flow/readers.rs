//! Readers and metrics: what they are told of what waits.

use loanhook_aws_testing::run_with_faults;
use loanhook_contract::scene::SECOND;
use loanhook_core::model::flow::FlowSettings;
use loanhook_core::model::time::Timestamp;

use super::{Scene, in_flight};
use crate::faults::simulated_time::simulated_time;

#[test]
fn what_is_due_waits_for_a_limit_once_that_is_reached() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(Timestamp::now()), in_flight(1), &[]).await?;
        let accepted = s.accept(3).await?;
        assert!(!s.is_limited().await?, "their messages wait for a function");
        assert_eq!(s.counted_by_sweep().await?, (0, 0));
        let recording = s.engine.proxy.hold("UpdateItem L", 1);
        let first = tokio::spawn(s.handling(&accepted[0]));
        recording.arrived().await;
        for message in &accepted[1..] {
            s.handle(message).await?;
        }
        assert!(s.is_limited().await?);
        assert_eq!(s.counted_by_sweep().await?, (2, 0));
        recording.pass();
        first.await.expect("it ends")?;
        s.handle_all().await?;
        s.pass(SECOND);
        assert_eq!(s.counted_by_sweep().await?, (0, 0));
        Ok(())
    });
}

#[test]
fn what_waits_for_a_hold_is_counted_so() {
    run_with_faults(async {
        let s = Scene::new(simulated_time!(Timestamp::now()), FlowSettings::default(), &[]).await?;
        s.hold_by_hand().await?;
        for message in &s.accept(2).await? {
            s.handle(message).await?;
        }
        assert!(!s.is_limited().await?, "it has no limit");
        assert_eq!(s.counted_by_sweep().await?, (0, 2));
        Ok(())
    });
}
