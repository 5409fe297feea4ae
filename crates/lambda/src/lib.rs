//! The HTTP interface in a Lambda function behind an HTTP API of API Gateway: requests and responses in Lambda's form.
//!
//! The functions with HTTP serve their routers with [`serve`]. The routers are `loanhook-http`'s.

mod oidc;
mod site;

use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::{Extension, Router};
use http::{Response, header};
use http_body_util::BodyExt as _;
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt;
use lambda_http::{Error, IntoResponse, RequestExt as _};

use loanhook_aws::Aws;
use loanhook_http::api::BoundedExports;
use loanhook_http::web::Client;
use loanhook_otlp::SpanExport;

pub use site::site;

/// Serves a router on an engine until the execution environment ends. Each invocation waits for the background calls that
/// it started, as nothing runs between two invocations.
///
/// # Errors
///
/// When the runtime cannot be reached.
pub async fn serve(engine: Aws, router: Router) -> Result<(), Error> {
    serve_recorded(engine, router, None).await
}

/// The same, where spans are recorded: each invocation waits for their export, too.
///
/// # Errors
///
/// When the runtime cannot be reached.
pub async fn serve_recorded(engine: Aws, router: Router, spans: Option<SpanExport>) -> Result<(), Error> {
    let finish_background = move |request: Request, next: Next| {
        let (engine, spans) = (engine.clone(), spans.clone());
        async move {
            let response = next.run(request).await;
            engine.finish_background().await;
            if let Some(export) = spans {
                export.flush().await;
            }
            response
        }
    };
    // What a function answers is whole before it is sent, and has at most 6 MB.
    let router = router.layer(Extension(BoundedExports)).layer(from_fn(finish_background));
    let router = ServiceExt::<lambda_http::Request>::map_response(router, ExactBody);
    let router = ServiceExt::<lambda_http::Request>::map_request(router, with_source);
    lambda_http::run(router).await
}

/// The request with the source address that the gateway saw, and with the target that it was sent with: the runtime's
/// library adds a host to the target, for which it trusts `X-Forwarded-Host` more than `Host`.
fn with_source(mut request: lambda_http::Request) -> lambda_http::Request {
    let address = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.http.source_ip.as_deref().and_then(|address| address.parse().ok())
        }
        _ => None,
    };
    request.extensions_mut().insert(Client::new(address, None));
    let target = request.uri().path_and_query().map(|target| target.as_str().parse());
    if let Some(Ok(target)) = target {
        *request.uri_mut() = target;
    }
    request
}

/// A response whose bytes reach the caller unchanged.
///
/// By itself the runtime's library decodes every body that the content type calls text. The body of a download is what a
/// receiver sent, which need not be what its content type says. As text, a megabyte of control characters would also grow
/// beyond the 6 MB that a function may respond with, since JSON writes each of them in six bytes.
struct ExactBody(Response<Body>);

impl IntoResponse for ExactBody {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<lambda_http::Body>> + Send>> {
        Box::pin(async move {
            let (parts, body) = self.0.into_parts();
            // This cannot fail: our bodies are in memory.
            let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let download = parts.headers.contains_key(header::CONTENT_DISPOSITION);
            let body = match String::from_utf8(bytes.into()) {
                Ok(text) if download => lambda_http::Body::Binary(text.into_bytes()),
                Ok(text) => lambda_http::Body::Text(text),
                Err(error) => lambda_http::Body::Binary(error.into_bytes()),
            };
            Response::from_parts(parts, body)
        })
    }
}
