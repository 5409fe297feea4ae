//! Pages of the sign-in at the OpenID provider: on the way there and back, and why nobody is signed in.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};

use super::layout;
use crate::page::error_page::sign_in_path;
use crate::page::oidc::BEGIN_PATH;
use crate::web::SIGN_IN_PATH;
use loanhook_oidc::Access;

/// The field of a form that names the tenant to sign in to.
pub(in crate::page) const TENANT_FIELD: &str = "tenant";
/// The field by which the provider asks who it is, even where it knows.
pub(in crate::page) const ANEW_FIELD: &str = "anew";

/// Why nobody is signed in. A fault of the provider is 424 and not 502: a gateway counts 5xx as ours, and whoever has a browser could
/// raise its alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::page) enum SignInFailure {
    /// The provider does not answer as it should.
    Unavailable,
    /// The provider takes too long.
    Slow,
    /// The provider does not know us, or not our secret.
    Misconfigured,
    /// The browser began no such sign-in, or has ended it, or too late.
    NotUnderWay,
    /// The person or the provider said no.
    Denied,
    /// The provider answered another error, of this code, which may be shown.
    Refused(String),
    CodeRefused,
    /// The browser came back from another provider.
    WrongIssuer,
    /// What the provider gave does not stand.
    NotAccepted,
}

impl SignInFailure {
    /// Status, title and sentence. `host` is the provider's.
    fn content(&self, host: &str) -> (StatusCode, &'static str, String) {
        let text = |text: &str| text.to_owned();
        match self {
            Self::Unavailable => (
                StatusCode::FAILED_DEPENDENCY,
                "You cannot sign in there now",
                format!(
                    "{host} does not answer as it should. Try again in a moment, or sign in with an API key."
                ),
            ),
            Self::Slow => (
                StatusCode::FAILED_DEPENDENCY,
                "You cannot sign in there now",
                format!(
                    "{host} is slow: it took longer than 20 seconds. Try again in a moment, or sign in with an API key."
                ),
            ),
            Self::Misconfigured => (
                StatusCode::FAILED_DEPENDENCY,
                "You cannot sign in there now",
                format!(
                    "{host} does not know loanhook, or not its secret. Ask whoever administers loanhook in your company to look at \
                     the settings of the sign-in."
                ),
            ),
            Self::NotUnderWay => (
                StatusCode::BAD_REQUEST,
                "This sign-in cannot be finished",
                text(
                    "It took longer than ten minutes, or was finished before, or began in another browser. Nobody was signed in now.",
                ),
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                "You are not signed in",
                format!("The sign-in was refused at {host}, by you or by its rules."),
            ),
            Self::Refused(code) => {
                let text = format!(
                    "{host} did not sign you in ({code}). Begin again, or ask whoever administers it."
                );
                (StatusCode::FORBIDDEN, "You are not signed in", text)
            }
            Self::CodeRefused => (
                StatusCode::BAD_REQUEST,
                "This sign-in cannot be finished",
                format!(
                    "{host} says that it was finished before, or took too long. Nobody was signed in now."
                ),
            ),
            Self::WrongIssuer => (
                StatusCode::BAD_REQUEST,
                "You are not signed in",
                format!(
                    "Your browser came back from another address than {host}, so nobody was signed in. Begin again."
                ),
            ),
            Self::NotAccepted => (
                StatusCode::FAILED_DEPENDENCY,
                "You are not signed in",
                format!(
                    "What {host} said of you cannot be trusted, so nobody was signed in. If it happens again, tell whoever \
                     administers loanhook: its log says why."
                ),
            ),
        }
    }
}

/// Why nobody is signed in, and the way to begin again.
pub(in crate::page) fn failure(failure: &SignInFailure, host: &str, next: Option<&str>) -> Response {
    let (status, title, text) = failure.content(host);
    let again = next.map_or_else(|| SIGN_IN_PATH.to_owned(), |next| sign_in_path(next, None));
    let content = html! {
        section.card.narrow {
            h1 { (title) }
            p { (text) }
            p { a href=(again) { "Begin again" } }
        }
    };
    (status, layout::page(title, &content)).into_response()
}

/// The button by which a sign-in begins; `new_tab` opens the provider's page in a tab of its own, as no frame may show it.
pub(super) fn sign_in_form(host: &str, next: Option<&str>, new_tab: bool) -> Markup {
    html! {
        form.provider method="post" action=(BEGIN_PATH) target=[new_tab.then_some("_blank")] {
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            button.primary type="submit" { "Sign in with " (host) }
        }
    }
}

/// On the way to the provider's page. The browser goes on by itself.
pub(in crate::page) fn leaving(host: &str, url: &str) -> Response {
    going(("Going to ", host), "You sign in there and come back.", (url, "Go on to "))
}

/// On the way to the provider's page that ends the session there.
pub(in crate::page) fn signed_out(host: &str, url: &str) -> Response {
    let text = "You are signed out of loanhook. There you can sign out of everything else, too.";
    going(("Signed out; going to ", host), text, (url, "Go on to "))
}

fn going((before, host): (&str, &str), text: &str, (url, link): (&str, &str)) -> Response {
    let title = format!("{before}{host}");
    let content = html! {
        section.card.narrow {
            h1 { (title) }
            p { (text) }
            p { a href=(url) { (link) (host) } }
        }
    };
    layout::page(&title, &content)
}

/// Says who is signed in at the provider, and that no rule gives them anything.
pub(in crate::page) fn no_access(name: &str, host: &str, next: Option<&str>) -> Response {
    let content = html! {
        section.card.narrow {
            h1 { "Nothing here is open to you" }
            p { "You are signed in at " (host) " as " bdi.viewer { (name) } ", but no group of yours opens loanhook." }
            p { "Ask whoever administers loanhook in your company to add you to a group that does." }
            form method="post" action=(BEGIN_PATH) {
                @if let Some(next) = next { input type="hidden" name="next" value=(next); }
                input type="hidden" name=(ANEW_FIELD) value="1";
                button type="submit" { "Sign in as somebody else" }
            }
            p { a href=(SIGN_IN_PATH) { "Sign in with an API key" } }
        }
    };
    (StatusCode::FORBIDDEN, layout::page("Nothing here is open to you", &content)).into_response()
}

/// Lets a person choose among several tenants. Each button signs in again: the provider knows the person, and asks nothing.
pub(in crate::page) fn choose_tenant(name: &str, access: &[Access], next: Option<&str>) -> Response {
    let content = html! {
        section.card.narrow {
            h1 { "Choose a tenant" }
            p { "You are " bdi.viewer { (name) } ", and your groups open several tenants. A session is for one of them." }
            form method="post" action=(BEGIN_PATH) {
                @if let Some(next) = next { input type="hidden" name="next" value=(next); }
                @for access in access {
                    p { button type="submit" name=(TENANT_FIELD) value=(access.tenant) { (access.tenant) } }
                }
            }
        }
    };
    layout::page("Choose a tenant", &content)
}
