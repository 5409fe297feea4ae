//! A resend as its caller asks for it.

use serde::Deserialize;

use loanhook_core::model::attempt;

/// How a delivery is to be sent again.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewResend)]
pub(in crate::api) struct ResendDraft {
    /// `original` where it is left out.
    #[serde(default)]
    pub(in crate::api) to: ResendTo,
}

/// `original` is the URL that the delivery was first sent to; `current` is the URL that the subscription has now, rendered for
/// the original event.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum ResendTo {
    #[default]
    Original,
    Current,
}

impl From<ResendTo> for attempt::ResendTo {
    fn from(to: ResendTo) -> Self {
        match to {
            ResendTo::Original => Self::Original,
            ResendTo::Current => Self::Current,
        }
    }
}
