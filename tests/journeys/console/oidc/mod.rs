//! Sign-in at an OpenID provider: a real one (`harness/oidc_provider.rs`), and a browser that goes there and comes back.

mod changed_tokens;
mod provider_down;
mod returns;
mod settings;
mod sign_in;
mod sign_out;

use serde_json::json;
use url::Url;

use crate::harness::journey::ALL_SCOPES;
use crate::harness::oidc_provider::{Answer, OidcProvider, ProviderCookies};
use crate::harness::{Api, ApiResponse, Journey, Server, eventually, text};
use crate::portal::visitor::Visitor;

/// What the groups of the provider's people give.
const RULES: [&str; 5] = [
    "groups=servicing acme history:read,webhooks:resend,subscriptions:write",
    "groups=readers acme history:read",
    "groups=other-readers borealis history:read",
    "groups=resenders acme webhooks:resend",
    "/realm_access/roles=loanhook acme history:read",
];

/// A server at which the people of this provider sign in.
async fn journey_at(provider: &OidcProvider) -> Option<Journey> {
    let server = Server::own_process_with(provider.launch(&RULES)).await?;
    Some(Journey::on_server(server).await)
}

/// A provider, and a server at which its people sign in.
async fn provider_and_journey() -> Option<(OidcProvider, Journey)> {
    let provider = OidcProvider::start()?;
    let journey = journey_at(&provider).await?;
    Some((provider, journey))
}

/// A caller with every scope of a tenant.
async fn caller_of(j: &Journey, tenant: &str) -> Api {
    let key = json!({"name": "integration", "scopes": ALL_SCOPES, "tenant": tenant});
    let created = j.operator().post("/v1/keys", &key).await.expect_status(201).json();
    j.api.with_key(Some(text(&created["key"])))
}

/// Where a page sends the browser that shows it.
#[track_caller]
pub(crate) fn sent_to(page: &ApiResponse) -> String {
    let refresh = page.header("refresh");
    refresh.strip_prefix("0; url=").unwrap_or_else(|| panic!("it goes on by itself: {page:?}")).to_owned()
}

/// A browser with what it keeps of loanhook and of the provider.
pub(crate) struct Browser {
    pub(crate) visitor: Visitor,
    provider: ProviderCookies,
}

impl Browser {
    pub(crate) fn new(j: &Journey) -> Self {
        Self { visitor: Visitor::new(j), provider: ProviderCookies::default() }
    }

    /// Presses the button of the sign-in page; the URL of the provider that the browser is sent to.
    async fn begin(&mut self, fields: &[(&str, &str)]) -> String {
        sent_to(&self.visitor.post("/sign-in/oidc", fields).await.expect_status(200))
    }

    /// Goes to the provider and does this there; the path that the browser comes back to.
    async fn at_provider(&mut self, url: &str, answer: Answer<'_>) -> String {
        path_of(&self.provider.go_through(url, answer).await.0)
    }

    /// Signs in as this person to open `next`.
    pub(crate) async fn sign_in(&mut self, person: &str, next: &str) -> ApiResponse {
        let url = self.begin(&[("next", next)]).await;
        let back = self.at_provider(&url, Answer::SignIn(person)).await;
        self.visitor.get(&back).await
    }

    /// Whether it has a session.
    fn has_session(&self) -> bool {
        self.visitor.cookies.contains_key("lh-any")
    }
}

/// Waits until the server has logged this so often. What it writes is read a little later than what it answers.
async fn logged(j: &Journey, event: &str, times: usize) {
    let count = || j.server.output().matches(event).count();
    eventually(&format!("{event} is logged {times} times"), async || (count() >= times).then_some(())).await;
    assert_eq!(count(), times, "{}", j.server.output());
}

fn path_of(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}

/// The values of a parameter of a URL.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
