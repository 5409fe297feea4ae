//! Credentials of a request as the page shows them: which kind they are and which version of the webhook gave them, never a value.

use tracing::warn;

use super::PageStore;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::ports::HistoryRow;

const AUTHORIZATION: &str = "authorization";

/// What is known of the credentials that a request had.
pub(super) struct UsedCredentials {
    pub(super) version: u64,
    /// Whether there was an `Authorization` header among the headers; none where the version cannot be read any more.
    pub(super) authorization: Option<bool>,
}

/// The credentials of a row. None where no version is known to have given any. The page shows the row all the same.
pub(super) async fn of_row<S: PageStore>(
    store: &S,
    row: &HistoryRow,
    delivery: &Delivery,
) -> Option<UsedCredentials> {
    let snapshot = &delivery.snapshot;
    let version = row.credentials_version().filter(|_| snapshot.request.unrenderable.is_none())?;
    let (tenant, id) = (&snapshot.tenant, snapshot.subscription_id);
    let authorization = match store.subscription_version(tenant, id, version).await {
        Ok(found) => found.map(|found| {
            has_authorization(snapshot.request.headers.all().keys())
                || has_authorization(found.settings.constant_headers().keys())
        }),
        Err(failure) => {
            warn!(trace_id = %snapshot.trace_id, %failure, "page.credentials_unknown");
            None
        }
    };
    Some(UsedCredentials { version, authorization })
}

fn has_authorization<'a>(mut names: impl Iterator<Item = &'a String>) -> bool {
    names.any(|name| name.eq_ignore_ascii_case(AUTHORIZATION))
}
