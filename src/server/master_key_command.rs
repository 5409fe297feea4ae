//! `loanhook master-key`: the secrets of a data folder are sealed anew with another master key, whether loanhook
//! runs there or not; and what is left of older ones is erased.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use loanhook_sqlite::{erase_secrets, rotate_master_key};

use super::environment_secrets::EnvironmentSecrets;
use super::logging::{self, LogFormat};
use super::master_key::MasterKeyArgs;
use crate::error::CommandResult;
use crate::terminal::output;

const MAY_SHOW_SECRETS: &str = "Free pages of the database may still show older copies of secrets";

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
    /// repeated. Copies of the database that were made before still need the old key: keep a copy of master.key as long as those.
    Rotate(RotateArgs),
    /// Write the database anew, while loanhook does not run, so that no byte of it shows a secret that it stored before
    ///
    /// loanhook does that by itself unless the database is large: then its log says secrets.not_erased. It needs the key that `serve`
    /// needs, and twice as much free space as the database takes, half of it in /var/tmp or the folder that SQLITE_TMPDIR names.
    Erase(EraseArgs),
}

#[derive(Debug, Args)]
struct EraseArgs {
    /// The data folder
    #[arg(long, value_name = "FOLDER", env = "LOANHOOK_DATA", default_value = "./loanhook-data")]
    data: PathBuf,
    #[command(flatten)]
    master_key: MasterKeyArgs,
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
    let secrets = EnvironmentSecrets::of_environment();
    match args.command {
        MasterKeyCommand::Rotate(args) => rotate(args, &secrets).await,
        MasterKeyCommand::Erase(args) => erase(args, &secrets).await,
    }
}

async fn rotate(args: RotateArgs, secrets: &EnvironmentSecrets) -> CommandResult {
    let given = args.master_key.read(secrets)?;
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
    output::line("Only copies of the database that were made before need the old key.")?;
    match &rotation.not_erased {
        Some(why) => output::line(format_args!("{MAY_SHOW_SECRETS}: {why}.")),
        None => Ok(()),
    }
}

async fn erase(args: EraseArgs, secrets: &EnvironmentSecrets) -> CommandResult {
    let given = args.master_key.read(secrets)?;
    let left = erase_secrets(&args.data, &given).await.map_err(|error| error.to_string())?;
    match left.not_erased {
        Some(why) => Err(format!("{MAY_SHOW_SECRETS}: {why}").into()),
        None => output::line(format_args!(
            "No byte of {} shows a secret that it stored before.",
            args.data.join("loanhook.db").display()
        )),
    }
}
