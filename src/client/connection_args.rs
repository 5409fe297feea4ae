//! The arguments that every client command has.

use clap::Args;

/// The loanhook that a client command speaks to, and the form of its output.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Where loanhook is
    #[arg(
        long,
        global = true,
        env = "LOANHOOK_URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Connection"
    )]
    pub(super) url: String,
    /// A key of that loanhook (`lh_…`)
    #[arg(long, global = true, env = "LOANHOOK_KEY", hide_env_values = true, help_heading = "Connection")]
    pub(super) key: Option<String>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}
