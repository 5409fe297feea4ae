//! The HTTP interface behind an HTTP API of API Gateway: requests as Lambda hands them over, and responses as it takes
//! them back.

mod site;

use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use http::{Response, header};
use http_body_util::BodyExt as _;
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceExt;
use lambda_http::{Error, IntoResponse, RequestExt as _};

use loanhook_aws::Aws;
use loanhook_http::web::Client;

pub use site::site;

/// Serves a router on an engine until the execution environment ends. What an invocation began on the side is waited
/// for, as between two invocations nothing runs.
///
/// # Errors
///
/// When the runtime cannot be reached.
pub async fn serve(engine: Aws, router: Router) -> Result<(), Error> {
    let finish = move |request: Request, next: Next| {
        let engine = engine.clone();
        async move {
            let answer = next.run(request).await;
            engine.finish().await;
            answer
        }
    };
    let router = router.layer(from_fn(finish));
    let router = ServiceExt::<lambda_http::Request>::map_response(router, Exact);
    let router = ServiceExt::<lambda_http::Request>::map_request(router, seen);
    lambda_http::run(router).await
}

/// A request with the address that the gateway saw it come from, and with its own target: the runtime's library
/// makes one with a host, for which it believes `X-Forwarded-Host` before `Host`.
fn seen(mut request: lambda_http::Request) -> lambda_http::Request {
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

/// An answer whose bytes reach the caller as they are. Left alone, the runtime's library goes by the
/// content type and decodes whatever calls itself text, and a download is what a receiver once answered:
/// its bytes need not be what it says. As text, a megabyte of control characters would also grow beyond what
/// a function may answer (6 MB), since JSON writes each as six.
struct Exact(Response<Body>);

impl IntoResponse for Exact {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<lambda_http::Body>> + Send>> {
        Box::pin(async move {
            let (parts, body) = self.0.into_parts();
            // A body made here is whole: nothing is read to make it.
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
