//! Credentials of a request as the page shows them: the names of the headers that the settings gave it and which version of the
//! webhook that was, never a value.

use tracing::warn;

use super::PageStore;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::ports::HistoryRow;

/// What is known of the credentials that a request had.
pub(super) struct UsedCredentials {
    pub(super) version: u64,
    /// The names of headers with a value of the settings or a rendered one; none where the version cannot be read any more.
    pub(super) headers: Option<Vec<String>>,
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
    let headers = match store.subscription_version(tenant, id, version).await {
        Ok(found) => found.map(|found| {
            let rendered = snapshot.request.headers.all().keys().cloned();
            let mut names: Vec<String> =
                found.settings.constant_headers().into_keys().chain(rendered).collect();
            names.sort_by_key(|name| name.to_ascii_lowercase());
            names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
            names
        }),
        Err(failure) => {
            warn!(trace_id = %snapshot.trace_id, %failure, "page.credentials_unknown");
            None
        }
    };
    Some(UsedCredentials { version, headers })
}
