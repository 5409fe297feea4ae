//! The page of deliveries across loans: one page of the list, and the whole list as a file.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};

use super::delivery_parameters::CheckedDeliveryParameters;
use super::error_page::ErrorPage;
use super::fetch_metadata::is_page_or_script;
use super::form::Form;
use super::page_parameters::PageParameters;
use super::tenant_request::TenantRequest;
use super::view::delivery_list;
use super::{PageStore, Pages};
use crate::api::{self, ExportFormat};
use crate::web::download::save_as;
use loanhook_core::delivery_list::{self as deliveries, DeliveryPage};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::time::Timestamp;

/// The parameter of an export that says its format, and its values.
pub(super) const FORMAT: &str = "format";
pub(super) const CSV: &str = "csv";
pub(super) const NDJSON: &str = "ndjson";

/// All that the page shows.
pub(super) struct DeliveryList {
    pub(super) parameters: PageParameters,
    pub(super) checked: CheckedDeliveryParameters,
    pub(super) page: DeliveryPage,
    /// The webhooks of the tenant, to filter by: the ID and the title of each.
    pub(super) webhooks: Vec<(SubscriptionId, String)>,
    /// An export holds only the first part of the list.
    pub(super) export_is_bounded: bool,
}

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let parameters = PageParameters::read_of_deliveries(parts.uri.query());
    let checked = CheckedDeliveryParameters::of(&parameters);
    let CheckedDeliveryParameters { filter, limit, before, errors } = &checked;
    let (store, tenant) = (&pages.store, &request.grant.tenant);
    let is_wrong = !errors.0.is_empty();
    let page = match is_wrong {
        true => DeliveryPage::default(),
        false => deliveries::page(store, tenant, filter, *before, *limit, Timestamp::now()).await?,
    };
    let webhooks = store.subscriptions(tenant).await?;
    let webhooks = webhooks.iter().map(|of| (of.id, of.settings.title.clone())).collect();
    let export_is_bounded = api::is_bounded(&parts);
    let status = if is_wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let list = DeliveryList { parameters, checked, page, webhooks, export_is_bounded };
    Ok((status, delivery_list::page(&list, &request)).into_response())
}

/// Downloads all that match the filters, as the API exports them. Where an answer is bounded it is the newest of them, and its name
/// says that it is a part.
pub(super) async fn export<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    if !is_page_or_script(&parts.headers) {
        return Err(ErrorPage::NotFound);
    }
    let (format, ending) = match Form::of_query(parts.uri.query()).get(FORMAT) {
        CSV => (ExportFormat::Csv, CSV),
        NDJSON => (ExportFormat::Ndjson, NDJSON),
        _ => return Err(ErrorPage::NotFound),
    };
    let parameters = PageParameters::read_of_deliveries(parts.uri.query());
    let CheckedDeliveryParameters { filter, errors, .. } = CheckedDeliveryParameters::of(&parameters);
    if !errors.0.is_empty() {
        return Err(ErrorPage::NotFound);
    }
    let exported = api::export_for_page(pages.store, request.grant.tenant, filter, (format, &parts)).await;
    let mut response = exported.ok_or(ErrorPage::Unavailable)?;
    // The link is for a program with a key.
    let part = if response.headers_mut().remove(header::LINK).is_some() { "-newest-part" } else { "" };
    save_as(&mut response, &format!("deliveries{part}.{ending}"));
    Ok(response)
}
