//! The layout of every page: head, stylesheet, script and symbols around its content.

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

/// The symbols of the pages, by name: each is one path on a field of 16 by 16.
const SYMBOLS: [(&str, &str); 5] = [
    ("open", "M4 6l4 4 4-4"),
    ("copy", "M6 5.5h6.5v8H6zM3.5 10.5v-8H10"),
    ("yes", "M3.5 8.5l3 3 6-7"),
    ("no", "M4 4l8 8M12 4l-8 8"),
    ("wait", "M8 4v4.5l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z"),
];

fn symbols() -> Markup {
    html! {
        svg.symbols aria-hidden="true" focusable="false" {
            @for (name, line) in SYMBOLS {
                symbol id={ "i-" (name) } viewBox="0 0 16 16" { path d=(line) {} }
            }
        }
    }
}

pub(super) fn symbol(name: &str) -> Markup {
    html! { svg.symbol aria-hidden="true" focusable="false" { use href={ "#i-" (name) } {} } }
}
