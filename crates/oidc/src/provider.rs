//! The OpenID provider, as this program deals with it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient};
use openidconnect::{
    ClientId, ClientSecret as SharedSecret, CsrfToken, IssuerUrl, LogoutRequest, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, Scope,
};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::warn;
use url::Url;

use crate::access_rule::{self, Access, AccessRule};
use crate::claims::Claims;
use crate::code_exchange::SignInError;
use crate::http_client::HttpClient;
use crate::known_provider::{KnownProvider, ProviderUnavailable};
use crate::person::Person;
use crate::settings::{ClientSecret, OidcSettings};
use loanhook_core::model::key::KeyHash;

/// How long the provider may take for a sign-in in all: less than a function on AWS and its gateway have.
const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a sign-out waits for a provider of which nothing is known.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(2);

/// The provider that the operator named.
pub struct Provider {
    pub(crate) settings: OidcSettings,
    pub(crate) http: HttpClient,
    pub(crate) known: KnownProvider,
    /// The secret that was read where it is kept.
    read_secret: Mutex<Option<String>>,
}

/// It shows the issuer alone.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer_text).finish_non_exhaustive()
    }
}

/// What a sign-in begins with. All three secrets are random, made for it alone, and kept with the browser.
#[derive(Clone, Copy)]
pub struct AuthorizationRequest<'a> {
    /// Where the provider sends the browser back to: it must be registered there.
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub nonce: &'a str,
    /// 43 to 128 unreserved characters (RFC 7636, 4.1).
    pub verifier: &'a str,
    /// The provider asks who it is, even where it knows.
    pub ask_anew: bool,
}

/// What a browser came back with, and what its sign-in began with.
#[derive(Clone, Copy)]
pub struct ReturnedCode<'a> {
    pub code: &'a str,
    /// The issuer that it came with, empty where with none.
    pub issuer: &'a str,
    pub redirect_uri: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
}

impl Provider {
    /// A provider of which nothing is known yet.
    ///
    /// # Errors
    ///
    /// There are no certificates that this machine trusts; in a sentence.
    pub fn new(settings: OidcSettings) -> Result<Self, String> {
        let fault = |error| format!("the OpenID provider cannot be asked: {error}");
        let http = HttpClient::new().map_err(|error| fault(error.to_string()))?;
        let issuer =
            IssuerUrl::new(settings.issuer_text.clone()).map_err(|error| fault(error.to_string()))?;
        let known = KnownProvider::new(issuer, http.clone());
        Ok(Self { settings, http, known, read_secret: Mutex::default() })
    }

    /// The host of the issuer, by which people know it.
    pub fn host(&self) -> &str {
        self.settings.issuer.host_str().unwrap_or_default()
    }

    /// The fingerprint of issuer, client ID and rules: what a session of a person stands by.
    pub fn fingerprint(&self) -> KeyHash {
        self.settings.fingerprint()
    }

    /// The issuer, as the operator wrote it.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer_text
    }

    /// Whether this is the issuer: the provider may name itself when it sends a browser back (RFC 9207).
    pub fn is_issuer(&self, named: &str) -> bool {
        named == self.settings.issuer_text
    }

    /// The provider's page where a person signs in.
    ///
    /// # Errors
    ///
    /// The provider cannot be asked where that is.
    pub async fn authorization_url(
        &self,
        request: AuthorizationRequest<'_>,
    ) -> Result<Url, ProviderUnavailable> {
        let known = self.known.get().await?;
        let redirect = RedirectUrl::new(request.redirect_uri.to_owned());
        let redirect = redirect
            .map_err(|_| self.known.unavailable("authorization", &"our own address is none to return to"))?;
        let client_id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata((*known.metadata).clone(), client_id, None);
        let verifier = PkceCodeVerifier::new(request.verifier.to_owned());
        let (state, nonce) = (request.state.to_owned(), request.nonce.to_owned());
        let begun = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .set_redirect_uri(Cow::Owned(redirect))
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        let begun = if request.ask_anew { begun.add_prompt(CoreAuthPrompt::Login) } else { begun };
        Ok(begun.url().0)
    }

    /// The person that a code stands for.
    ///
    /// # Errors
    ///
    /// The provider refuses the code, cannot be asked or takes longer than 20 seconds in all, or its ID token does not stand.
    pub async fn person(&self, code: ReturnedCode<'_>) -> Result<Person, SignInError> {
        timeout(SIGN_IN_TIMEOUT, self.person_unbounded(code)).await.unwrap_or_else(|_| {
            self.known.unavailable("sign-in", &"all of it took longer than 20 seconds");
            Err(SignInError::Slow)
        })
    }

    async fn person_unbounded(&self, code: ReturnedCode<'_>) -> Result<Person, SignInError> {
        let known = self.known.get().await?;
        let returns = &known.metadata.additional_metadata().additional_metadata;
        let needs_issuer = returns.authorization_response_iss_parameter_supported;
        if (needs_issuer || !code.issuer.is_empty()) && code.issuer != self.settings.issuer_text {
            warn!(issuer = self.settings.issuer_text.as_str(), "oidc.wrong_issuer");
            return Err(SignInError::WrongIssuer);
        }
        let exchanged = self.exchange(&known, code).await?;
        let (subject, mut claims) = self.verified(&exchanged.id_token, &known, code.nonce).await?;
        if self.lacks_claims(&claims) {
            match self.user_info(&known, &exchanged, &subject).await {
                Ok(others) => claims.add_missing(others.unwrap_or_default()),
                // What was signed is enough, where it gives something. The log has said what failed.
                Err(unavailable) if access_rule::access(&self.settings.rules, &claims).is_empty() => {
                    return Err(unavailable.into());
                }
                Err(_) => {}
            }
        }
        Ok(Person::new(&self.settings.issuer_text, &subject, claims))
    }

    /// Whether a claim is missing that a rule or the name of the person needs.
    fn lacks_claims(&self, claims: &Claims) -> bool {
        let rules = &self.settings.rules;
        let needs_verified = claims.get("email").is_some() || rules.iter().any(AccessRule::is_of_mail);
        let verified = needs_verified.then_some("email_verified");
        let mut needed = rules.iter().map(|rule| rule.claim.as_str()).chain(["name"]).chain(verified);
        needed.any(|claim| claims.get(claim).is_none())
    }

    /// What the operator's rules give to a person: the tenants in order, none twice.
    pub fn access(&self, person: &Person) -> Vec<Access> {
        access_rule::access(&self.settings.rules, &person.claims)
    }

    /// Where a browser ends its session at the provider, to come back to `return_to`, which must be registered there. None where
    /// the provider has no such page. It waits for the provider for two seconds, and only where nothing is known of it yet.
    pub async fn sign_out_url(&self, return_to: &str) -> Option<Url> {
        let known = match self.known.last() {
            Some(known) => known,
            None => timeout(SIGN_OUT_TIMEOUT, self.known.get()).await.ok()?.ok()?,
        };
        let page = known.metadata.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(page).set_client_id(ClientId::new(self.settings.client_id.clone()));
        let return_to = PostLogoutRedirectUrl::new(return_to.to_owned()).ok()?;
        Some(request.set_post_logout_redirect_uri(return_to).http_get_url())
    }

    /// The client's secret, read where it is kept.
    pub(crate) async fn client_secret(&self) -> Result<Option<SharedSecret>, ProviderUnavailable> {
        let shared = |secret: &String| Some(SharedSecret::new(secret.clone()));
        match &self.settings.client_secret {
            ClientSecret::None => Ok(None),
            ClientSecret::Known(secret) => Ok(shared(secret)),
            ClientSecret::Kept(read) => {
                let mut kept = self.read_secret.lock().await;
                if let Some(secret) = &*kept {
                    return Ok(shared(secret));
                }
                let secret = read().await.map_err(|why| self.known.unavailable("client secret", &why))?;
                Ok(shared(kept.insert(secret)))
            }
        }
    }

    /// The provider refused the client: its secret may have been changed, and is read again.
    pub(crate) async fn forget_client_secret(&self) {
        *self.read_secret.lock().await = None;
    }
}
