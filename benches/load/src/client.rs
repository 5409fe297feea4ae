//! Calls of a server or receiver: one request each, on a connection of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::Outcome;
use crate::server::KEY;

const TIMEOUT: Duration = Duration::from_secs(60);

/// The JSON of the answer, or null where it has none; an error where the answer is not 2xx.
pub(crate) fn call(address: &str, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
    let answer = ask(address, method, path, body)?;
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

/// The body of the answer; an error where the answer is not 2xx.
pub(crate) fn ask(address: &str, method: &str, path: &str, body: Option<&Value>) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    if !head.starts_with("HTTP/1.1 2") {
        return Err(format!("{method} {path}: {head}\n{body}").into());
    }
    Ok(body.to_owned())
}
