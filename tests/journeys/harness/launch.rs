//! Commands that start the `loanhook` of this build, with nothing of its settings inherited from the environment.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::server::OPERATOR_KEY;
use super::wait::within;

/// The settings with which a server process is started.
#[derive(Clone)]
pub(crate) struct Launch {
    /// Networks of receivers that the server may send to.
    pub(crate) allowed_networks: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Further flags of `loanhook serve`.
    pub(crate) arguments: Vec<String>,
    /// Address, data folder and networks are set by the environment, not by flags.
    pub(crate) settings_by_environment: bool,
    /// Shell commands that run before the server in the same process, such as `ulimit`.
    pub(crate) shell_prefix: Option<String>,
    /// `--listen` is among the further flags.
    pub(crate) listen_is_in_arguments: bool,
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            allowed_networks: vec!["127.0.0.0/8".to_owned()],
            environment: vec![("LOANHOOK_ADMIN_KEY".to_owned(), OPERATOR_KEY.to_owned())],
            arguments: Vec::new(),
            settings_by_environment: false,
            shell_prefix: None,
            listen_is_in_arguments: false,
        }
    }
}

/// The command that serves `data` on a port that is free.
pub(crate) fn serve_command(data: &Path, launch: &Launch) -> Command {
    const LISTEN: &str = "127.0.0.1:0";
    let mut command = loanhook_command();
    if let Some(prefix) = &launch.shell_prefix {
        let program = command.get_program().to_owned();
        command = without_settings(Command::new("sh"));
        command.args(["-c", &format!("{prefix}; exec \"$0\" \"$@\"")]).arg(program);
    }
    command.arg("serve");
    if launch.settings_by_environment {
        command.env("LOANHOOK_LISTEN", LISTEN).env("LOANHOOK_DATA", data);
        command.env("LOANHOOK_ALLOW_NETWORKS", launch.allowed_networks.join(","));
    } else {
        if !launch.listen_is_in_arguments {
            command.args(["--listen", LISTEN]);
        }
        command.arg("--data").arg(data);
        command.args(launch.allowed_networks.iter().flat_map(|network| ["--allow-network", network]));
    }
    command.args(&launch.arguments);
    command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// `loanhook` without arguments.
pub(crate) fn loanhook_command() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_loanhook")))
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if ["LOANHOOK_", "OTEL_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command that must end by itself, without standard input, and gives its exit status and what it wrote.
pub(crate) async fn run_to_exit(mut command: Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let exit = tokio::task::spawn_blocking(|| child.wait_with_output().expect("the command ends"));
    within("the end of the command", exit).await.expect("the thread that waits ends")
}

/// The one line in which a start that failed said why: exit code 1, and nothing on standard output.
#[track_caller]
pub(crate) fn start_error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let error = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(error.lines().count(), 1, "one line: {error}");
    assert!(error.starts_with("error: "), "{error}");
    error
}

/// The API keys that stand in what a process wrote.
pub(crate) fn keys_in(output: &str) -> Vec<String> {
    let words = output.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("lh_")).map(str::to_owned).collect()
}
