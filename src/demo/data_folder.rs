//! The temporary folder of the demo, which only its user can read, and which is removed at the end.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::error::CommandResult;
use crate::terminal::output;

/// Removed when it is dropped.
pub(super) struct DataFolder(PathBuf);

impl DataFolder {
    pub(super) fn create() -> CommandResult<Self> {
        let unique = Uuid::new_v4().simple().to_string();
        let path =
            std::env::temp_dir().join(format!("loanhook-demo-{}-{}", std::process::id(), &unique[..8]));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Not recursive, so that a folder which is there already is an error: somebody else made it.
        builder.create(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            output::note(format_args!("cannot remove {}: {error}", self.0.display()));
        }
    }
}
