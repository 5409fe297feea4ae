use axum::routing::post;
use loanhook_http::web::Connection as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::connection_permits::Places;
use super::*;

/// A connection that is served in this process.
struct Pair {
    caller: TcpStream,
    state: Arc<ConnectionState>,
    /// A handler has the request.
    asked: Arc<Notify>,
    /// A handler may answer.
    go_on: Arc<Notify>,
    /// Never used: while it is there nothing ends.
    _stop: watch::Sender<bool>,
}

/// Serves a connection; its handler takes the caller for a known one, and reads the body if it is asked to.
async fn serve(reads: bool) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let caller = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
    let (socket, peer) = listener.accept().await.expect("a connection");
    let place = Arc::new(Places::new(4)).take(None, Instant::now()).expect("a place");
    let state = Arc::clone(&place.state);
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let seen = (Arc::clone(&state), Arc::clone(&asked), Arc::clone(&go_on));
    let handler = move |body: axum::body::Body| async move {
        let (state, asked, go_on) = seen;
        state.authenticated();
        asked.notify_one();
        if reads {
            let _ = axum::body::to_bytes(body, 1024).await;
        } else {
            drop(body);
        }
        go_on.notified().await;
        "answered"
    };
    let peers = Arc::new(Peers { trusted: Vec::new() });
    let served = Arc::new(Served::new(Router::new().route("/", post(handler)), peers));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(served.serve(socket, peer.ip(), place, stopped));
    Pair { caller, state, asked, go_on, _stop: stop }
}

const HEAD: &str = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n";

#[tokio::test]
async fn a_known_request_that_came_after_the_choice_is_answered_before_its_connection_ends() {
    let mut pair = serve(false).await;
    pair.caller.write_all(format!("{HEAD}0123456789").as_bytes()).await.expect("sent");
    pair.asked.notified().await;
    assert_eq!(pair.state.phase(), Phase::KnownRequest);
    pair.state.let_go();
    pair.go_on.notify_one();
    let mut heard = String::new();
    pair.caller.read_to_string(&mut heard).await.expect("the answer, and the end");
    assert!(heard.starts_with("HTTP/1.1 200 ") && heard.ends_with("answered"), "{heard}");
}

#[tokio::test]
async fn a_known_request_whose_body_still_comes_may_be_let_go() {
    let mut pair = serve(true).await;
    pair.caller.write_all(format!("{HEAD}01234").as_bytes()).await.expect("sent");
    pair.asked.notified().await;
    assert_eq!(pair.state.phase(), Phase::KnownCallerAwaited);
    pair.state.let_go();
    let mut heard = Vec::new();
    // It may hear a reset, as not all that it sent was read.
    let _ = pair.caller.read_to_end(&mut heard).await;
    assert!(heard.is_empty(), "{heard:?}");
}
