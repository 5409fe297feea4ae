//! A loanhook in this process.
#![allow(dead_code, reason = "stands in until the engine is there")]

use std::net::SocketAddr;
use std::path::PathBuf;

pub(super) struct ServeOptions {
    pub(super) listen: SocketAddr,
    pub(super) data: PathBuf,
    pub(super) allow_networks: Vec<ipnet::IpNet>,
    pub(super) concurrency: usize,
    pub(super) admin_key: Option<String>,
}

pub(super) struct Running {
    pub(super) address: SocketAddr,
    pub(super) admin_key: Option<String>,
}

impl Running {
    pub(super) async fn stop(self) -> Result<(), String> {
        Ok(())
    }
}

pub(super) async fn start(_options: ServeOptions) -> Result<Running, String> {
    Err("not built yet".to_owned())
}
