//! Operator of the drill: commands, printed as somebody would type them, and run by the same code.

use clap::Parser;

use crate::commands::{self, ClientCommand};
use crate::error::CommandResult;
use crate::terminal::output::{self, HEADING_STYLE, styled};

/// Who types commands, and for which loanhook.
pub(super) struct Operator<'a> {
    pub(super) base: &'a str,
    pub(super) key: &'a str,
}

#[derive(Debug, Parser)]
struct Typed {
    #[command(subcommand)]
    command: ClientCommand,
}

impl Operator<'_> {
    /// Prints a command and runs it. Its address and key, which the environment would have, are not printed.
    pub(super) async fn types(&self, words: &[&str]) -> CommandResult {
        let line = format!("loanhook {}", words.join(" "));
        output::line(format_args!("\n{}\n", styled(HEADING_STYLE, format_args!("$ {line}"))))?;
        let connection = ["--url", self.base, "--key", self.key];
        let arguments = ["loanhook"].into_iter().chain(words.iter().copied()).chain(connection);
        let typed = Typed::try_parse_from(arguments);
        let typed = typed.map_err(|error| format!("`{line}` is no command: {}", error.kind()))?;
        commands::run(typed.command).await
    }
}
