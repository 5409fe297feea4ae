//! The exchange of a code for an ID token, and the claims that only the userinfo endpoint has.

use http::header::{ACCEPT, AUTHORIZATION};
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdToken, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, OAuth2TokenResponse as _,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenResponse as _,
};
use tracing::warn;

use crate::claims::Claims;
use crate::id_token::{self, IdTokenFault};
use crate::known_provider::{Known, ProviderUnavailable};
use crate::provider::{Provider, ReturnedCode};

/// Why nobody is signed in. The log has said more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Unavailable(#[from] ProviderUnavailable),
    #[error("the OpenID provider takes too long")]
    Slow,
    /// The return names another issuer, or none where the provider always names itself.
    #[error("the browser came back from another provider")]
    WrongIssuer,
    /// The code was used before, is too old, or was never one.
    #[error("the OpenID provider does not accept the code")]
    CodeRefused,
    /// The provider does not know our client or its secret.
    #[error("the OpenID provider does not accept this client")]
    ClientRefused,
    #[error("the ID token is not valid: {0}")]
    IdToken(#[from] IdTokenFault),
}

/// What the provider gives for a code. It has no `Debug`, since it holds tokens.
pub(crate) struct Exchanged {
    pub(crate) id_token: CoreIdToken,
    access_token: AccessToken,
}

impl Provider {
    /// Exchanges a code; once more where the provider refuses the client's secret, and another one is kept by now.
    pub(crate) async fn exchange(
        &self,
        known: &Known,
        code: ReturnedCode<'_>,
    ) -> Result<Exchanged, SignInError> {
        let shown = self.client_secret().await?;
        let exchanged = self.exchange_with(shown.clone(), known, code).await;
        if !matches!(exchanged, Err(SignInError::ClientRefused)) {
            return exchanged;
        }
        let newer = self.client_secret().await?;
        if newer.as_ref().map(ClientSecret::secret) == shown.as_ref().map(ClientSecret::secret) {
            return exchanged;
        }
        self.exchange_with(newer, known, code).await
    }

    async fn exchange_with(
        &self,
        secret: Option<ClientSecret>,
        known: &Known,
        code: ReturnedCode<'_>,
    ) -> Result<Exchanged, SignInError> {
        let metadata = (*known.metadata).clone();
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
        // The standard's default is Basic.
        let auth = match takes(CoreClientAuthMethod::ClientSecretBasic) {
            false if takes(CoreClientAuthMethod::ClientSecretPost) => AuthType::RequestBody,
            _ => AuthType::BasicAuth,
        };
        let broken = |why: &str| SignInError::from(self.known.unavailable("token", &why));
        let redirect = RedirectUrl::new(code.redirect_uri.to_owned());
        let redirect = redirect.map_err(|_| broken("our own address is none to return to"))?;
        let client_id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(metadata, client_id, secret)
            .set_auth_type(auth)
            .set_redirect_uri(redirect);
        let request = client.exchange_code(AuthorizationCode::new(code.code.to_owned()));
        let request = request.map_err(|_| broken("it names no token endpoint"))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(code.verifier.to_owned()));
        let answer: CoreTokenResponse = match request.request_async(&self.http).await {
            Ok(answer) => answer,
            Err(RequestTokenError::ServerResponse(refused)) => {
                return Err(self.refused(refused.error()).await);
            }
            Err(RequestTokenError::Request(error)) => return Err(broken(&error.to_string())),
            Err(RequestTokenError::Parse(error, _)) => {
                return Err(broken(&format!("its answer is not as it should be, at {}", error.path())));
            }
            Err(RequestTokenError::Other(_)) => return Err(broken("its answer is not as it should be")),
        };
        let id_token = answer.id_token().ok_or_else(|| broken("its answer has no ID token"))?;
        Ok(Exchanged { id_token: id_token.clone(), access_token: answer.access_token().clone() })
    }

    async fn refused(&self, error: &CoreErrorResponseType) -> SignInError {
        let issuer = self.settings.issuer_text.as_str();
        match error {
            CoreErrorResponseType::InvalidGrant | CoreErrorResponseType::InvalidRequest => {
                warn!(issuer, "oidc.code_refused");
                SignInError::CodeRefused
            }
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                warn!(
                    issuer,
                    error = error.as_ref(),
                    advice =
                        "look at the client ID, its secret and how the provider has the client prove itself",
                    "oidc.client_refused"
                );
                self.forget_client_secret().await;
                SignInError::ClientRefused
            }
            _ => self.known.unavailable("token", &error.as_ref()).into(),
        }
    }

    /// The subject and the claims of an ID token. A token that none of the known keys signed has the keys read again:
    /// not every token names its key.
    pub(crate) async fn verified(
        &self,
        token: &CoreIdToken,
        known: &Known,
        nonce: &str,
    ) -> Result<(String, Claims), SignInError> {
        let expected = (self.settings.client_id.as_str(), nonce);
        let mut verified = id_token::verify(token, known, expected);
        let by_other_key =
            |fault: &IdTokenFault| matches!(fault, IdTokenFault::UnknownKey | IdTokenFault::Signature);
        if verified.as_ref().is_err_and(by_other_key)
            && let Some(newer) = self.known.with_newer_keys(known).await?
        {
            verified = id_token::verify(token, &newer, expected);
        }
        verified.map_err(|fault| {
            warn!(issuer = self.settings.issuer_text.as_str(), %fault, "oidc.id_token_refused");
            fault.into()
        })
    }

    /// The claims of the userinfo endpoint; none where it has none for this subject.
    pub(crate) async fn user_info(
        &self,
        known: &Known,
        exchanged: &Exchanged,
        subject: &str,
    ) -> Result<Option<Claims>, ProviderUnavailable> {
        let Some(endpoint) = known.metadata.userinfo_endpoint() else { return Ok(None) };
        let broken = |why: &str| self.known.unavailable("userinfo", &why);
        let bearer = format!("Bearer {}", exchanged.access_token.secret());
        let request = http::Request::get(endpoint.as_str());
        let request = request.header(ACCEPT, "application/json").header(AUTHORIZATION, bearer);
        let request = request.body(Vec::new()).map_err(|_| broken("its address cannot be asked"))?;
        let answer = self.http.send(request).await.map_err(|error| broken(&error.to_string()))?;
        if !answer.status().is_success() {
            return Err(broken(&format!("its answer has the status {}", answer.status())));
        }
        let claims = serde_json::from_slice(answer.body()).map(Claims::new);
        let claims = claims.map_err(|_| broken("its answer is no JSON object"))?;
        // Another subject would be another person.
        let is_of_subject = claims.text("sub") == Some(subject);
        if !is_of_subject {
            warn!(issuer = self.settings.issuer_text.as_str(), subject, "oidc.userinfo_of_another");
        }
        Ok(is_of_subject.then_some(claims))
    }
}
