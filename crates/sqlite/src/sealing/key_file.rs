//! Key files: a master key as base64 in a file that only its owner may read. It is on the disk for good before anything is sealed
//! with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use loanhook_seal::SealingKey;
use tracing::warn;

use super::errors::MasterKeyError;

/// A key has 44 characters; a file that is no key file may have any number.
const MAX_BYTES: u64 = 4096;

/// The data folder's own key.
pub(super) fn own(folder: &Path) -> PathBuf {
    folder.join("master.key")
}

/// The key that takes its place at the end of a rotation, in its folder.
pub(super) const NEXT_OWN: &str = "master.key.new";

/// The key in a file; none where there is no such file. A file that others may read is used, with a warning: what an
/// orchestrator mounts as a secret often has such a mode, which nobody can change.
///
/// # Errors
///
/// Where it cannot be read, or has no key.
pub(super) fn read(path: &Path) -> Result<Option<SealingKey>, MasterKeyError> {
    let unusable = |error| MasterKeyError::File(path.into(), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(error)),
    };
    if others_may_read(&file).map_err(unusable)? {
        warn!(
            file = %path.display(),
            advice = "chmod 600, so that only its owner can read it",
            "master_key.file_can_be_read_by_others"
        );
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(unusable)?;
    match text.parse() {
        Ok(key) => Ok(Some(key)),
        Err(error) => Err(MasterKeyError::Invalid(format!("what is in {}", path.display()), error)),
    }
}

#[cfg(unix)]
fn others_may_read(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// The key in a file, which is made where there is none. Only the process that holds the lock of the data folder may call this.
///
/// # Errors
///
/// Where the file can be neither read nor made.
pub(super) fn read_or_make(path: &Path) -> Result<SealingKey, MasterKeyError> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let key = SealingKey::generate().map_err(|_| MasterKeyError::Randomness)?;
    let unusable = |error| MasterKeyError::File(path.into(), error);
    let unfinished = path.with_extension("unfinished");
    let mut file = private_file(&unfinished).map_err(unusable)?;
    writeln!(file, "{}", key.expose()).and_then(|()| file.sync_all()).map_err(unusable)?;
    put_in_place(&unfinished, path)?;
    Ok(key)
}

/// Moves a key file to its place, where it replaces the one that is there.
///
/// # Errors
///
/// Where that fails: the one that was there is there.
pub(super) fn put_in_place(from: &Path, to: &Path) -> Result<(), MasterKeyError> {
    fs::rename(from, to)
        .and_then(|()| sync_folder_of(to))
        .map_err(|error| MasterKeyError::File(to.into(), error))
}

/// Removes a key file for good, if it is there.
///
/// # Errors
///
/// Where that fails.
pub(super) fn remove(path: &Path) -> Result<(), MasterKeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder_of(path),
    }
    .map_err(|error| MasterKeyError::File(path.into(), error))
}

/// An empty file with mode 0600.
fn private_file(path: &Path) -> io::Result<File> {
    // One that a crash left may have any mode.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Only after this does a file that was made, renamed or removed stay so after a power failure.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = own(folder.path());
        assert_eq!(read(&path).expect("no file"), None);
        // What a start that died left behind.
        fs::write(path.with_extension("unfinished"), "half a k").expect("written");
        let key = read_or_make(&path).expect("made");
        assert_eq!(read_or_make(&path).expect("read"), key);
        assert_eq!(read(&path).expect("read"), Some(key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let files = fs::read_dir(folder.path()).expect("a folder");
        assert_eq!(files.count(), 1, "nothing else is left");
    }

    #[test]
    fn a_file_without_a_key_is_an_error_that_does_not_show_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, why) in [("", "0"), ("aHVzaA==", "4"), ("hush hush!", "base64"), ("\u{0}", "base64")] {
            let path = folder.path().join("key");
            fs::write(&path, text).expect("written");
            let error = read_or_make(&path).expect_err(text).to_string();
            assert!(error.contains(&path.display().to_string()) && error.contains(why), "{error}");
            assert!(!error.contains("hush"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("it stays"), text);
        }
        fs::write(folder.path().join("key"), [0xff; 5000]).expect("written");
        assert!(matches!(read(&folder.path().join("key")), Err(MasterKeyError::File(..))));
    }

    #[test]
    fn a_key_file_replaces_another_and_can_be_removed_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, next) = (own(folder.path()), folder.path().join(NEXT_OWN));
        let old = read_or_make(&path).expect("made");
        let new = read_or_make(&next).expect("made");
        put_in_place(&next, &path).expect("moved");
        assert_ne!(old, new);
        assert_eq!((read(&path).expect("read"), read(&next).expect("read")), (Some(new), None));
        for _ in 0..2 {
            remove(&path).expect("removed");
        }
        assert_eq!(read(&path).expect("no file"), None);
    }
}
