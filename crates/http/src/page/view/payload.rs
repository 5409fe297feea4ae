//! A payload: its size, the way to save it, and a look at it.

use maud::{Markup, html};

use super::format::size;
use crate::page::preview::{Part, Preview, parts};

/// A payload, and what is said of it.
pub(super) struct Shown<'a> {
    pub(super) title: &'a str,
    /// What it is to somebody who does not see where it stands.
    pub(super) what: &'a str,
    pub(super) preview: &'a Preview,
    pub(super) href: String,
    pub(super) bytes: u64,
    pub(super) content_type: Option<&'a str>,
}

pub(super) fn show(shown: &Shown<'_>) -> Markup {
    let Shown { title, what, preview, href, bytes, content_type } = shown;
    html! {
        section.payload {
            h2 { (title) " " span.quiet { (size(*bytes)) } }
            @if **preview != Preview::Gone {
                p.save {
                    a.button href=(href) download { "Download" span.unseen { " the " (title) } }
                    @if let Some(content_type) = content_type { " " span.quiet { bdi { (content_type) } } }
                }
            }
            @match preview {
                Preview::Empty => p.quiet { "No body." },
                Preview::Gone => p.quiet { "It is not kept any more." },
                Preview::Json { text, cut } | Preview::Text { text, cut } => { (look(what, text)) (note(*cut)) }
                Preview::Binary { text, cut } => {
                    p.quiet { "Binary, " (bytes) " bytes." }
                    (look(what, text)) (note(*cut))
                }
            }
        }
    }
}

fn look(what: &str, text: &str) -> Markup {
    html! {
        // It scrolls, so the keyboard must reach it.
        pre tabindex="0" role="region" aria-label=(what) dir="ltr" {
            @for part in parts(text) {
                @match part {
                    Part::Plain(text) => (text),
                    Part::Named(c) => span.named { (format!("U+{:04X}", u32::from(c))) },
                }
            }
        }
    }
}

fn note(cut: bool) -> Markup {
    html! { @if cut { p.quiet { "Only the beginning is shown. Download it to see the whole." } } }
}
