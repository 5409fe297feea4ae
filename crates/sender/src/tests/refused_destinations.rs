//! Where a request may go: literal hosts in every spelling, names, and names that change their mind.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use futures_util::FutureExt as _;
use tokio::join;

use super::{
    Answer, LOOPBACK, always, answer, assert_failed, failure, loopback, post,
    scripted_receiver::{OK, Receiver},
    send,
};
use crate::WebhookClient;
use loanhook_core::model::failure::{ErrorKind, Phase};

/// What a tenant reads, whatever the address is.
const NOT_PUBLIC: &str = "the destination is not allowed: its address is not a public one; nothing was sent. The \
                          operator can allow its network with --allow-network";
const IN_THE_CLEAR: &str = "the destination is not allowed: http:// is sent only to networks that the operator allows \
                            with --allow-network; nothing was sent. Use https://";

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// A client that may send to the public only, and for which every name has these addresses.
fn strict(addresses: Vec<IpAddr>) -> WebhookClient {
    WebhookClient::with_resolver(Vec::new(), always(addresses)).expect("a client")
}

fn unasked(_: String) -> Answer {
    unreachable!("no name is to be resolved")
}

#[tokio::test]
async fn a_literal_host_is_refused_in_every_spelling() {
    let client = WebhookClient::with_resolver(Vec::new(), unasked).expect("a client");
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
            let sent = send(&client, post(&format!("{scheme}://{host}:8443/x"), "{}")).await;
            let refusal = sent.refusal.as_ref().map(ToString::to_string);
            let refused = refusal.is_some_and(|refusal| refusal.starts_with(&format!("{address}, ")));
            assert!(refused, "{host} is {address}: {:?}", sent.refusal);
            let detail = if scheme == "http" { IN_THE_CLEAR } else { NOT_PUBLIC };
            assert_failed(sent, Phase::Prepare, ErrorKind::Blocked, detail);
        }
    }
    let sent = send(&client, post("https://[::ffff:7f00:1]/", "{}")).await;
    let refusal = "::ffff:127.0.0.1 (which stands for 127.0.0.1), a loopback address (127.0.0.0/8); the operator can \
                   allow its network with --allow-network";
    assert_eq!(sent.refusal.as_ref().map(ToString::to_string).as_deref(), Some(refusal));
    assert_failed(sent, Phase::Prepare, ErrorKind::Blocked, NOT_PUBLIC);
}

#[tokio::test]
async fn what_is_not_a_web_address_is_refused() {
    let client = WebhookClient::with_resolver(loopback(), unasked).expect("a client");
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
async fn a_url_with_a_user_or_a_password_is_refused_without_naming_them() {
    let client = WebhookClient::with_resolver(loopback(), unasked).expect("a client");
    for authority in ["bank:hunter2@127.0.0.1", "bank@127.0.0.1", ":hunter2@127.0.0.1"] {
        let sent = send(&client, post(&format!("http://{authority}/"), "{}")).await;
        let detail = "the URL holds a user name or a password; use an Authorization header instead";
        assert_failed(sent, Phase::Prepare, ErrorKind::Blocked, detail);
    }
}

#[tokio::test]
async fn http_goes_to_allowed_networks_only() {
    let sent = send(&strict(vec![PUBLIC]), post("http://core.example.test/", "{}")).await;
    assert_failed(sent, Phase::Resolve, ErrorKind::Blocked, IN_THE_CLEAR);
    let sent = send(&strict(Vec::new()), post("http://93.184.215.14/", "{}")).await;
    assert_eq!(failure(sent).kind, ErrorKind::Blocked);
}

#[tokio::test]
async fn a_name_with_a_refused_address_is_refused_whole() {
    let receiver = Receiver::start().await;
    for addresses in
        [vec![PRIVATE], vec![LOOPBACK, PRIVATE], vec![PRIVATE, LOOPBACK], vec![LOOPBACK, PRIVATE, LOOPBACK]]
    {
        let client = WebhookClient::with_resolver(loopback(), always(addresses)).expect("a client");
        for (scheme, detail) in [("http", IN_THE_CLEAR), ("https", NOT_PUBLIC)] {
            let url = format!("{scheme}://core.example.test:{}/", receiver.port());
            let sent = send(&client, post(&url, "{}")).await;
            let refusal = sent.refusal.as_ref().map(ToString::to_string);
            assert!(refusal.is_some_and(|refusal| refusal.starts_with("10.0.0.1, a private address")));
            assert_failed(sent, Phase::Resolve, ErrorKind::Blocked, detail);
        }
    }
    let sent = send(&strict(vec![PUBLIC, PRIVATE]), post("https://core.example.test/", "{}")).await;
    assert_failed(sent, Phase::Resolve, ErrorKind::Blocked, NOT_PUBLIC);
    receiver.assert_no_other_connection().await;
}

#[tokio::test]
async fn localhost_is_loopback() {
    let client = WebhookClient::new(Vec::new()).expect("a client");
    let sent = send(&client, post("https://localhost/", "{}")).await;
    let refusal = sent.refusal.as_ref().map(ToString::to_string);
    assert!(refusal.is_some_and(|refusal| refusal.contains("loopback address")));
    assert_failed(sent, Phase::Resolve, ErrorKind::Blocked, NOT_PUBLIC);
}

#[tokio::test]
async fn the_systems_resolver_finds_an_allowed_receiver() {
    let receiver = Receiver::start().await;
    let networks = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network"));
    let client = WebhookClient::new(networks.to_vec()).expect("a client");
    let url = format!("http://localhost:{}/", receiver.port());
    let (sent, (request, _)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(request.header("host"), Some(format!("localhost:{}", receiver.port()).as_str()));
}

/// Answers with each address once, in order, and counts by what is left.
fn changing(answers: &Arc<Mutex<VecDeque<IpAddr>>>) -> impl Fn(String) -> Answer + use<> {
    let answers = Arc::clone(answers);
    move |_| {
        let next = answers.lock().expect("the answers").pop_front();
        let found = next.map(|address| vec![address]).ok_or_else(|| io::Error::other("asked too often"));
        std::future::ready(found).boxed()
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_is_asked_once_for_each_connection() {
    let receiver = Receiver::start().await;
    let answers = Arc::new(Mutex::new(VecDeque::from([LOOPBACK, PRIVATE])));
    let client = WebhookClient::with_resolver(loopback(), changing(&answers)).expect("a client");
    let url = format!("http://core.example.test:{}/", receiver.port());

    // Were it asked again between the check and the connection, the connection would go to the private address.
    let (sent, (_, peer)) = join!(send(&client, post(&url, "{}")), receiver.answer(OK));
    assert_eq!(answer(sent).status, 200);
    assert_eq!(answers.lock().expect("the answers").len(), 1);

    peer.close().await;
    let sent = send(&client, post(&url, "{}")).await;
    let refusal = sent.refusal.as_ref().map(ToString::to_string);
    assert!(refusal.is_some_and(|refusal| refusal.starts_with("10.0.0.1, a private address")));
    assert_failed(sent, Phase::Resolve, ErrorKind::Blocked, IN_THE_CLEAR);
    assert_eq!(answers.lock().expect("the answers").len(), 0);
    receiver.assert_no_other_connection().await;
}
