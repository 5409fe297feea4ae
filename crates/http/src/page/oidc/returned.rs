//! The way back from the OpenID provider: what the browser brought is checked, and its session begins.

use std::time::Instant;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode};
use tracing::{info, warn};

use super::callback_url;
use super::flow::{self, Flow};
use crate::page::error_page::ErrorPage;
use crate::page::fetch_metadata::{is_page_or_script, is_prefetch};
use crate::page::form::Form;
use crate::page::session_cookies::SessionCookies;
use crate::page::sign_in::{enter, set_cookies};
use crate::page::tenant_request::OVERVIEW_PATH;
use crate::page::view::oidc::{self as view, SignInFailure};
use crate::page::{PageStore, Pages};
use crate::web::call_limits::CallLimits;
use crate::web::{Client, Origin};
use loanhook_core::log;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::portal::{self, SignedInPerson};
use loanhook_oidc::{Access, Person, Provider, ReturnedCode, SignInError};

/// Ends a sign-in: the browser comes back from the provider. Whatever comes of it, the sign-in cannot be ended again; only one that
/// the limits put off can.
pub(in crate::page) async fn come_back<S: PageStore>(
    State(pages): State<Pages<S>>,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let provider = pages.site.provider.as_deref().ok_or(ErrorPage::NotFound)?;
    if parts.method == Method::HEAD {
        return Ok(StatusCode::OK.into_response());
    }
    if !is_page_or_script(&parts.headers) || is_prefetch(&parts.headers) {
        return Err(ErrorPage::NotFound);
    }
    let query = Form::of_query(parts.uri.query());
    let origin = pages.site.origin(&parts)?;
    let cookies = SessionCookies::new(&pages.site, &origin);
    let state = query.get("state");
    let Some(flow) = Flow::of_state(&cookies, &parts.headers, state, Timestamp::now()) else {
        return Ok(view::failure(&SignInFailure::NotUnderWay, provider.host(), None));
    };
    let returned = Returned { provider, parts: &parts, origin: &origin, cookies: &cookies, flow: &flow };
    let mut response = returned.finish(&pages, &query).await?;
    set_cookies(&mut response, flow::clear(&cookies, state));
    Ok(response)
}

/// A browser that came back from a sign-in that it began.
struct Returned<'a> {
    provider: &'a Provider,
    parts: &'a Parts,
    origin: &'a Origin,
    cookies: &'a SessionCookies,
    flow: &'a Flow,
}

impl Returned<'_> {
    fn failure(&self, failure: &SignInFailure) -> Response {
        view::failure(failure, self.provider.host(), self.flow.next().as_deref())
    }

    /// An error is a limit that put it off before anything was done.
    async fn finish<S: PageStore>(&self, pages: &Pages<S>, query: &Form) -> Result<Response, ErrorPage> {
        let (limits, client) = (CallLimits::of(&self.parts.extensions), Client::of(&self.parts.extensions));
        // Never given back: without a code that the provider knows, one address can have it asked so often only.
        limits.take_returned_sign_in(&client, Instant::now())?;
        let issuer = query.get("iss");
        if !issuer.is_empty() && !self.provider.is_issuer(issuer) {
            warn!(issuer = self.provider.issuer(), "oidc.wrong_issuer");
            return Ok(self.failure(&SignInFailure::WrongIssuer));
        }
        let error = query.get("error");
        if !error.is_empty() {
            let code = safe_code(error);
            info!(issuer = self.provider.issuer(), code, "oidc.refused");
            return Ok(self.failure(&match code {
                "access_denied" => SignInFailure::Denied,
                "server_error" | "temporarily_unavailable" => SignInFailure::Unavailable,
                code => SignInFailure::Refused(code.to_owned()),
            }));
        }
        if query.get("code").is_empty() {
            return Ok(self.failure(&SignInFailure::CodeRefused));
        }
        limits.take_code(&client, Instant::now())?;
        let person = match self.person(query.get("code"), issuer).await {
            Ok(person) => person,
            Err(error) => {
                // Only these tell of a browser that guesses.
                if !matches!(error, SignInError::CodeRefused | SignInError::IdToken(_)) {
                    limits.return_code(&client);
                }
                return Ok(self.failure(&error.into()));
            }
        };
        limits.return_code(&client);
        client.notify_authenticated();
        let access = match chosen(self.provider.access(&person), self.flow.tenant()) {
            Chosen::One(access) => access,
            Chosen::None => {
                let (subject, claims) = (person.subject.as_str(), person.claim_names());
                info!(issuer = self.provider.issuer(), subject, claims, "oidc.no_access");
                return Ok(view::no_access(&person.name, self.provider.host(), self.flow.next().as_deref()));
            }
            Chosen::Several(all) => {
                return Ok(view::choose_tenant(&person.name, &all, self.flow.next().as_deref()));
            }
        };
        let entered = self.enter(pages, person, access).await;
        Ok(entered.unwrap_or_else(IntoResponse::into_response))
    }

    /// Begins the session of a person for whom the code was used.
    async fn enter<S: PageStore>(
        &self,
        pages: &Pages<S>,
        person: Person,
        Access { tenant, scopes }: Access,
    ) -> Result<Response, ErrorPage> {
        let (limits, client) = (CallLimits::of(&self.parts.extensions), Client::of(&self.parts.extensions));
        limits.take_session(person.id, &tenant, &person.name, Instant::now())?;
        let now = Timestamp::now();
        let signed_in = SignedInPerson {
            id: person.id,
            name: person.name,
            tenant,
            scopes,
            settings: self.provider.fingerprint(),
        };
        // What the rules give has `history:read`.
        let issued =
            portal::sign_in_person(&pages.store, signed_in, now).await?.ok_or(ErrorPage::NotFound)?;
        log::person_signed_in(&issued.grant, &person.subject, &client.address_group());
        let next = self.flow.next().unwrap_or_else(|| OVERVIEW_PATH.to_owned());
        enter(&pages.store, (self.cookies, &self.parts.headers), &issued, now, &next).await
    }

    async fn person(&self, code: &str, issuer: &str) -> Result<Person, SignInError> {
        let (redirect_uri, nonce) = (callback_url(self.origin), self.flow.nonce());
        let verifier = self.flow.verifier();
        let code =
            ReturnedCode { code, issuer, redirect_uri: &redirect_uri, nonce: &nonce, verifier: &verifier };
        self.provider.person(code).await
    }
}

/// The code of an error as it may be shown and logged: anybody can write one into a link.
fn safe_code(code: &str) -> &str {
    let end = code.find(|character: char| !character.is_ascii_lowercase() && character != '_');
    let safe = &code[..end.unwrap_or(code.len())];
    if safe.is_empty() || safe.len() > 64 { "unnamed" } else { safe }
}

impl From<SignInError> for SignInFailure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Unavailable(_) => Self::Unavailable,
            SignInError::Slow => Self::Slow,
            SignInError::WrongIssuer => Self::WrongIssuer,
            SignInError::ClientRefused => Self::Misconfigured,
            SignInError::CodeRefused => Self::CodeRefused,
            SignInError::IdToken(_) => Self::NotAccepted,
        }
    }
}

/// What of a person's access a session is for.
enum Chosen {
    None,
    One(Access),
    /// The person has to choose.
    Several(Vec<Access>),
}

fn chosen(mut access: Vec<Access>, tenant: Option<TenantId>) -> Chosen {
    if let Some(tenant) = tenant {
        access.retain(|access| access.tenant == tenant);
    }
    match access.pop() {
        None => Chosen::None,
        Some(only) if access.is_empty() => Chosen::One(only),
        Some(last) => {
            access.push(last);
            Chosen::Several(access)
        }
    }
}
