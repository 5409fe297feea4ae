//! An HTTP server on loopback that answers every request by one function.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub(crate) type Body = Full<Bytes>;

/// A request, read whole.
pub(crate) struct Received {
    pub(crate) head: hyper::http::request::Parts,
    pub(crate) body: Bytes,
}

/// Starts to serve on a free port, and returns the address.
pub(crate) async fn serve<F, A>(answers: F) -> std::io::Result<SocketAddr>
where
    F: Fn(Received) -> A + Clone + Send + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Nagle's algorithm would be measured, not the functions.
            let _ = stream.set_nodelay(true);
            let answers = answers.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answers = answers.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                    Ok::<_, Infallible>(answers(Received { head, body }).await)
                }
            });
            // A killed function breaks its connections; that is no error here.
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    Ok(address)
}

pub(crate) fn answer(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
