//! The Lambda function for deliveries: SQS invokes it with batches of messages from either queue, and it sends the attempts
//! that are due.

use std::sync::Arc;

use aws_lambda_events::event::sqs::SqsEvent;
use futures_util::FutureExt as _;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use loanhook_aws::sqs_batch::SqsBatchHandler;
use loanhook_aws::{Aws, Config, InstanceId, PublicAddressSender, SLOW_AFTER, WatchedSender};
use loanhook_core::deliver::Deliver;
use loanhook_core::ports::StoreError;
use loanhook_core::tokens::AuthenticatedSender;
use loanhook_sender::WebhookClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    loanhook_logging::start_in_lambda();
    let config = Config::from_env()?;
    let address = config.public_address();
    // Parses the system's trusted certificates on another thread, while the runtime asks for the first batch.
    let client = tokio::task::spawn_blocking(|| WebhookClient::new(config.allow_networks));
    let lease = Some(config.lease);
    let store = Aws::new(&loanhook_aws::sdk_config(), config.stack);
    // Each request takes a secret: the data key is decrypted meanwhile, too.
    store.prepare_to_open();
    let engine = store.clone();
    let sender = client.map(|made| {
        let made = made.map_err(|panic| panic.to_string())?;
        let sender = made.map_err(|unavailable| unavailable.to_string())?;
        let sender = AuthenticatedSender { sender, tokens: engine.clone() };
        let sender = PublicAddressSender { sender, address };
        Ok::<_, String>(Arc::new(WatchedSender { engine, sender, slow_after: SLOW_AFTER }))
    });
    let sender = sender.shared();
    let handler = SqsBatchHandler::new(store.clone(), move |message, now, ends| {
        let (store, sender) = (store.clone(), sender.clone());
        async move {
            // Without a sender nothing is claimed, and SQS delivers the message again.
            let sender = sender.await.map_err(|reason| StoreError::Failed(reason.into()))?;
            Deliver { store, sender, lease, deadline: Some(ends) }.handle(message, now).await
        }
    });
    let batches = &handler.on_instance(InstanceId::random());
    let spans = &loanhook_otlp::start_in_lambda();
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let response = batches.run(event.payload, event.context.deadline()).await;
        if let Some(export) = spans {
            export.flush().await;
        }
        response.map_err(Error::from)
    }))
    .await
}
