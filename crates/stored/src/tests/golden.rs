//! Golden files: one document each, named `<kind>.<variant>.json`, as the version that it says wrote it, with a line's end
//! after it.

use std::path::Path;

use super::{KINDS, rewrite_of};
use crate::ReadError;

/// Kind, name and text of every golden file.
fn files() -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = std::fs::read_dir(folder).expect("golden files");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("a file").path();
        let name = path.file_name().and_then(std::ffi::OsStr::to_str).expect("a name").to_owned();
        let text = std::fs::read_to_string(&path).expect(&name);
        let json = text.strip_suffix('\n').unwrap_or_else(|| panic!("{name} does not end with its line"));
        let (kind, _) = name.split_once('.').expect("a kind");
        (kind.to_owned(), name.clone(), json.to_owned())
    };
    files.map(file).collect()
}

#[test]
fn every_golden_file_is_read_and_written_byte_for_byte() {
    for (kind, name, json) in files() {
        let written = rewrite_of(&kind)(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(written, json, "{name}");
    }
}

#[test]
fn every_kind_of_document_has_golden_files() {
    let files = files();
    for (kind, _) in KINDS {
        assert!(files.iter().any(|(of, ..)| of == kind), "{kind}");
    }
}

#[test]
fn a_document_of_a_newer_version_is_refused_whatever_its_kind() {
    for (kind, rewrite) in KINDS {
        for json in [r#"{"v":99}"#, r#"{"all":"is otherwise","v":99}"#] {
            let error = rewrite(json).expect_err(kind);
            assert!(matches!(error, ReadError::Newer { found: 99, known: 1.. }), "{kind}: {error}");
        }
    }
    for (kind, name, json) in files() {
        let Some(fields) = json.strip_prefix('{').filter(|fields| *fields != "}") else { continue };
        let fields = fields.strip_prefix(r#""v":2,"#).unwrap_or(fields);
        let error = rewrite_of(&kind)(&format!(r#"{{"v":99,{fields}"#)).expect_err(&name);
        assert!(matches!(error, ReadError::Newer { .. }), "{name}: {error}");
    }
}
