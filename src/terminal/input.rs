//! Files that commands read, `-` being standard input. A byte order mark before what they hold is no part of it.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use loanhook_core::model::byte_order_mark;

use crate::Outcome;
use crate::terminal::output;

/// What the file is called in messages.
pub(crate) fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

/// The file's bytes.
pub(crate) fn read(file: &Path) -> Outcome<Vec<u8>> {
    let bytes = if is_standard_input(file) { standard_input() } else { std::fs::read(file) };
    let bytes = bytes.map_err(|error| format!("{}: {error}", name(file)))?;
    Ok(byte_order_mark::without(&bytes).to_vec())
}

/// The file's text.
pub(crate) fn text(file: &Path) -> Outcome<String> {
    String::from_utf8(read(file)?).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: not UTF-8", name(file)).into()
    })
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn standard_input() -> io::Result<Vec<u8>> {
    let mut stdin = io::stdin().lock();
    if stdin.is_terminal() {
        output::note(format_args!("reading from standard input; Ctrl-D ends it"));
    }
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes)?;
    Ok(bytes)
}
