//! Credentials of a request as the page shows them: the names of the headers that the settings gave it and which version of the
//! webhook that was, never a value.

use tracing::warn;

use super::PageStore;
use loanhook_core::model::delivery::Delivery;
use loanhook_core::model::subscription::{ClientCertificate, Request, notice_days};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::HistoryRow;

/// What is known of the credentials that a request had.
pub(super) struct UsedCredentials {
    pub(super) version: u64,
    /// The names of headers with a value of the settings or a rendered one; none where the version cannot be read any more.
    pub(super) headers: Option<Vec<String>>,
    /// The kinds of authentication of the version, in words, and when its client certificate ends where that is soon.
    pub(super) authentication: Vec<&'static str>,
    pub(super) certificate_ends: Option<Timestamp>,
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
    let found = match store.subscription_version(tenant, id, version).await {
        Ok(found) => found,
        Err(failure) => {
            warn!(trace_id = %snapshot.trace_id, %failure, "page.credentials_unknown");
            None
        }
    };
    let request = found.as_ref().map(|found| &found.settings.request);
    let client = request.and_then(|request| request.tls.as_ref()?.client.as_ref());
    let ends = client.and_then(ClientCertificate::expires_at);
    let certificate_ends = ends.filter(|ends| notice_days(*ends, Timestamp::now()).is_some());
    let authentication = request.map(Request::authentication).unwrap_or_default();
    let headers = found.map(|found| {
        let rendered = snapshot.request.headers.all().keys().cloned();
        let mut names: Vec<String> = found.settings.constant_headers().into_keys().chain(rendered).collect();
        names.sort_by_key(|name| name.to_ascii_lowercase());
        names.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        names
    });
    Some(UsedCredentials { version, headers, authentication, certificate_ends })
}
