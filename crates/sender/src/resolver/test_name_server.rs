//! A name server on loopback for tests, which gives scripted answers and records the questions (RFC 1035).

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use hickory_resolver::config::NameServerConfig;
use tokio::{net::UdpSocket, task::AbortHandle};

const TYPE_A: u16 = 1;
pub(crate) const TYPE_AAAA: u16 = 28;

/// The answer to questions about a name.
#[derive(Clone)]
pub(crate) enum ScriptedAnswer {
    /// These addresses, with this time to live in seconds. Each question gets those of its type.
    Addresses(Vec<IpAddr>, u32),
    /// No answer to questions of this type, the address to others.
    SilentForType(u16, IpAddr),
    /// SERVFAIL.
    ServerFailure,
}

/// A name server. It ends when it is dropped. A name without a scripted answer does not exist (NXDOMAIN).
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
        let address = socket.local_addr().expect("an address");
        let answers: Arc<Mutex<HashMap<String, ScriptedAnswer>>> = Arc::default();
        let questions: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
        let (scripted, recorded) = (Arc::clone(&answers), Arc::clone(&questions));
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut buffer).await.expect("a question");
                let question = &buffer[..length];
                let (name, record_type, end) = parse_question(question);
                recorded.lock().expect("the questions").push((name.clone(), record_type));
                let answer = scripted.lock().expect("the answers").get(&name).cloned();
                if let Some(message) = encode_answer(question, end, record_type, answer) {
                    socket.send_to(&message, from).await.expect("sent");
                }
            }
        });
        Self { address, answers, questions, task: serving.abort_handle() }
    }

    pub(crate) fn answer_with(&self, name: &str, answer: ScriptedAnswer) {
        self.answers.lock().expect("the answers").insert(name.to_owned(), answer);
    }

    /// How many questions about the name came, of whatever type.
    pub(crate) fn question_count(&self, name: &str) -> usize {
        self.questions.lock().expect("the questions").iter().filter(|(asked, _)| asked == name).count()
    }

    pub(crate) fn received_no_questions(&self) -> bool {
        self.questions.lock().expect("the questions").is_empty()
    }

    /// Its entry in a configuration of name servers.
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

/// The message that answers a question; none where the server stays silent.
fn encode_answer(
    question: &[u8],
    end: usize,
    record_type: u16,
    answer: Option<ScriptedAnswer>,
) -> Option<Vec<u8>> {
    let (response_code, addresses, ttl_seconds) = match answer {
        None => (3, Vec::new(), 0),
        Some(ScriptedAnswer::ServerFailure) => (2, Vec::new(), 0),
        Some(ScriptedAnswer::SilentForType(silent, _)) if silent == record_type => return None,
        Some(ScriptedAnswer::SilentForType(_, address)) => (0, vec![address], 60),
        Some(ScriptedAnswer::Addresses(addresses, ttl_seconds)) => (0, addresses, ttl_seconds),
    };
    let of_this_type = |address: &IpAddr| {
        (record_type == TYPE_A && address.is_ipv4()) || (record_type == TYPE_AAAA && address.is_ipv6())
    };
    let records: Vec<_> = addresses.into_iter().filter(of_this_type).collect();
    let count = u16::try_from(records.len()).expect("few").to_be_bytes();
    let mut message =
        [&question[..2], &[0x81, 0x80 | response_code, 0, 1], &count, &[0; 4], &question[12..end]].concat();
    for record in records {
        let data = match record {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let length = u16::try_from(data.len()).expect("short").to_be_bytes();
        message.extend(
            [
                &[0xc0, 12][..],
                &record_type.to_be_bytes(),
                &[0, 1],
                &ttl_seconds.to_be_bytes(),
                &length,
                &data,
            ]
            .concat(),
        );
    }
    Some(message)
}
