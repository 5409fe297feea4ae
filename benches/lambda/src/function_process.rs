//! A function as a process, started with the environment that Lambda would give it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::runtime_api::Runtime;
use crate::{KEY, Outcome};

/// Where systems keep all trusted certificates in one file. Lambda's image has only that; others also have a file for each
/// certificate, which takes longer to read.
const CERTIFICATE_BUNDLES: [&str; 2] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

pub(crate) struct Process {
    child: Child,
    pub(crate) runtime: Runtime,
    started: Instant,
}

impl Process {
    /// Starts a function that finds AWS at this address; where a runner is given, by that program and its arguments, as one
    /// that emulates another processor.
    pub(crate) async fn start(runner: &[OsString], binary: &Path, aws: SocketAddr) -> Outcome<Self> {
        let runtime = Runtime::start().await?;
        let mut words = runner.iter().map(OsString::as_os_str).chain([binary.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
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
                ("LOANHOOK_REPORTS_TABLE", "reports"),
                ("LOANHOOK_BUCKET", "bucket"),
                ("LOANHOOK_KMS_KEY", "key"),
                ("LOANHOOK_RETENTION_DAYS", "730"),
                ("LOANHOOK_LEASE_SECONDS", "55"),
                ("LOANHOOK_ALLOW_NETWORKS", "127.0.0.0/8"),
                ("LOANHOOK_ADMIN_KEY", KEY),
            ])
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address.to_string())
            .env("AWS_ENDPOINT_URL", format!("http://{aws}"))
            .envs(
                CERTIFICATE_BUNDLES
                    .iter()
                    .find(|path| Path::new(path).exists())
                    .map(|path| ("SSL_CERT_FILE", path)),
            )
            .env("LOANHOOK_QUEUE_URL", format!("http://{aws}/queue"))
            .env("LOANHOOK_SLOW_QUEUE_URL", format!("http://{aws}/slow-queue"))
            .env("LOANHOOK_JOB_QUEUE_URL", format!("http://{aws}/job-queue"))
            .stdin(Stdio::null())
            // The log is written, and not read.
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(|error| format!("{}: {error}", binary.display()))?;
        Ok(Self { child, runtime, started })
    }

    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.started)
    }

    pub(crate) fn id(&self) -> Outcome<u32> {
        self.child.id().ok_or_else(|| "the function has ended".into())
    }

    pub(crate) async fn end(mut self) -> Outcome {
        Ok(self.child.kill().await?)
    }
}
