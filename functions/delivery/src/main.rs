//! The Lambda function that delivers: SQS invokes it with what is due.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook::aws::batch::Batches;
use loanhook::aws::{self, Aws, Config, SendingFrom};
use loanhook::deliver::Deliver;
use loanhook::outbound::Client;

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::log();
    let config = Config::from_env()?;
    let address = config.public_address();
    let sender = Arc::new(SendingFrom { sender: Client::new(config.allow_networks)?, address });
    let lease = Some(config.lease);
    let store = Aws::new(&aws::sdk_config().await, config.stack);
    let batches = Batches::new(store.clone(), move |wake, now, ends| {
        let (store, sender) = (store.clone(), Arc::clone(&sender));
        async move { Deliver { store, sender, lease, ends: Some(ends) }.handle(wake, now).await }
    });
    let batches = &batches;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        batches.run(event.payload, event.context.deadline()).await.map_err(Error::from)
    }))
    .await
}
