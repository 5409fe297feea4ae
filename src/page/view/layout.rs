//! What every page has around its content.

use axum::response::Response;
use maud::{DOCTYPE, Markup, html};

use super::fragment;
use crate::page::assets::{ICON, SCRIPT, STYLE};

/// A whole page.
pub(in crate::page) fn page(title: &str, content: &Markup) -> Response {
    fragment(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · loanhook" }
                link rel="icon" type="image/svg+xml" href=(ICON.path);
                link rel="stylesheet" href=(STYLE.path);
                script src=(SCRIPT.path) defer {}
            }
            body {
                (symbols())
                main { (content) }
            }
        }
    })
}

/// The pictures that the page uses again and again.
fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" focusable="false" {
            symbol #i-open viewBox="0 0 16 16" { path d="M4 6l4 4 4-4" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {} }
            symbol #i-copy viewBox="0 0 16 16" {
                path d="M6 5.5h6.5v8H6zM3.5 10.500v-8H10" fill="none" stroke="currentColor" stroke-width="1.400" stroke-linejoin="round" {}
            }
            symbol #i-yes viewBox="0 0 16 16" { path d="M3.500 8.500l3 3 6-7" fill="none" stroke="currentColor" stroke-width="2.200" stroke-linecap="round" stroke-linejoin="round" {} }
            symbol #i-no viewBox="0 0 16 16" { path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.200" stroke-linecap="round" {} }
            symbol #i-wait viewBox="0 0 16 16" { path d="M8 4v4.500l2.500 1.500M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z" fill="none" stroke="currentColor" stroke-width="1.600" stroke-linecap="round" {} }
        }
    }
}

pub(super) fn symbol(name: &str) -> Markup {
    html! { svg.symbol aria-hidden="true" focusable="false" { use href={ "#i-" (name) } {} } }
}
