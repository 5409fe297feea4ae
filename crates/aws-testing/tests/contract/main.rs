//! The engine for AWS: the contract of the ports, and what is its own: the key of a deployment, the sizes of items, and
//! what remains when a call fails or its caller dies.

mod dead_letters;
mod deployed_key;
mod fair_shares;
mod faults;
mod first_attempt;
mod flow;
mod item_sizes;
mod operational;
mod sealing;
mod settings;
mod stored_credentials;
mod tokens;
mod unsent_trigger_messages;

use loanhook_aws_testing::AwsEngine;
use loanhook_contract::engine::Engine as _;
use loanhook_contract::scene::{MILLISECOND, Scene, attempt_message};
use loanhook_contract::{contract, job_contract, operational_contract};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Queue as _;

contract!(loanhook_aws_testing::AwsEngine);
job_contract!(loanhook_aws_testing::AwsEngine);
operational_contract!(loanhook_aws_testing::AwsEngine);

#[test]
fn a_message_is_not_delivered_before_it_is_due() {
    loanhook_contract::run_on::<AwsEngine>(async {
        let scene = Scene::<AwsEngine>::new(&[300]).await?;
        let soon = attempt_message(&scene.accepted, 1, Timestamp::now() + 200 * MILLISECOND);
        scene.ports().enqueue(soon.clone()).await?;
        assert_eq!(scene.engine.receive().await, soon);
        assert!(Timestamp::now() >= soon.due);
        Ok(())
    });
}
