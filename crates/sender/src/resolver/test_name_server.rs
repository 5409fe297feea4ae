//! A name server on loopback that answers as it is told, for tests.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_resolver::config::NameServerConfig;
use tokio::{net::UdpSocket, task::AbortHandle};

const A: u16 = 1;
pub(crate) const AAAA: u16 = 28;

/// What the server says of a name.
#[derive(Clone)]
pub(crate) enum ScriptedAnswer {
    /// These addresses, with this time to live in seconds.
    Addresses(Vec<IpAddr>, u32),
    /// Nothing at all, to questions of this type; else the address.
    SilentForType(u16, IpAddr),
    ServerFailure,
}

/// A name server; it ends with the test.
pub(crate) struct TestNameServer {
    address: SocketAddr,
    answers: Arc<Mutex<HashMap<String, ScriptedAnswer>>>,
    questions: Arc<Mutex<Vec<(String, u16)>>>,
    task: AbortHandle,
}

impl Drop for TestNameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestNameServer {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let at = socket.local_addr().expect("an address");
        let names: Arc<Mutex<HashMap<String, ScriptedAnswer>>> = Arc::default();
        let asked: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
        let (known, noted) = (Arc::clone(&names), Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.expect("a question");
                let question = &buffer[..length];
                let (name, kind, end) = parse_question(question);
                noted.lock().expect("the list").push((name.clone(), kind));
                let says = known.lock().expect("the names").get(&name).cloned();
                if let Some(answer) = encode_answer(question, end, kind, says) {
                    socket.send_to(&answer, from).await.expect("sent");
                }
            }
        });
        Self { address: at, answers: names, questions: asked, task: serving.abort_handle() }
    }

    pub(crate) fn answer_with(&self, name: &str, says: ScriptedAnswer) {
        self.answers.lock().expect("the names").insert(name.to_owned(), says);
    }

    pub(crate) fn question_count(&self, name: &str) -> usize {
        self.questions.lock().expect("the list").iter().filter(|(asked, _)| asked == name).count()
    }

    pub(crate) fn received_no_questions(&self) -> bool {
        self.questions.lock().expect("the list").is_empty()
    }

    /// It as a configuration names it.
    pub(crate) fn config(&self) -> NameServerConfig {
        let mut server = NameServerConfig::udp(self.address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = self.address.port());
        server
    }
}

/// The name and type of a question, and where it ends.
fn parse_question(question: &[u8]) -> (String, u16, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while question[at] > 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([question[at + 1], question[at + 2]]), at + 5)
}

fn encode_answer(question: &[u8], end: usize, kind: u16, says: Option<ScriptedAnswer>) -> Option<Vec<u8>> {
    let (code, addresses, ttl) = match says {
        None => (3, Vec::new(), 0),
        Some(ScriptedAnswer::ServerFailure) => (2, Vec::new(), 0),
        Some(ScriptedAnswer::SilentForType(silent, _)) if silent == kind => return None,
        Some(ScriptedAnswer::SilentForType(_, address)) => (0, vec![address], 60),
        Some(ScriptedAnswer::Addresses(addresses, ttl)) => (0, addresses, ttl),
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
