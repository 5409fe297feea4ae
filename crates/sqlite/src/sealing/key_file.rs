//! Key files: a master key as base64 in a file that only its owner may read. It is on the disk for good before anything is sealed
//! with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use loanhook_seal::SealingKey;
use tracing::warn;

use super::errors::MasterKeyError;
use crate::data_folder;

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

/// The key in a file of a data folder, which is made where there is none. It is on the disk for good. Only the process that holds the
/// lock of the folder may call this.
///
/// # Errors
///
/// Where the file can be neither read nor made.
pub(super) fn read_or_make(path: &Path, folder: &Path) -> Result<SealingKey, MasterKeyError> {
    if let Some(key) = read(path)? {
        // Whoever made it may have died before it was.
        sync(path)?;
        return Ok(key);
    }
    let key = SealingKey::generate().map_err(|_| MasterKeyError::Randomness)?;
    put(path, &key, folder)?;
    Ok(key)
}

/// Writes a key into a file, which replaces the one that is there. It belongs to whom the database of the data folder belongs to: a
/// rotation may be run by root.
///
/// # Errors
///
/// Where that fails: the file that was there is there.
pub(super) fn put(path: &Path, key: &SealingKey, folder: &Path) -> Result<(), MasterKeyError> {
    let written = || -> io::Result<()> {
        let unfinished = path.with_extension("unfinished");
        let mut file = private_file(&unfinished)?;
        give_to_owner_of(&data_folder::database(folder), &file)?;
        writeln!(file, "{}", key.expose())?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        sync_folder_of(path)
    };
    written().map_err(|error| MasterKeyError::File(path.into(), error))
}

/// Has a key file on the disk for good, whoever wrote it.
///
/// # Errors
///
/// Where that fails.
pub(super) fn sync(path: &Path) -> Result<(), MasterKeyError> {
    let synced = || -> io::Result<()> {
        let path = path.canonicalize()?;
        File::open(&path)?.sync_all()?;
        match sync_folder_of(&path) {
            // Where this process may not list the folder, it is somebody else's.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced,
        }
    };
    synced().map_err(|error| MasterKeyError::File(path.into(), error))
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

/// Gives a file to the owner of another.
#[cfg(unix)]
fn give_to_owner_of(other: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (other, own) = (fs::metadata(other)?, file.metadata()?);
    match other.uid() == own.uid() {
        true => Ok(()),
        false => match fchown(file, Some(other.uid()), Some(other.gid())) {
            // Only root may: a service that uses the files of another user goes on to use its own.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            given => given,
        },
    }
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
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
        let make = || read_or_make(&path, folder.path());
        File::create(data_folder::database(folder.path())).expect("a database");
        let key = make().expect("made");
        assert_eq!(make().expect("read"), key);
        assert_eq!(read(&path).expect("read"), Some(key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let files = fs::read_dir(folder.path()).expect("a folder");
        assert_eq!(files.count(), 2, "nothing else is left");
    }

    #[test]
    fn a_file_without_a_key_is_an_error_that_does_not_show_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, why) in [("", "0"), ("aHVzaA==", "4"), ("hush hush!", "base64"), ("\u{0}", "base64")] {
            let path = folder.path().join("key");
            fs::write(&path, text).expect("written");
            let error = read_or_make(&path, folder.path()).expect_err(text).to_string();
            assert!(error.contains(&path.display().to_string()) && error.contains(why), "{error}");
            assert!(!error.contains("hush"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("it stays"), text);
        }
        fs::write(folder.path().join("key"), [0xff; 5000]).expect("written");
        assert!(matches!(read(&folder.path().join("key")), Err(MasterKeyError::File(..))));
    }

    #[test]
    fn a_key_replaces_another_and_its_file_can_be_removed_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = own(folder.path());
        File::create(data_folder::database(folder.path())).expect("a database");
        read_or_make(&path, folder.path()).expect("made");
        let new = SealingKey::from_bytes([2; 32]);
        put(&path, &new, folder.path()).expect("put");
        assert_eq!(read(&path).expect("read"), Some(new));
        for _ in 0..2 {
            remove(&path).expect("removed");
        }
        assert_eq!(read(&path).expect("no file"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_root_makes_belongs_to_the_owner_of_the_database() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let folder = tempfile::tempdir().expect("a folder");
        let (path, database) = (own(folder.path()), data_folder::database(folder.path()));
        File::create(&database).expect("a database");
        // Where the test does not run as root, the owner is its own.
        let _ = chown(&database, Some(12_345), None);
        read_or_make(&path, folder.path()).expect("made");
        let owner = |path: &Path| fs::metadata(path).expect("a file").uid();
        assert_eq!(owner(&path), owner(&database));
    }
}
