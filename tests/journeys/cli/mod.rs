//! The command line against a running server: what it prints, and the exit code it ends with.

mod check_command;
mod delivery_commands;
mod doctor_command;
mod eval;
mod event_commands;
mod history_commands;
mod hold_commands;
mod operational_events;
mod program;
mod recover_and_jobs;
mod report_command;
mod send_and_resend;
mod subscriptions_and_keys;

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::harness::server::loanhook_command;
use crate::harness::{Journey, within};

/// Runs `loanhook` with these arguments and this standard input, as a caller with the journey's key.
async fn run_as_caller(j: &Journey, arguments: &[&str], input: &str) -> CommandResult {
    let mut command = loanhook_command();
    command
        .env("LOANHOOK_URL", j.server.base_url().expect("the server runs"))
        .env("LOANHOOK_KEY", j.api.key());
    run_command(command, arguments, input).await
}

/// As [`run_as_caller`], with another key and without input.
async fn run_with_key(j: &Journey, key: &str, arguments: &[&str]) -> CommandResult {
    let mut command = loanhook_command();
    command.env("LOANHOOK_URL", j.server.base_url().expect("the server runs")).env("LOANHOOK_KEY", key);
    run_command(command, arguments, "").await
}

async fn run_command(command: std::process::Command, arguments: &[&str], input: &str) -> CommandResult {
    let mut command = tokio::process::Command::from(command);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_owned();
    tokio::spawn(async move {
        let _ = stdin.write_all(input.as_bytes()).await;
    });
    let output = within("the end of the command", child.wait_with_output()).await.expect("the command ends");
    CommandResult { arguments: arguments.iter().map(|&word| word.to_owned()).collect(), output }
}

#[derive(Debug)]
struct CommandResult {
    arguments: Vec<String>,
    output: Output,
}

impl CommandResult {
    /// The standard output of a command that must exit with 0.
    #[track_caller]
    fn expect_success(&self) -> String {
        assert_eq!(self.output.status.code(), Some(0), "{:?}: {}", self.arguments, self.stderr());
        String::from_utf8(self.output.stdout.clone()).expect("text")
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.expect_success()).unwrap_or_else(|no_json| panic!("{no_json}: {self:?}"))
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// The standard error of a command that must exit with this code: one line.
    #[track_caller]
    fn expect_failure(&self, code: i32) -> String {
        assert_eq!(self.output.status.code(), Some(code), "{self:?}");
        let errors = self.stderr();
        assert_eq!(errors.trim_end().lines().count(), 1, "one line: {errors}");
        assert!(errors.starts_with("error: "), "{errors}");
        errors
    }
}
