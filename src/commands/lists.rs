//! Lists that are short enough to be read whole.

use serde_json::value::RawValue;

use crate::Outcome;
use crate::client::{Call, Client, Page};
use crate::terminal::output;

/// All items, page by page, as they came.
pub(super) async fn all(client: &Client, call: impl Fn() -> Call) -> Outcome<Vec<Box<RawValue>>> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page: Page = client.read(&call().query("cursor", cursor.as_ref())).await?;
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

/// The items in one document of the interface's shape.
pub(super) fn print_json(items: &[Box<RawValue>]) -> Outcome {
    let items: Vec<_> = items.iter().map(|item| item.get()).collect();
    output::line(format_args!("{{\"items\":[{}],\"next\":null}}", items.join(",\n")))
}
