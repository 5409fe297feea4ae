//! `loanhook master-key`: the secrets of a data folder are sealed anew with another master key, whether loanhook runs there or not.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use loanhook_sqlite::rotate_master_key;

use super::environment_secrets::EnvironmentSecrets;
use super::logging::{self, LogFormat};
use super::master_key::MasterKeyArgs;
use crate::error::CommandResult;
use crate::terminal::output;

#[derive(Debug, Args)]
pub(crate) struct MasterKeyCommandArgs {
    #[command(subcommand)]
    command: MasterKeyCommand,
}

#[derive(Debug, Subcommand)]
enum MasterKeyCommand {
    /// Seal all secrets anew with another master key, while loanhook runs or not
    ///
    /// Where it does not run, it needs the key that `serve` needs. A rotation that is cut off goes on at the next start, or when it is
    /// repeated. Copies of the database that were made before still need the old key.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
struct RotateArgs {
    /// The data folder
    #[arg(long, value_name = "FOLDER", env = "LOANHOOK_DATA", default_value = "./loanhook-data")]
    data: PathBuf,
    /// A file with the new key, 32 bytes in base64 [default: a new key in the place of the folder's master.key]
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
    #[command(flatten)]
    master_key: MasterKeyArgs,
}

pub(crate) async fn run(args: MasterKeyCommandArgs) -> CommandResult {
    logging::start(LogFormat::Text, "error")?;
    let MasterKeyCommand::Rotate(args) = args.command;
    let given = args.master_key.read(&EnvironmentSecrets::of_environment())?;
    let rotation = rotate_master_key(&args.data, given, args.new_key_file.as_deref()).await;
    let rotation = rotation.map_err(|error| error.to_string())?;
    output::line(format_args!(
        "All secrets in {} are sealed with the key {}.",
        args.data.display(),
        rotation.key
    ))?;
    match &args.new_key_file {
        Some(file) => output::line(format_args!(
            "From now on every start needs it: --master-key-file {}, or its text as LOANHOOK_MASTER_KEY.",
            file.display()
        ))?,
        None => output::line(format_args!("It is in {}.", args.data.join("master.key").display()))?,
    }
    output::line("The old key is needed no more, but for copies of the database that were made before.")?;
    if !rotation.is_erased {
        output::line(
            "Free pages of the database may still hold older copies of secrets: its log says why. Stop loanhook and repeat this \
             when there are minutes for it.",
        )?;
    }
    Ok(())
}
