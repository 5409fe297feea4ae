//! The lazy client: a [`WebhookClient`] that is made when it is first used, for a function that seldom sends. To make one takes some
//! milliseconds, for the trusted certificates of the system.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;
use tokio::sync::OnceCell;

use crate::WebhookClient;
use loanhook_core::ports::{
    CheckRequest, CheckStep, CheckStepName, ConnectionCheck, FormRequest, FormSender, NotSent, SendOutcome,
};

/// A client that is made when it is first used. Clones share it.
#[derive(Clone)]
pub struct LazyWebhookClient {
    allowed_networks: Vec<IpNet>,
    client: Arc<OnceCell<WebhookClient>>,
}

impl LazyWebhookClient {
    /// A client that may send to public addresses and to these networks.
    pub fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self { allowed_networks, client: Arc::default() }
    }

    async fn client(&self) -> Result<&WebhookClient, NotSent> {
        let make = || async { WebhookClient::new(self.allowed_networks.clone()) };
        self.client.get_or_try_init(make).await.map_err(|error| NotSent(error.to_string()))
    }
}

impl FormSender for LazyWebhookClient {
    async fn post_form(&self, form: FormRequest) -> Result<SendOutcome, NotSent> {
        self.client().await?.post_form(form).await
    }
}

impl ConnectionCheck for LazyWebhookClient {
    async fn check_connection(&self, check: CheckRequest) -> Vec<CheckStep> {
        match self.client().await {
            Ok(client) => client.check_connection(check).await,
            Err(NotSent(detail)) => {
                let step = CheckStepName::Resolve;
                vec![CheckStep { step, ok: false, detail, took: Duration::ZERO }]
            }
        }
    }
}
