//! The script, the stylesheet and the icon of the pages, compiled into the program. Each has its hash in its name, so
//! that a browser may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use super::error_page::ErrorPage;
use loanhook_core::model::payload::PayloadKey;

/// One of the files.
pub(super) struct Asset {
    /// The path of its URL.
    pub(super) path: String,
    etag: String,
    content_type: &'static str,
    body: &'static str,
}

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, body: &'static str) -> Self {
        let mut hash = PayloadKey::of(body.as_bytes()).to_string();
        hash.truncate(16);
        let path = format!("/assets/{name}.{hash}.{ending}");
        Self { path, etag: format!("\"{hash}\""), content_type, body }
    }
}

/// One stylesheet and one script, each put together from parts.
const CSS: &str = concat!(
    include_str!("assets/style/1-page.css"),
    include_str!("assets/style/2-webhooks.css"),
    include_str!("assets/style/3-narrow-and-paper.css"),
    include_str!("assets/style/4-console.css"),
    include_str!("assets/style/5-forms.css"),
);
const JS: &str = concat!(
    include_str!("assets/script/1-page.js"),
    include_str!("assets/script/2-rows.js"),
    include_str!("assets/script/3-refresh.js"),
    include_str!("assets/script/4-begin.js"),
    include_str!("assets/script/5-bulk.js"),
    include_str!("assets/script/6-forms.js"),
);

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "css", "text/css; charset=utf-8", CSS));
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "js", "text/javascript; charset=utf-8", JS));
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")));

pub(super) async fn get(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let all = [&*STYLE, &*SCRIPT, &*ICON];
    let Some(asset) = all.into_iter().find(|asset| asset.path.ends_with(&format!("/{name}"))) else {
        return ErrorPage::NotFound.into_response();
    };
    let kept =
        [(header::ETAG, asset.etag.as_str()), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known
        .is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag))
    {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    (kept, [(header::CONTENT_TYPE, asset.content_type)], asset.body).into_response()
}
