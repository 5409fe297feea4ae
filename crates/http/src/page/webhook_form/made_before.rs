//! A form of a new webhook that was sent before, by a double click, a reload, or after its viewer went back to it.

use std::sync::Arc;

use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::ShownForm;
use super::again::{refused, renew_once};
use crate::page::error_page::ErrorPage;
use crate::page::tenant_request::TenantRequest;
use crate::page::webhook_page::MADE_BEFORE;
use crate::page::{SettingsStore, links};
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{Settings, Subscription};

/// A webhook that a form made when it was sent before.
pub(super) struct MadeBefore {
    /// Its first version, which the form made.
    first: Arc<Subscription>,
    /// As it is now; none where it was deleted.
    current: Option<Arc<Subscription>>,
}

/// What a form made before. Its first version is looked for before the webhook as it is now, which appears a moment later.
pub(super) async fn made_before<S: SettingsStore>(
    store: &S,
    grant: &Grant,
    id: SubscriptionId,
) -> Result<Option<MadeBefore>, ErrorPage> {
    let Some(first) = store.subscription_version(&grant.tenant, id, 1).await? else { return Ok(None) };
    let current = store.subscription(&grant.tenant, id).await?;
    Ok(Some(MadeBefore { first, current }))
}

impl MadeBefore {
    /// The answer to a form of these settings that is sent again; none are settings that are not to be saved, or cannot be. Other
    /// settings than it was made with, which somebody typed after they went back to the form, are not lost: the form is shown again, for a
    /// further webhook.
    pub(super) fn answer(
        self,
        mut shown: ShownForm,
        settings: Option<&Settings>,
        request: &TenantRequest,
    ) -> Result<Response, ErrorPage> {
        match (settings == Some(&self.first.settings), self.current) {
            (true, Some(_)) => {
                Ok(Redirect::to(&format!("{}?{MADE_BEFORE}=1", links::webhook(self.first.id)))
                    .into_response())
            }
            (true, None) => {
                let deleted = "This form was sent before, and the webhook that it made was deleted: no further one was made. Open an empty form.";
                Err(ErrorPage::Conflict(deleted.to_owned()))
            }
            (false, current) => {
                let made = match current {
                    Some(current) => format!(
                        "This form made the webhook \u{201c}{}\u{201d} before, with other settings. Change that one on its page, or save this \
                         as a further one",
                        current.settings.title
                    ),
                    None => "This form made a webhook before, with other settings, which was deleted. Save this as a further one"
                        .to_owned(),
                };
                renew_once(&mut shown.form, request);
                Ok(refused(StatusCode::CONFLICT, made, (shown, request)))
            }
        }
    }
}
