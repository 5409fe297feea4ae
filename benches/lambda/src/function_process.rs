//! A function as a process: started, and what the system says of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::runtime_api::Runtime;
use crate::{KEY, Outcome};

/// Where systems keep the certificates that they trust in one file. Lambda's image has nothing else; others have each
/// in a file of its own too, which takes longer to read.
const BUNDLES: [&str; 2] = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

pub(crate) struct Process {
    child: Child,
    pub(crate) runtime: Runtime,
    started: Instant,
}

impl Process {
    /// Starts a function that finds AWS at this address.
    pub(crate) async fn start(binary: &Path, cloud: SocketAddr) -> Outcome<Self> {
        let runtime = Runtime::start().await?;
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs([
                ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
                ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
                ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
                ("AWS_SESSION_TOKEN", "test"),
                ("LOANHOOK_TABLE", "table"),
                ("LOANHOOK_PAYLOADS_TABLE", "payloads"),
                ("LOANHOOK_BUCKET", "bucket"),
                ("LOANHOOK_RETENTION_DAYS", "730"),
                ("LOANHOOK_LEASE_SECONDS", "55"),
                ("LOANHOOK_ALLOW_NETWORKS", "127.0.0.0/8"),
                ("LOANHOOK_ADMIN_KEY", KEY),
            ])
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address.to_string())
            .env("AWS_ENDPOINT_URL", format!("http://{cloud}"))
            .envs(BUNDLES.iter().find(|path| Path::new(path).exists()).map(|path| ("SSL_CERT_FILE", path)))
            .env("LOANHOOK_QUEUE_URL", format!("http://{cloud}/queue"))
            .stdin(Stdio::null())
            // An attempt is a line of the log, as in an account.
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        Ok(Self { child, runtime, started })
    }

    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.started)
    }

    fn proc(&self, file: &str) -> Outcome<String> {
        let id = self.child.id().ok_or("the function has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// The most memory that it had, in KiB.
    pub(crate) fn peak_memory(&self) -> Outcome<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        Ok(line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?.parse()?)
    }

    /// What its threads have had of the processors, user and system.
    pub(crate) fn processor_time(&self) -> Outcome<Duration> {
        let id = self.child.id().ok_or("the function has ended")?;
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(format!("/proc/{id}/task"))? {
            // One that has just ended is no more.
            let Ok(times) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += times.split_whitespace().next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    pub(crate) async fn end(mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }
}
