//! A request for the page of a loan, by a browser with a valid session.

use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;

use super::csrf_token;
use super::error_page::{ErrorPage, SignInReason};
use super::session_cookies::SessionCookies;
use super::view::site_header::Viewing;
use super::{PageStore, Pages};
use crate::web::{self, Client, Origin};
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::destination::shown;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::{AttemptId, EventId, LoanId};
use loanhook_core::model::key::{KeyHash, Scope};
use loanhook_core::model::time::Timestamp;
use loanhook_core::{history, portal, ports};

/// The session of the request, and the loan that its path names.
pub(super) struct PageRequest {
    pub(super) grant: Grant,
    pub(super) loan: LoanId,
    pub(super) origin: Origin,
    /// The ID in the path, of an attempt, an event or a job.
    id: String,
}

impl<S: PageStore> FromRequestParts<Pages<S>> for PageRequest {
    type Rejection = ErrorPage;

    /// Without a session the browser is sent to the sign-in page; with sessions for other loans only, nothing is found.
    async fn from_request_parts(parts: &mut Parts, pages: &Pages<S>) -> Result<Self, ErrorPage> {
        let params =
            RawPathParams::from_request_parts(parts, pages).await.map_err(|_| ErrorPage::NotFound)?;
        let param = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.to_owned());
        let loan = LoanId::try_from(param("loanId").unwrap_or_default()).map_err(|_| ErrorPage::NotFound)?;
        let origin = pages.site.origin(parts)?;
        let cookies = SessionCookies::new(&pages.site, &origin);
        let tokens = cookies.tokens(&parts.headers, &loan);
        let settings = pages.site.sign_in_settings();
        for token in &tokens {
            let session = portal::session(&pages.store, token, &loan, settings, Timestamp::now()).await?;
            if let Some(grant) = session {
                Client::of(&parts.extensions).notify_authenticated();
                return Ok(Self { grant, loan, origin, id: param("id").unwrap_or_default() });
            }
        }
        if tokens.is_empty() && cookies.has_session_of_another_loan(&parts.headers, &loan) {
            return Err(ErrorPage::NotFound);
        }
        let is_of_events = parts.uri.path().split('/').nth(3) == Some(EVENTS);
        let page = if is_of_events { loan_events_path(&loan) } else { loan_page_path(&loan) };
        Err(sign_in_before(&page, parts, !tokens.is_empty()))
    }
}

/// The way to sign in, and then to open this page with the parameters of the request. `had_session`: the browser sent tokens,
/// none of which stands for a session any more.
pub(super) fn sign_in_before(page: &str, parts: &Parts, had_session: bool) -> ErrorPage {
    let parameters = (parts.method == http::Method::GET).then(|| parts.uri.query()).flatten();
    let parameters = parameters.unwrap_or_default();
    let query = without_opened_marker(parameters);
    let reason = match (had_session, query == parameters) {
        (true, _) => SignInReason::Ended,
        (false, false) => SignInReason::NoCookies,
        (false, true) => SignInReason::NoSession,
    };
    let mark = if query.is_empty() { "" } else { "?" };
    ErrorPage::SignIn { next: format!("{page}{mark}{query}"), reason }
}

/// The segment of paths that stands for the events of a loan.
const EVENTS: &str = "events";

/// The path of the page of a loan's webhooks, which is the first of a loan's pages.
pub(super) fn loan_page_path(loan: &LoanId) -> String {
    format!("/loans/{}/webhooks", web::path_segment(loan.as_str()))
}

/// The path of the page of a loan's events.
pub(super) fn loan_events_path(loan: &LoanId) -> String {
    format!("/loans/{}/{EVENTS}", web::path_segment(loan.as_str()))
}

/// The path of the page of a loan's events with this one open.
pub(super) fn loan_event_path(loan: &LoanId, id: EventId) -> String {
    format!("{}?open={id}#e-{id}", loan_events_path(loan))
}

/// The parameter of the first page after a session began. A browser that has no cookie there keeps no cookies.
const OPENED_MARKER: &str = "opened=1";

/// The URL of the first page after a session began.
pub(super) fn with_opened_marker(page: &str) -> String {
    let mark = if page.contains('?') { '&' } else { '?' };
    format!("{page}{mark}{OPENED_MARKER}")
}

fn without_opened_marker(query: &str) -> String {
    query.split('&').filter(|pair| *pair != OPENED_MARKER).collect::<Vec<_>>().join("&")
}

impl PageRequest {
    /// The path of the page of the loan's webhooks.
    pub(super) fn path(&self) -> String {
        loan_page_path(&self.loan)
    }

    /// The path of the page of the loan's events.
    pub(super) fn events_path(&self) -> String {
        loan_events_path(&self.loan)
    }

    /// The URL of the page of events with this one open.
    pub(super) fn event_href(&self, id: &EventId) -> String {
        loan_event_path(&self.loan, *id)
    }

    /// The event that the path names.
    pub(super) fn event_id(&self) -> Option<EventId> {
        self.id.parse().ok()
    }

    /// Who looks at the page, for its layout.
    pub(super) fn viewing(&self) -> Viewing<'_> {
        Viewing { grant: &self.grant, loan: Some(&self.loan), section: None }
    }

    /// The ID in the path, whatever it is of.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn may_resend(&self) -> bool {
        self.grant.may(Scope::WebhooksResend)
    }

    /// The destination of an attempt; its query is masked for a viewer who may not write subscriptions.
    pub(super) fn destination(&self, attempt: &Attempt) -> String {
        self.url(&attempt.destination)
    }

    /// A URL that requests go to, likewise masked.
    pub(super) fn url(&self, url: &str) -> String {
        shown(url.to_owned(), self.grant.may(Scope::SubscriptionsWrite))
    }

    /// The row of the attempt that the path names.
    pub(super) async fn row<S: ports::Attempts>(&self, store: &S) -> Result<ports::HistoryRow, ErrorPage> {
        let id: AttemptId = self.id.parse().map_err(|_| ErrorPage::NotFound)?;
        let row = history::row(store, &self.grant.tenant, &self.loan, id, Timestamp::now()).await?;
        row.ok_or(ErrorPage::NotFound)
    }
}

/// Refuses a form that does not come from a page of this origin that was made for the viewer of this grant.
pub(super) fn check_csrf_token(
    grant: &Grant,
    origin: &Origin,
    headers: &HeaderMap,
    shown: &str,
) -> Result<(), ErrorPage> {
    if is_csrf_token(grant, shown) {
        check_same_origin(headers, origin)
    } else {
        Err(ErrorPage::CrossSiteForm)
    }
}

/// Whether this is the token of forms that are made for the viewer of a grant.
pub(super) fn is_csrf_token(grant: &Grant, shown: &str) -> bool {
    // Hashes are compared, so that the time of the comparison tells nothing about the token.
    KeyHash::of(shown) == KeyHash::of(&csrf_token::csrf_token(grant))
}

/// Refuses a form that does not come from a page of this origin, by the headers of the browser, which no other site can
/// set.
pub(super) fn check_same_origin(headers: &HeaderMap, origin: &Origin) -> Result<(), ErrorPage> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let same_origin = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, named) => named.is_some_and(|named| origin.matches(named)),
    };
    if same_origin { Ok(()) } else { Err(ErrorPage::CrossSiteForm) }
}
