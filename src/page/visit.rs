//! A request for the page of a loan by somebody who may see it.

use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;

use super::cookies::Jar;
use super::refused::Refused;
use super::{Pages, Store};
use crate::model::grant::Grant;
use crate::model::id::{AttemptId, LoanId};
use crate::model::key::{KeyHash, Scope};
use crate::model::payload::PayloadKey;
use crate::model::time::Timestamp;
use crate::web::{self, Reached};
use crate::{history, portal, ports};

/// Whose session it is, and what it is about.
pub(super) struct Visit {
    pub(super) grant: Grant,
    pub(super) loan: LoanId,
    pub(super) reached: Reached,
    attempt: String,
    token: String,
}

impl<S: Store> FromRequestParts<Pages<S>> for Visit {
    type Rejection = Refused;

    /// No session is a way to sign in; a session for another loan finds nothing here.
    async fn from_request_parts(parts: &mut Parts, pages: &Pages<S>) -> Result<Self, Refused> {
        let params = RawPathParams::from_request_parts(parts, pages).await.map_err(|_| Refused::NoPage)?;
        let param = |wanted| params.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text.to_owned());
        let loan = LoanId::try_from(param("loanId").unwrap_or_default()).map_err(|_| Refused::NoPage)?;
        let reached = pages.site.reached(parts);
        let jar = Jar::new(&pages.site, &reached);
        let tokens = jar.tokens(&parts.headers, &loan);
        for token in &tokens {
            let session = portal::session(&pages.store, token, &loan, Timestamp::now()).await?;
            if let Some(grant) = session {
                let attempt = param("id").unwrap_or_default();
                return Ok(Self { grant, loan, reached, attempt, token: token.clone() });
            }
        }
        if tokens.is_empty() && jar.has_other(&parts.headers, &loan) {
            return Err(Refused::NoPage);
        }
        let asked = (parts.method == http::Method::GET).then(|| parts.uri.query()).flatten();
        let query = asked.map(|query| format!("?{query}")).unwrap_or_default();
        Err(Refused::SignIn { next: format!("{}{query}", path(&loan)), ended: !tokens.is_empty() })
    }
}

/// Where the page of a loan is.
pub(super) fn path(loan: &LoanId) -> String {
    format!("/loans/{}/webhooks", web::segment(loan.as_str()))
}

impl Visit {
    pub(super) fn path(&self) -> String {
        path(&self.loan)
    }

    pub(super) fn may_resend(&self) -> bool {
        self.grant.may(Scope::WebhooksResend)
    }

    /// The row that the path names.
    pub(super) async fn row<S: ports::Attempts>(&self, store: &S) -> Result<ports::Row, Refused> {
        let id: AttemptId = self.attempt.parse().map_err(|_| Refused::NoPage)?;
        let row = history::row(store, &self.grant.tenant, &self.loan, id, Timestamp::now()).await?;
        row.ok_or(Refused::NoPage)
    }

    /// What each form of this session carries: nobody who does not see the page knows it.
    pub(super) fn csrf(&self) -> String {
        csrf(&self.token)
    }

    /// Whether a form came from a page of this session.
    pub(super) fn check_form(&self, headers: &HeaderMap, shown: &str) -> Result<(), Refused> {
        // Of hashes, so that how long it takes tells nothing.
        if KeyHash::of(shown) != KeyHash::of(&self.csrf()) {
            return Err(Refused::ForeignForm);
        }
        from_us(headers, &self.reached)
    }
}

/// Whether a form came from a page of ours, as the browser says: no other site can make it say so.
pub(super) fn from_us(headers: &HeaderMap, reached: &Reached) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, origin) => origin.is_some_and(|origin| reached.is_origin(origin)),
    };
    if ours { Ok(()) } else { Err(Refused::ForeignForm) }
}

fn csrf(token: &str) -> String {
    PayloadKey::of(format!("form {token}").as_bytes()).to_string()
}
