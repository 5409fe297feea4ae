//! Portal links as their makers ask for them.

use serde::Deserialize;

use loanhook_core::model::grant;

/// What a portal link is asked to allow.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewPortalLink)]
pub(in crate::api) struct LinkDraft {
    #[schema(pattern = "loanId", example = "727")]
    loan_id: String,
    /// `history:read`, and `webhooks:resend` where the viewer may resend.
    #[schema(min_items = 1, example = json!(["history:read", "webhooks:resend"]))]
    scopes: Vec<LinkScope>,
    /// Who is going to look: what `requestedBy` of a resend shows. The key's name where it is left out.
    #[serde(default)]
    #[schema(pattern = "name", example = "jane@lender.example")]
    viewer: Option<String>,
    /// How long the link can be opened; 900 where it is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    ttl_seconds: Option<u32>,
    /// How long a session lasts that the link opens; 28,800 where it is left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    session_seconds: Option<u32>,
}

/// What a portal link can allow.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[schema(as = PortalScope)]
enum LinkScope {
    #[serde(rename = "history:read")]
    HistoryRead,
    #[serde(rename = "webhooks:resend")]
    WebhooksResend,
}

impl From<LinkDraft> for grant::LinkInput {
    fn from(draft: LinkDraft) -> Self {
        let LinkDraft { loan_id, scopes, viewer, ttl_seconds, session_seconds } = draft;
        let scopes = scopes.into_iter().map(Into::into).collect();
        Self { loan_id, scopes, viewer, ttl_seconds, session_seconds }
    }
}

impl From<LinkScope> for grant::LinkScope {
    fn from(scope: LinkScope) -> Self {
        match scope {
            LinkScope::HistoryRead => Self::HistoryRead,
            LinkScope::WebhooksResend => Self::WebhooksResend,
        }
    }
}
