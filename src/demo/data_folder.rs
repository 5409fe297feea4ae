//! The demo's folder: its own, nobody else's to read, gone at the end.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::Outcome;
use crate::terminal::output;

pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn make() -> Outcome<Self> {
        let unique = Uuid::new_v4().simple().to_string();
        let path =
            std::env::temp_dir().join(format!("loanhook-demo-{}-{}", std::process::id(), &unique[..8]));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // Not recursive: what is there already, by accident or by malice, is not ours to use.
        builder.create(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            output::note(format_args!("cannot remove {}: {error}", self.0.display()));
        }
    }
}
