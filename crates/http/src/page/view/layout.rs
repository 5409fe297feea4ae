//! The layout of every page: head, stylesheet, script and symbols around its content.

use axum::response::Response;
use maud::{DOCTYPE, Markup, Render, html};

use super::fragment;
use super::site_header::{self, Viewing};
use crate::page::assets::{ICON, SCRIPT, STYLE};

/// A whole page for nobody in particular.
pub(in crate::page) fn page(title: &str, content: &Markup) -> Response {
    whole(title, &html! {}, content)
}

/// A whole page for a viewer, who sees the header of the site where the session is for all loans.
pub(in crate::page) fn page_for(title: &str, viewing: &Viewing<'_>, content: &Markup) -> Response {
    page_of_search(title, viewing, "", content)
}

/// The same, with the text that was searched.
pub(in crate::page) fn page_of_search(
    title: &str,
    viewing: &Viewing<'_>,
    searched: &str,
    content: &Markup,
) -> Response {
    let header = html! { @if viewing.grant.loan.is_none() { (site_header::show(viewing, searched)) } };
    whole(title, &header, content)
}

fn whole(title: &str, header: &Markup, content: &Markup) -> Response {
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
                (header)
                main #content tabindex="-1" { (content) }
            }
        }
    })
}

/// The symbols of the pages, by name: each is one path on a field of 16 by 16.
const SYMBOLS: [(&str, &str); 6] = [
    ("open", "M4 6l4 4 4-4"),
    ("copy", "M6 5.5h6.5v8H6zM3.5 10.5v-8H10"),
    ("yes", "M3.5 8.5l3 3 6-7"),
    ("no", "M4 4l8 8M12 4l-8 8"),
    ("search", "M11.5 7a4.500 4.500 0 1 1-9 0a4.500 4.500 0 0 1 9 0zM10.300 10.300l3.700 3.700"),
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

/// A state as a colour, a symbol and a word.
pub(super) fn label(class: &str, name: &str, word: impl Render) -> Markup {
    html! { span.{ "code " (class) } { (symbol(name)) span { (word) } } }
}

/// The heads of the columns of a list.
pub(super) fn column_heads(heads: &[impl Render]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" { @for head in heads { th scope="col" role="columnheader" { (head) } } }
        }
    }
}
