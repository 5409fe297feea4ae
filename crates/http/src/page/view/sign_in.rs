//! The sign-in page, with the button of the OpenID provider and the form for an API key.

use axum::response::Response;
use maud::html;

use super::{layout, oidc};
use crate::web::{Origin, SiteSettings};

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) enum SignInError {
    SessionEnded,
    NoCookies,
    NoSuchKey,
    MayNotRead,
    NoSuchLoan,
}

impl SignInError {
    const fn text(self) -> &'static str {
        match self {
            Self::SessionEnded => {
                "Your session is over. Open the loan again from your servicing system, or sign in here."
            }
            Self::NoCookies => "Your browser keeps no cookies here.",
            Self::NoSuchKey => "This key is not valid. It may have been deleted.",
            Self::MayNotRead => "This key may not read the history: use one with the scope history:read.",
            Self::NoSuchLoan => "Say which loan to open: its ID, as the servicing system names it.",
        }
    }
}

/// The page. It asks for a loan where `next`, the page to open after the sign-in, is not known.
pub(in crate::page) fn page(
    next: Option<&str>,
    error: Option<SignInError>,
    origin: &Origin,
    site: &SiteSettings,
) -> Response {
    let new_tab = site.frame_ancestors.names_another_site();
    let content = html! {
        section.card.narrow {
            h1 { "Sign in" }
            p.quiet {
                "Opened from your servicing system? Go back there and open the loan again. "
                @if site.provider.is_none() { "With an API key you can sign in here." } @else { "You can also sign in here." }
            }
            @if let Some(error) = error {
                p.notice.bad role="alert" {
                    (error.text())
                    @if let (SignInError::NoCookies, Some(next)) = (error, next) {
                        " " a href=(next) target="_blank" { "Open the page in its own tab" } "."
                    }
                }
            }
            @if origin.may_reject_secure_cookies() {
                p.notice.wait {
                    "If the address of this page begins with http://, your browser will not keep you signed in. "
                    "Open it with https:// instead."
                }
            }
            @if site.provider_is_set_up_wrongly {
                p.notice.bad {
                    "The sign-in with the account of your company is set up wrongly. Tell whoever administers loanhook: its log says "
                    "what is wrong."
                }
            }
            @if let Some(provider) = &site.provider {
                (oidc::sign_in_form(provider.host(), next, new_tab))
                h2 { "Or with an API key" }
            }
            form method="post" action="/sign-in" {
                @match next {
                    Some(next) => { input type="hidden" name="next" value=(next); }
                    None => {
                        label for="loan" { "Loan ID (leave it empty for all loans)" }
                        input #loan name="loan" maxlength="256" autocomplete="off";
                    }
                }
                label for="key" { "API key" }
                input #key type="password" name="key" required autocomplete="off" spellcheck="false" placeholder="lh_…";
                button.primary[site.provider.is_none()] type="submit" { "Sign in" }
            }
        }
    };
    layout::page("Sign in", &content)
}
