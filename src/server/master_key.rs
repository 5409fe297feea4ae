//! The master key as it is given to a command that opens a data folder: by the environment, by a file, or not at all.

use std::path::PathBuf;

use clap::Args;
use loanhook_sqlite::MasterKey;

use super::environment_secrets::{EnvironmentSecrets, MASTER_KEY, MASTER_KEY_BEFORE};

#[derive(Debug, Args)]
pub(crate) struct MasterKeyArgs {
    /// A file with the master key that seals secrets, 32 bytes in base64 [default: master.key in the data folder, made at the first start]
    #[arg(long, value_name = "FILE", env = "LOANHOOK_MASTER_KEY_FILE")]
    master_key_file: Option<PathBuf>,
}

impl MasterKeyArgs {
    /// The key that is given, with the one before it.
    ///
    /// # Errors
    ///
    /// Two are given, or one is no key or cannot be read; in a sentence.
    pub(super) fn read(&self, secrets: &EnvironmentSecrets) -> Result<MasterKey, String> {
        let given = match (secrets.get(MASTER_KEY), self.master_key_file.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(format!("{MASTER_KEY} and --master-key-file are both given: leave one out"));
            }
            (Some(text), None) => MasterKey::from_text(text, MASTER_KEY),
            (None, Some(file)) => MasterKey::from_file(file),
            (None, None) => Ok(MasterKey::default()),
        };
        let with_before = |given: MasterKey| match secrets.get(MASTER_KEY_BEFORE) {
            Some(text) => given.with_key_before(text, MASTER_KEY_BEFORE),
            None => Ok(given),
        };
        given.and_then(with_before).map_err(|error| error.to_string())
    }
}
