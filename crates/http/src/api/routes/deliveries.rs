//! `GET /v1/webhooks`: the deliveries of a tenant, across its loans.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use serde::Serialize;

use crate::api::export::{self, DELIVERY_COLUMNS, Export, ExportFormat, ExportPage, RequestedExport};
use crate::api::openapi::{Denied, Invalid, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::delivery_query::DeliveryQuery;
use crate::api::request::query::CheckedQuery;
use crate::api::schema::delivery::ListedDeliveryView;
use crate::api::{Api, SharedStore};
use crate::web::delivery_cursor::delivery_cursor;
use loanhook_core::delivery_list::{self, DeliveryFilter};
use loanhook_core::model::delivery::DeliveryPosition;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{DeliveryList, FlowControl, Keys, Ledger};

/// A page of deliveries, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeliveryList)]
pub(in crate::api) struct DeliveryListView {
    items: Vec<ListedDeliveryView>,
    /// The cursor of the next page; null where there is none.
    #[schema(required)]
    next: Option<String>,
}

/// List deliveries across loans
///
/// The deliveries of all loans, the newest first by `acceptedAt`, each with its newest attempt. A filtered page is full unless
/// the list ends or 5,000 deliveries were looked at for it; then `next` goes on. On AWS, deliveries of events that `EventLedger`
/// does not keep, and of events from before the ledger, are listed only with `status=failed`, and there only if they failed
/// since this index was made.
///
/// As CSV or NDJSON it is the whole list, or with a `limit` a page of it; on AWS it is a part of the list: see `Link`.
#[utoipa::path(
    get, path = "/v1/webhooks", operation_id = "listDeliveries", tag = "history",
    params(DeliveryQuery),
    responses(
        (
            status = 200, description = "a page of the deliveries",
            content((DeliveryListView = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("Link" = String, description = "of CSV and NDJSON: the next part of the list, with rel=\"next\"; absent where there is none")),
        ),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: SharedStore + DeliveryList + FlowControl + Ledger + Keys>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(query): CheckedQuery<DeliveryQuery>,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let has_limit = query.has_limit();
    let (filter, before, limit) = query.check()?;
    if let Some(export) = export.of(DELIVERY_COLUMNS, has_limit.then_some(limit)) {
        return write(api.store, tenant.clone(), filter, before, export).await;
    }
    let page = delivery_list::page(&api.store, tenant, &filter, before, limit, Timestamp::now()).await?;
    let list = DeliveryListView {
        items: page.deliveries.into_iter().map(ListedDeliveryView::new).collect(),
        next: page.next.map(delivery_cursor),
    };
    Ok(export::json(&list))
}

/// The export of a page for people, who have a session in place of a key: all deliveries that pass the filter, the newest first.
/// Where answers are bounded it is the first part of them, with a `Link` to the next. None where it could not be made.
pub(crate) async fn export_for_page<S: SharedStore + DeliveryList + FlowControl + Ledger>(
    store: S,
    tenant: TenantId,
    filter: DeliveryFilter,
    (format, parts): (ExportFormat, &Parts),
) -> Option<Response> {
    let export = RequestedExport::for_page(format, parts).of(DELIVERY_COLUMNS, None)?;
    write(store, tenant, filter, None, export).await.ok()
}

/// Writes all deliveries that pass the filter, from before a position.
async fn write<S: SharedStore + DeliveryList + FlowControl + Ledger>(
    store: S,
    tenant: TenantId,
    filter: DeliveryFilter,
    before: Option<DeliveryPosition>,
    export: Export,
) -> Result<Response, Problem> {
    let of = Arc::new((store, tenant, filter));
    let read = move |before, limit| {
        let of = Arc::clone(&of);
        async move {
            let (store, tenant, filter) = &*of;
            let page = delivery_list::page(store, tenant, filter, before, limit, Timestamp::now()).await?;
            let rows =
                page.deliveries.into_iter().map(|of| (of.delivery.position(), ListedDeliveryView::new(of)));
            Ok(ExportPage::new(rows, page.next))
        }
    };
    export.respond(before, read, delivery_cursor).await
}
