//! The `loanhook` of this build, and how a journey starts it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::server::OPERATOR_KEY;

/// How a process is started.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) networks: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Further flags of `loanhook serve`.
    pub(crate) arguments: Vec<String>,
    /// Address, folder and networks are told by the environment, not by flags.
    pub(crate) by_environment: bool,
    /// Commands of a shell that go before it, such as a limit.
    pub(crate) after: Option<String>,
    /// The address to listen on is among the further flags.
    pub(crate) own_address: bool,
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            networks: vec!["127.0.0.0/8".to_owned()],
            environment: vec![("LOANHOOK_ADMIN_KEY".to_owned(), OPERATOR_KEY.to_owned())],
            arguments: Vec::new(),
            by_environment: false,
            after: None,
            own_address: false,
        }
    }
}

/// The command that serves `data` on a port that is free.
pub(crate) fn serve(data: &Path, launch: &Launch) -> Command {
    const LISTEN: &str = "127.0.0.1:0";
    let mut command = loanhook();
    if let Some(first) = &launch.after {
        let program = command.get_program().to_owned();
        command = without_settings(Command::new("sh"));
        command.args(["-c", &format!("{first}; exec \"$0\" \"$@\"")]).arg(program);
    }
    command.arg("serve");
    if launch.by_environment {
        command.env("LOANHOOK_LISTEN", LISTEN).env("LOANHOOK_DATA", data);
        command.env("LOANHOOK_ALLOW_NETWORKS", launch.networks.join(","));
    } else {
        if !launch.own_address {
            command.args(["--listen", LISTEN]);
        }
        command.arg("--data").arg(data);
        command.args(launch.networks.iter().flat_map(|network| ["--allow-network", network]));
    }
    command.args(&launch.arguments);
    command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The `loanhook` of this build, with nothing of its settings inherited.
pub(crate) fn loanhook() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_loanhook")))
}

fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOANHOOK_") {
            command.env_remove(name);
        }
    }
    command
}
