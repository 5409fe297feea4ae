//! The bytes of a data folder, to be searched for what must not stand in them.

use std::path::{Path, PathBuf};

/// Every byte below a folder, of files with any name.
pub(crate) fn bytes_of(folder: &Path) -> Vec<u8> {
    bytes_but_for(folder, &[])
}

/// The same without files of these names. A file that is removed meanwhile has none.
pub(crate) fn bytes_but_for(folder: &Path, names: &[&str]) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| !names.iter().any(|name| path.ends_with(name)));
    paths.sort();
    let read = |path: &PathBuf| {
        if path.is_dir() { bytes_but_for(path, names) } else { std::fs::read(path).unwrap_or_default() }
    };
    paths.iter().flat_map(read).collect()
}

pub(crate) fn holds(bytes: &[u8], word: &[u8]) -> bool {
    // Few bytes are the first of the word: the others are passed over fast, as the test is not optimised.
    let (first, rest) = word.split_first().expect("a word");
    let mut left = bytes;
    while let Some(at) = left.iter().position(|byte| byte == first) {
        left = &left[at + 1..];
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}
