//! Pages of a list: one, or all to the end of it.

use serde_json::value::RawValue;

use crate::client::{ApiClient, Call, MAX_ITEMS_PER_PAGE, Page};
use crate::error::CommandResult;
use crate::terminal::format::clean;
use crate::terminal::output;

/// The pages that the arguments of a command ask for.
pub(super) struct ListPages {
    /// Without cursor and limit.
    call: Call,
    limit: Option<u32>,
    all: bool,
    /// Where the page that was fetched last ended, if there are more items.
    cursor: Option<String>,
    done: bool,
}

impl ListPages {
    /// One page from `cursor` on, or all of them. `call` has no cursor and no limit.
    pub(super) fn new(call: Call, cursor: Option<&String>, limit: Option<u32>, all: bool) -> Self {
        let limit = limit.or(all.then_some(MAX_ITEMS_PER_PAGE));
        Self { call, limit, all, cursor: cursor.cloned(), done: false }
    }

    /// The items of the next page, as they came; none after the last.
    pub(super) async fn next(&mut self, client: &ApiClient) -> CommandResult<Option<Vec<Box<RawValue>>>> {
        if self.done {
            return Ok(None);
        }
        let call = self.call.clone().query("limit", self.limit).query("cursor", self.cursor.as_ref());
        let page: Page = client.fetch(&call).await?;
        self.cursor = page.next;
        self.done = !self.all || self.cursor.is_none();
        Ok(Some(page.items))
    }

    /// Prints the items as they came, as one page in the shape of the HTTP interface.
    pub(super) async fn print_json(mut self, client: &ApiClient) -> CommandResult {
        // Fetched before anything is printed: an error leaves no incomplete document.
        let mut page = self.next(client).await?;
        output::bytes(b"{\"items\":[")?;
        let mut separator = "";
        while let Some(items) = page {
            for item in items {
                output::bytes(format!("{separator}{item}").as_bytes())?;
                separator = ",\n";
            }
            page = self.next(client).await?;
        }
        output::line(format_args!("],\"next\":{}}}", serde_json::json!(self.cursor)))
    }

    /// Notes how to see what follows the last page that was fetched, if there is more.
    pub(super) fn note_more(&self) {
        if let Some(cursor) = &self.cursor {
            output::note(format_args!(
                "there is more: --all shows it, --cursor {} the next page",
                clean(cursor)
            ));
        }
    }
}
