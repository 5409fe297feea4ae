use axum::routing::post;
use loanhook_http::web::AuthenticationObserver as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::connection_permits::ConnectionPermits;
use super::*;

/// A connection that is served in this process.
struct ServedConnection {
    caller: TcpStream,
    state: Arc<ConnectionState>,
    /// The handler has the request.
    handler_called: Arc<Notify>,
    /// The handler may answer.
    answer_now: Arc<Notify>,
    /// Never used: dropping it would stop the connection.
    _stop: watch::Sender<bool>,
}

/// Serves a connection. Its handler takes the caller to be authenticated, and reads the body if `reads_body`.
async fn serve(reads_body: bool) -> ServedConnection {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let caller = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    let (socket, peer) = listener.accept().await.expect("a connection");
    let permit = Arc::new(ConnectionPermits::new(4)).acquire(None, Instant::now()).expect("a permit");
    let state = Arc::clone(&permit.state);
    let (handler_called, answer_now) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let of_handler = (Arc::clone(&state), Arc::clone(&handler_called), Arc::clone(&answer_now));
    let handler = move |body: axum::body::Body| async move {
        let (state, handler_called, answer_now) = of_handler;
        state.on_authenticated();
        handler_called.notify_one();
        if reads_body {
            let _ = axum::body::to_bytes(body, 1024).await;
        } else {
            drop(body);
        }
        answer_now.notified().await;
        "answered"
    };
    let proxies = Arc::new(TrustedProxies { networks: Vec::new() });
    let server = Arc::new(ConnectionServer::new(Router::new().route("/", post(handler)), proxies));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(server.serve(socket, peer.ip(), permit, stopped));
    ServedConnection { caller, state, handler_called, answer_now, _stop: stop }
}

const HEAD_OF_TEN_BYTES: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n";

#[tokio::test]
async fn an_authenticated_request_that_is_complete_is_answered_before_its_evicted_connection_ends() {
    let mut connection = serve(false).await;
    let request = format!("{HEAD_OF_TEN_BYTES}0123456789");
    connection.caller.write_all(request.as_bytes()).await.expect("sent");
    connection.handler_called.notified().await;
    assert_eq!(connection.state.phase(), Phase::AuthenticatedRequest);
    connection.state.evict();
    connection.answer_now.notify_one();
    let mut received = String::new();
    connection.caller.read_to_string(&mut received).await.expect("the response, and the end");
    assert!(received.starts_with("HTTP/1.1 200 ") && received.ends_with("answered"), "{received}");
}

#[tokio::test]
async fn an_authenticated_request_whose_body_is_not_complete_ends_with_its_evicted_connection() {
    let mut connection = serve(true).await;
    let request = format!("{HEAD_OF_TEN_BYTES}01234");
    connection.caller.write_all(request.as_bytes()).await.expect("sent");
    connection.handler_called.notified().await;
    assert_eq!(connection.state.phase(), Phase::WaitingForCaller);
    connection.state.evict();
    let mut received = Vec::new();
    // The read may end with a reset, as not all that the caller sent was read.
    let _ = connection.caller.read_to_end(&mut received).await;
    assert!(received.is_empty(), "{received:?}");
}
