//! `/openapi.json`: the OpenAPI document.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};

use crate::api::{openapi, response};

static DOCUMENT: LazyLock<String> = LazyLock::new(openapi::document);

/// This document
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "reference", security(()),
    responses((status = 200, body = Object, description = "this document", content_type = "application/json"))
)]
pub(in crate::api) async fn get() -> Response {
    (response::JSON_HEADERS, DOCUMENT.as_str()).into_response()
}
