//! Errors of master keys: each says what to do. None shows a key, only its ID.

use std::io;
use std::path::PathBuf;

use loanhook_seal::{KeyId, KeyParseError};

/// Why there is no master key that fits.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("{0} is no master key: {1}. `openssl rand -base64 32` makes one")]
    Invalid(String, KeyParseError),
    #[error("the key file {0} cannot be used: {1}")]
    File(PathBuf, io::Error),
    #[error("a key cannot be made: the operating system gives no randomness")]
    Randomness,
    #[error(
        "the secrets in {folder} are sealed with the master key {sealed_with}, and {} is gone: put it back from a backup, or give the \
         key with LOANHOOK_MASTER_KEY or --master-key-file{}. Without it nothing can be started here", .file.display(), had_it(.named.as_ref())
    )]
    Gone { folder: PathBuf, file: PathBuf, named: Option<PathBuf>, sealed_with: String },
    #[error(
        "the secrets in {folder} are sealed with the master key {sealed_with}, and {by} is the key {found}: give the one that they are \
         sealed with. To change to {found}, give the other as LOANHOOK_MASTER_KEY_OLD, too, for one start"
    )]
    Other { folder: PathBuf, sealed_with: String, by: String, found: KeyId },
    #[error(
        "the secrets in {folder} are sealed with its own master key, {}, and {by} is another, {found}: do not give it, to go on with its \
         own; to change to it, set LOANHOOK_MASTER_KEY_OLD to what is in that file, too, for one start, or first run `loanhook \
         master-key rotate --data {folder} --new-key-file FILE` with a file that has it", .own.display()
    )]
    SealedWithOwn { folder: PathBuf, own: PathBuf, by: String, found: KeyId },
    #[error(
        "the secrets in {folder} are being sealed anew with the master key {next}, which is not there: give it with \
         LOANHOOK_MASTER_KEY or --master-key-file{}", had_it(.file.as_ref())
    )]
    NextGone { folder: PathBuf, next: String, file: Option<PathBuf> },
    #[error(
        "the secrets in {folder} are being sealed anew, and the master key before, {old}, cannot be found: give it with \
         LOANHOOK_MASTER_KEY_OLD"
    )]
    OldGone { folder: PathBuf, old: String },
    #[error(
        "the key file {file} does not have the master key {key} any more, which seals now: put it back there"
    )]
    Changed { file: PathBuf, key: KeyId },
}

fn had_it(file: Option<&PathBuf>) -> String {
    file.map_or_else(String::new, |file| format!(" ({} had it)", file.display()))
}
