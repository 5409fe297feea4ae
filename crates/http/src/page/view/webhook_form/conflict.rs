//! That somebody else changed the webhook in the meantime: what differs, and the two ways to go on.

use maud::{Markup, html};

use crate::page::links;
use crate::page::view::format::time;
use crate::page::webhook_form::Difference;
use loanhook_core::model::subscription::Subscription;

pub(super) fn show(differences: &[Difference], stored: &Subscription) -> Markup {
    html! {
        section.card.group.conflict #conflict tabindex="-1" autofocus aria-labelledby="conflict-title" {
            h2 #conflict-title { "Somebody else changed this webhook while you did" }
            p {
                "Nothing of yours was saved. It is at version " (stored.version) " now, saved " (time(stored.updated_at)) ". "
                "What you typed is still in the form below: save it over theirs, or "
                a href=(links::edit(stored.id)) { "take the new values" } " and begin again."
            }
            @if differences.is_empty() {
                p.quiet { "No setting differs: the signing secret was rotated, or the change was taken back." }
            } @else {
                div.scrolls tabindex="0" role="region" aria-label="What differs" {
                    table.plain-table.differences {
                        thead { tr {
                            th scope="col" { "Setting" } th scope="col" { "As you opened it" }
                            th scope="col" { "Stored now" } th scope="col" { "Yours" }
                        } }
                        tbody {
                            @for of in differences {
                                tr {
                                    th scope="row" { (of.label) }
                                    td { (cell(&of.before)) }
                                    td { (marked(&of.stored, of.they_changed, "changed by them")) }
                                    td { (marked(&of.typed, of.you_changed, "changed by you")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cell(text: &str) -> Markup {
    html! { @if text.is_empty() { span.quiet { "none" } } @else { bdi.lines { (text) } } }
}

fn marked(text: &str, is_changed: bool, words: &str) -> Markup {
    html! {
        @if is_changed { mark { (cell(text)) } span.next-line { (words) } }
        @else { (cell(text)) }
    }
}
