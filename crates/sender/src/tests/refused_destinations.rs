//! The destinations that are refused: literal addresses in every spelling, names, and names whose addresses change.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use futures_util::FutureExt as _;
use tokio::join;

use super::{
    LOOPBACK, LookupFuture, assert_failed, client_with_resolver, failure, loopback_network, post,
    resolving_to,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

/// What a tenant reads, whatever the address is.
const NOT_PUBLIC_DETAIL: &str = "the destination is not allowed: its address is not a public one; nothing was sent. The \
                          operator can allow its network with --allow-network";
const PLAIN_HTTP_DETAIL: &str = "the destination is not allowed: http:// is sent only to networks that the operator allows \
                            with --allow-network; nothing was sent. Use https://";

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// A client that may send to public addresses only, and resolves every name to these.
fn public_only_client(addresses: Vec<IpAddr>) -> WebhookClient {
    client_with_resolver(Vec::new(), resolving_to(addresses))
}

fn unexpected_lookup(_: String) -> LookupFuture {
    unreachable!("no name is to be resolved")
}

#[tokio::test]
async fn a_literal_address_is_refused_in_every_spelling() {
    let client = client_with_resolver(Vec::new(), unexpected_lookup);
    for (host, address) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("%31%32%37.0.0.1", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("2852039166", "169.254.169.254"),
        ("0", "0.0.0.0"),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("[fd00:ec2::254]", "fd00:ec2::254"),
    ] {
        for scheme in ["https", "http", "HTTPS"] {
            let outcome = send(&client, post(&format!("{scheme}://{host}:8443/x"), "{}")).await;
            let refusal = outcome.refusal.as_ref().map(ToString::to_string);
            let refused = refusal.is_some_and(|refusal| refusal.starts_with(&format!("{address}, ")));
            assert!(refused, "{host} is {address}: {:?}", outcome.refusal);
            let detail = if scheme == "http" { PLAIN_HTTP_DETAIL } else { NOT_PUBLIC_DETAIL };
            assert_failed(outcome, Phase::Prepare, ErrorKind::Blocked, detail);
        }
    }
    let outcome = send(&client, post("https://[::ffff:7f00:1]/", "{}")).await;
    let refusal = "::ffff:127.0.0.1 (which stands for 127.0.0.1), a loopback address (127.0.0.0/8); the operator can \
                   allow its network with --allow-network";
    assert_eq!(outcome.refusal.as_ref().map(ToString::to_string).as_deref(), Some(refusal));
    assert_failed(outcome, Phase::Prepare, ErrorKind::Blocked, NOT_PUBLIC_DETAIL);
}

#[tokio::test]
async fn other_schemes_and_invalid_urls_are_refused() {
    let client = client_with_resolver(loopback_network(), unexpected_lookup);
    for url in [
        "ftp://core.example.test/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/_x",
        "data:,x",
        "mailto:a@b.c",
    ] {
        let detail = "only https:// (and, where the operator allows it, http://) can be sent to";
        assert_failed(send(&client, post(url, "{}")).await, Phase::Prepare, ErrorKind::Blocked, detail);
    }
    for (url, reason) in [
        ("", "relative URL without a base"),
        ("/hooks", "relative URL without a base"),
        ("https://", "empty host"),
        ("https://core.example.test:99999/", "invalid port number"),
        ("https://[::1/", "invalid IPv6 address"),
        ("https://127.0.0.256/", "invalid IPv4 address"),
    ] {
        let detail = format!("the URL cannot be used: {reason}");
        assert_failed(send(&client, post(url, "{}")).await, Phase::Prepare, ErrorKind::Blocked, &detail);
    }
}

#[tokio::test]
async fn a_url_with_a_user_name_or_a_password_is_refused_without_showing_it() {
    let client = client_with_resolver(loopback_network(), unexpected_lookup);
    for authority in ["bank:hunter2@127.0.0.1", "bank@127.0.0.1", ":hunter2@127.0.0.1"] {
        let outcome = send(&client, post(&format!("http://{authority}/"), "{}")).await;
        let detail = "the URL holds a user name or a password; use an Authorization header instead";
        assert_failed(outcome, Phase::Prepare, ErrorKind::Blocked, detail);
    }
}

#[tokio::test]
async fn http_is_sent_to_allowed_networks_only() {
    let outcome = send(&public_only_client(vec![PUBLIC]), post("http://core.example.test/", "{}")).await;
    assert_failed(outcome, Phase::Resolve, ErrorKind::Blocked, PLAIN_HTTP_DETAIL);
    let outcome = send(&public_only_client(Vec::new()), post("http://93.184.215.14/", "{}")).await;
    assert_eq!(failure(outcome).kind, ErrorKind::Blocked);
}

#[tokio::test]
async fn a_name_with_one_refused_address_is_refused() {
    let receiver = Receiver::start().await;
    for addresses in
        [vec![PRIVATE], vec![LOOPBACK, PRIVATE], vec![PRIVATE, LOOPBACK], vec![LOOPBACK, PRIVATE, LOOPBACK]]
    {
        let client = client_with_resolver(loopback_network(), resolving_to(addresses));
        for (scheme, detail) in [("http", PLAIN_HTTP_DETAIL), ("https", NOT_PUBLIC_DETAIL)] {
            let url = format!("{scheme}://core.example.test:{}/", receiver.port());
            let outcome = send(&client, post(&url, "{}")).await;
            let refusal = outcome.refusal.as_ref().map(ToString::to_string);
            assert!(refusal.is_some_and(|refusal| refusal.starts_with("10.0.0.1, a private address")));
            assert_failed(outcome, Phase::Resolve, ErrorKind::Blocked, detail);
        }
    }
    let outcome =
        send(&public_only_client(vec![PUBLIC, PRIVATE]), post("https://core.example.test/", "{}")).await;
    assert_failed(outcome, Phase::Resolve, ErrorKind::Blocked, NOT_PUBLIC_DETAIL);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn localhost_is_refused_as_a_loopback_address() {
    let client = WebhookClient::new(Vec::new()).expect("a client");
    let outcome = send(&client, post("https://localhost/", "{}")).await;
    let refusal = outcome.refusal.as_ref().map(ToString::to_string);
    assert!(refusal.is_some_and(|refusal| refusal.contains("loopback address")));
    assert_failed(outcome, Phase::Resolve, ErrorKind::Blocked, NOT_PUBLIC_DETAIL);
}

#[tokio::test]
async fn the_system_resolver_finds_an_allowed_receiver() {
    let receiver = Receiver::start().await;
    let networks = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network"));
    let client = WebhookClient::new(networks.to_vec()).expect("a client");
    let url = format!("http://localhost:{}/", receiver.port());
    let (outcome, (received, _)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(received.header("host"), Some(format!("localhost:{}", receiver.port()).as_str()));
}

/// A resolver that returns each address once, in order.
fn one_address_for_each_lookup(
    addresses: &Arc<Mutex<VecDeque<IpAddr>>>,
) -> impl Fn(String) -> LookupFuture + use<> {
    let addresses = Arc::clone(addresses);
    move |_| {
        let next = addresses.lock().expect("the addresses").pop_front();
        let found = next.map(|address| vec![address]).ok_or_else(|| io::Error::other("asked too often"));
        std::future::ready(found).boxed()
    }
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_each_connection() {
    let receiver = Receiver::start().await;
    let addresses = Arc::new(Mutex::new(VecDeque::from([LOOPBACK, PRIVATE])));
    let client = client_with_resolver(loopback_network(), one_address_for_each_lookup(&addresses));
    let url = format!("http://core.example.test:{}/", receiver.port());

    // If it were looked up again after the check, the connection would go to the private address.
    let (outcome, (_, peer)) = join!(send(&client, post(&url, "{}")), receiver.respond(OK));
    assert_eq!(whole_response(outcome).status, 200);
    assert_eq!(addresses.lock().expect("the addresses").len(), 1);

    peer.close().await;
    let outcome = send(&client, post(&url, "{}")).await;
    let refusal = outcome.refusal.as_ref().map(ToString::to_string);
    assert!(refusal.is_some_and(|refusal| refusal.starts_with("10.0.0.1, a private address")));
    assert_failed(outcome, Phase::Resolve, ErrorKind::Blocked, PLAIN_HTTP_DETAIL);
    assert_eq!(addresses.lock().expect("the addresses").len(), 0);
    receiver.assert_no_other_connection().await;
}
