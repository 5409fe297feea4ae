//! Files that commands read, `-` being standard input. A byte order mark at the beginning is left out.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use loanhook_core::model::byte_order_mark;
use serde_json::value::RawValue;

use super::output;
use crate::error::CommandResult;

/// The name of the file in messages.
pub(crate) fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

/// The bytes of the file.
pub(crate) fn read_bytes(file: &Path) -> CommandResult<Vec<u8>> {
    let bytes = if is_standard_input(file) { read_standard_input() } else { std::fs::read(file) };
    let bytes = bytes.map_err(|error| format!("{}: {error}", name(file)))?;
    Ok(byte_order_mark::without(&bytes).to_vec())
}

/// The text of the file, which must be UTF-8.
pub(crate) fn read_text(file: &Path) -> CommandResult<String> {
    String::from_utf8(read_bytes(file)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: not UTF-8", name(file)).into()
    })
}

/// The JSON value of the file, as it is written there.
pub(crate) fn read_json(file: &Path) -> CommandResult<Box<RawValue>> {
    let text = read_text(file)?;
    serde_json::from_str(&text).map_err(|error| format!("{}: not JSON: {error}", name(file)).into())
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn read_standard_input() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        output::note(format_args!("reading from standard input; Ctrl-D ends it"));
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes)?;
    Ok(bytes)
}
