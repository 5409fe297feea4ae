//! A request for the page of a loan by somebody who may see it.

use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;

use super::csrf_token;
use super::error_page::{Refused, Why};
use super::session_cookies::Jar;
use super::{Pages, Store};
use crate::web::{self, Client, Origin};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::destination::shown;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{AttemptId, LoanId};
use loanhook_core::model::key::{KeyHash, Scope};
use loanhook_core::model::time::Timestamp;
use loanhook_core::{history, portal, ports};

/// Whose session it is, and what it is about.
pub(super) struct Visit {
    pub(super) grant: Grant,
    pub(super) loan: LoanId,
    pub(super) reached: Origin,
    attempt: String,
}

impl<S: Store> FromRequestParts<Pages<S>> for Visit {
    type Rejection = Refused;

    /// No session is a way to sign in; a session for another loan finds nothing here.
    async fn from_request_parts(parts: &mut Parts, pages: &Pages<S>) -> Result<Self, Refused> {
        let params = RawPathParams::from_request_parts(parts, pages).await.map_err(|_| Refused::NoPage)?;
        let param = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.to_owned());
        let loan = LoanId::try_from(param("loanId").unwrap_or_default()).map_err(|_| Refused::NoPage)?;
        let reached = pages.site.origin(parts)?;
        let jar = Jar::new(&pages.site, &reached);
        let tokens = jar.tokens(&parts.headers, &loan);
        for token in &tokens {
            let session = portal::session(&pages.store, token, &loan, Timestamp::now()).await?;
            if let Some(grant) = session {
                Client::of(&parts.extensions).notify_authenticated();
                let attempt = param("id").unwrap_or_default();
                return Ok(Self { grant, loan, reached, attempt });
            }
        }
        if tokens.is_empty() && jar.has_other(&parts.headers, &loan) {
            return Err(Refused::NoPage);
        }
        let asked = (parts.method == http::Method::GET).then(|| parts.uri.query()).flatten();
        let asked = asked.unwrap_or_default();
        let query = without_opened(asked);
        let why = match (tokens.is_empty(), query == asked) {
            (false, _) => Why::Ended,
            (true, false) => Why::NoCookies,
            (true, true) => Why::NoSession,
        };
        let mark = if query.is_empty() { "" } else { "?" };
        Err(Refused::SignIn { next: format!("{}{mark}{query}", path(&loan)), why })
    }
}

/// Where the page of a loan is.
pub(super) fn path(loan: &LoanId) -> String {
    format!("/loans/{}/webhooks", web::path_segment(loan.as_str()))
}

/// The parameter of a page to which a browser comes with its new cookie, if it keeps cookies.
const OPENED: &str = "opened=1";

/// The page where a session that just began is used.
pub(super) fn opened(page: &str) -> String {
    let mark = if page.contains('?') { '&' } else { '?' };
    format!("{page}{mark}{OPENED}")
}

fn without_opened(query: &str) -> String {
    query.split('&').filter(|pair| *pair != OPENED).collect::<Vec<_>>().join("&")
}

impl Visit {
    pub(super) fn path(&self) -> String {
        path(&self.loan)
    }

    pub(super) fn may_resend(&self) -> bool {
        self.grant.may(Scope::WebhooksResend)
    }

    /// The destination of an attempt, as this viewer is shown it.
    pub(super) fn destination(&self, attempt: &Attempt) -> String {
        shown(attempt.destination.clone(), self.grant.may(Scope::SubscriptionsWrite))
    }

    /// The row that the path names.
    pub(super) async fn row<S: ports::Attempts>(&self, store: &S) -> Result<ports::HistoryRow, Refused> {
        let id: AttemptId = self.attempt.parse().map_err(|_| Refused::NoPage)?;
        let row = history::row(store, &self.grant.tenant, &self.loan, id, Timestamp::now()).await?;
        row.ok_or(Refused::NoPage)
    }

    /// Whether a form came from a page that this viewer sees.
    pub(super) fn check_form(&self, headers: &HeaderMap, shown: &str) -> Result<(), Refused> {
        // Of hashes, so that how long it takes tells nothing.
        if KeyHash::of(shown) != KeyHash::of(&csrf_token::csrf(&self.grant)) {
            return Err(Refused::ForeignForm);
        }
        from_us(headers, &self.reached)
    }
}

/// Whether a form came from a page of ours, as the browser says: no other site can make it say so.
pub(super) fn from_us(headers: &HeaderMap, reached: &Origin) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, origin) => origin.is_some_and(|origin| reached.matches(origin)),
    };
    if ours { Ok(()) } else { Err(Refused::ForeignForm) }
}
