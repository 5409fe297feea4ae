//! Parameters of a path: IDs and names. One that cannot be an ID or a name of anything is a 404.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::api::problem::Problem;
use loanhook_core::model::id::LoanId;

/// The parameters of a path, as text.
pub(in crate::api) struct PathParameters(Vec<(String, String)>);

impl PathParameters {
    /// A parameter that is an ID; `what` names the kind of thing in the problem.
    pub(in crate::api) fn id<T: FromStr>(&self, name: &str, what: &str) -> Result<T, Problem> {
        self.text(name).parse().map_err(|_| Problem::not_found(what))
    }

    pub(in crate::api) fn loan(&self) -> Result<LoanId, Problem> {
        LoanId::try_from(self.text("loanId").to_owned()).map_err(|_| Problem::not_found("loan"))
    }

    pub(in crate::api) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PathParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| Problem::not_found("thing"))?;
        Ok(Self(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
    }
}
