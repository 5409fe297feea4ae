//! Master key as an operator gives it to a start.

use std::path::{Path, PathBuf};

use loanhook_seal::SealingKey;

use super::errors::MasterKeyError;
use super::key_file;

/// What an operator gives. The default is nothing: then the data folder has a key of its own.
#[derive(Debug, Clone, Default)]
pub struct MasterKey {
    pub(super) given: Option<GivenKey>,
    /// The key before it, with which the folder may be sealed.
    pub(super) before: Option<SealingKey>,
}

#[derive(Debug, Clone)]
pub(super) struct GivenKey {
    pub(super) key: SealingKey,
    /// Where it stands: the name of a variable, or a path.
    pub(super) by: String,
    pub(super) file: Option<PathBuf>,
}

impl GivenKey {
    /// Has it on the disk for good, where it is in a file.
    pub(super) fn sync(&self) -> Result<(), MasterKeyError> {
        self.file.as_deref().map_or(Ok(()), key_file::sync)
    }
}

impl MasterKey {
    /// The key of this text, which stands in the variable `by`.
    ///
    /// # Errors
    ///
    /// Where it is not 32 bytes in base64.
    pub fn from_text(text: &str, by: &str) -> Result<Self, MasterKeyError> {
        let given = GivenKey { key: parse(text, by)?, by: by.to_owned(), file: None };
        Ok(Self { given: Some(given), before: None })
    }

    /// The key in a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or has no key.
    pub fn from_file(path: &Path) -> Result<Self, MasterKeyError> {
        let by = path.display().to_string();
        let given = GivenKey { key: required(path)?, by, file: Some(path.into()) };
        Ok(Self { given: Some(given), before: None })
    }

    /// The same, with the key before it.
    ///
    /// # Errors
    ///
    /// Where that is not 32 bytes in base64.
    pub fn with_key_before(self, text: &str, by: &str) -> Result<Self, MasterKeyError> {
        Ok(Self { before: Some(parse(text, by)?), ..self })
    }
}

fn parse(text: &str, by: &str) -> Result<SealingKey, MasterKeyError> {
    text.parse().map_err(|error| MasterKeyError::Invalid(by.to_owned(), error))
}

/// The key in a file that must be there.
pub(super) fn required(path: &Path) -> Result<SealingKey, MasterKeyError> {
    let missing = || MasterKeyError::File(path.into(), std::io::ErrorKind::NotFound.into());
    key_file::read(path)?.ok_or_else(missing)
}
