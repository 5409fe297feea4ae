//! Names against a name server on loopback that answers as it is told.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hickory_resolver::config::NameServerConfig;
use tokio::{net::UdpSocket, task::AbortHandle};

use super::*;

const A: u16 = 1;
const AAAA: u16 = 28;

/// What the server says of a name.
#[derive(Clone)]
enum Says {
    /// These addresses, with this time to live in seconds.
    Has(Vec<IpAddr>, u32),
    /// Nothing at all, to questions of this type; else the address.
    SilentFor(u16, IpAddr),
    Fails,
}

/// A name server; it ends with the test.
struct NameServer {
    at: SocketAddr,
    names: Arc<Mutex<HashMap<String, Says>>>,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
    task: AbortHandle,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl NameServer {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let at = socket.local_addr().expect("an address");
        let names: Arc<Mutex<HashMap<String, Says>>> = Arc::default();
        let asked: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
        let (known, noted) = (Arc::clone(&names), Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.expect("a question");
                let question = &buffer[..length];
                let (name, kind, end) = asked_for(question);
                noted.lock().expect("the list").push((name.clone(), kind));
                let says = known.lock().expect("the names").get(&name).cloned();
                if let Some(answer) = answer(question, end, kind, says) {
                    socket.send_to(&answer, from).await.expect("sent");
                }
            }
        });
        Self { at, names, asked, task: serving.abort_handle() }
    }

    fn say(&self, name: &str, says: Says) {
        self.names.lock().expect("the names").insert(name.to_owned(), says);
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().expect("the list").iter().filter(|(asked, _)| asked == name).count()
    }

    /// A reading of a configuration that names this server, these hosts and this search list.
    fn reader(&self, hosts: &str, search: &[&str]) -> Reader {
        let mut server = NameServerConfig::udp(self.at.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = self.at.port());
        let search = search.iter().map(|domain| Name::from_ascii(domain).expect("a domain")).collect();
        let config = ResolverConfig::from_parts(None, search, vec![server]);
        let mut known = Hosts::default();
        known.read_hosts_conf(hosts.as_bytes()).expect("hosts");
        Reader::new(config, ResolverOpts::default(), known).expect("a resolver")
    }
}

/// The name and type of a question, and where it ends.
fn asked_for(question: &[u8]) -> (String, u16, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while question[at] > 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([question[at + 1], question[at + 2]]), at + 5)
}

fn answer(question: &[u8], end: usize, kind: u16, says: Option<Says>) -> Option<Vec<u8>> {
    let (code, addresses, ttl) = match says {
        None => (3, Vec::new(), 0),
        Some(Says::Fails) => (2, Vec::new(), 0),
        Some(Says::SilentFor(silent, _)) if silent == kind => return None,
        Some(Says::SilentFor(_, address)) => (0, vec![address], 60),
        Some(Says::Has(addresses, ttl)) => (0, addresses, ttl),
    };
    let of_kind = |address: &IpAddr| (kind == A && address.is_ipv4()) || (kind == AAAA && address.is_ipv6());
    let records: Vec<_> = addresses.into_iter().filter(of_kind).collect();
    let count = u16::try_from(records.len()).expect("few").to_be_bytes();
    let mut message =
        [&question[..2], &[0x81, 0x80 | code, 0, 1], &count, &[0; 4], &question[12..end]].concat();
    for record in records {
        let data = match record {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let length = u16::try_from(data.len()).expect("short").to_be_bytes();
        message.extend(
            [&[0xc0, 12][..], &kind.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length, &data].concat(),
        );
    }
    Some(message)
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

#[tokio::test]
async fn the_addresses_of_both_families_are_found() {
    let server = NameServer::start().await;
    server.say("core.example.test", Says::Has(ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]), 60));
    let found = server.reader("", &[]).addresses("core.example.test").await.expect("addresses");
    assert_eq!(found, ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_to_live() {
    let server = NameServer::start().await;
    server.say("kept.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    server.say("moving.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 0));
    let reader = server.reader("", &[]);
    for name in ["kept.example.test", "moving.example.test"] {
        for _ in 0..3 {
            assert_eq!(reader.addresses(name).await.expect("addresses").len(), 2);
        }
    }
    assert_eq!((server.asked("kept.example.test"), server.asked("moving.example.test")), (2, 6));
    server.say("moving.example.test", Says::Has(ips(&["192.0.2.9"]), 0));
    assert_eq!(reader.addresses("moving.example.test").await.expect("addresses"), ips(&["192.0.2.9"]));
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_is_enough() {
    let server = NameServer::start().await;
    server.say("core.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    let reader =
        server.reader("192.0.2.7 core.example.test Other # comment\n192.0.2.8 core.example.test\n", &[]);
    assert_eq!(
        reader.addresses("core.example.test").await.expect("addresses"),
        ips(&["192.0.2.7", "192.0.2.8"])
    );
    assert_eq!(reader.addresses("OTHER").await.expect("addresses"), ips(&["192.0.2.7"]));
    assert_eq!(server.asked("core.example.test"), 0);
}

#[tokio::test]
async fn localhost_is_loopbacks_without_asking() {
    let server = NameServer::start().await;
    let reader = server.reader("", &["corp.test"]);
    for name in ["localhost", "api.localhost", "localhost."] {
        assert_eq!(reader.addresses(name).await.expect("addresses"), ips(&["::1", "127.0.0.1"]), "{name}");
    }
    assert!(server.asked.lock().expect("the list").is_empty());
}

#[tokio::test]
async fn the_search_list_completes_short_names() {
    let server = NameServer::start().await;
    server.say("core.corp.test", Says::Has(ips(&["192.0.2.1"]), 60));
    let reader = server.reader("", &["corp.test"]);
    assert_eq!(reader.addresses("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    assert_eq!(server.asked("core"), 0, "a short name is completed first");
    assert!(
        reader.addresses("core.").await.expect("no addresses").is_empty(),
        "a whole name is taken as it is"
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_address() {
    let server = NameServer::start().await;
    assert!(server.reader("", &[]).addresses("gone.example.test").await.expect("an answer").is_empty());
}

#[tokio::test]
async fn a_name_server_that_fails_is_told() {
    let server = NameServer::start().await;
    server.say("broken.example.test", Says::Fails);
    let error = server.reader("", &[]).addresses("broken.example.test").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
    let error = server.reader("", &[]).addresses(&"x".repeat(64)).await.expect_err("an error");
    assert!(error.to_string().contains("not a name"), "{error}");
}

/// Some name servers never answer the question for the family that a name does not have.
#[tokio::test]
async fn a_family_without_an_answer_does_not_hold_up_the_other() {
    let server = NameServer::start().await;
    let address: IpAddr = "192.0.2.1".parse().expect("an address");
    server.say("half.example.test", Says::SilentFor(AAAA, address));
    let looking = server.reader("", &[]);
    let found = tokio::time::timeout(Duration::from_secs(4), looking.addresses("half.example.test")).await;
    assert_eq!(found.expect("within less than a name server's timeout").expect("addresses"), [address]);
}

#[tokio::test]
async fn the_files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (resolv, hosts) = (folder.path().join("resolv.conf"), folder.path().join("hosts"));
    std::fs::write(&hosts, "192.0.2.1 core.example.test\n").expect("written");
    let resolver = SystemResolver::of(Files::at(&resolv, &hosts)).expect("a missing resolv.conf is none");
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.1"]));

    std::fs::write(&hosts, "192.0.2.2 core.example.test\n").expect("written");
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    std::fs::File::open(&hosts).and_then(|file| file.set_modified(later)).expect("a later time");
    resolver.0.lock().expect("the configuration").checked = Instant::now() - CHECKED_EVERY;
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.2"]));
}

#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = SystemResolver::of(Files::at(folder.path(), "/dev/null")).err().expect("an error");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
