//! The section of a payload: its size, a link to download it, and its preview.

use maud::{Markup, html};

use super::format::byte_size;
use crate::page::preview::{Preview, TextPart, text_parts};

/// A payload as the page shows it.
pub(super) struct PayloadSection<'a> {
    pub(super) title: &'a str,
    /// The name of its preview for screen readers.
    pub(super) label: &'a str,
    pub(super) preview: &'a Preview,
    pub(super) href: String,
    pub(super) bytes: u64,
    pub(super) content_type: Option<&'a str>,
}

pub(super) fn show(shown: &PayloadSection<'_>) -> Markup {
    let PayloadSection { title, label: what, preview, href, bytes, content_type } = shown;
    html! {
        section.payload {
            h2 { (title) " " span.quiet { (byte_size(*bytes)) } }
            @if **preview != Preview::NotKept {
                p.save {
                    a.button href=(href) download { "Download" span.unseen { " the " (title) } }
                    @if let Some(content_type) = content_type { " " span.quiet { bdi { (content_type) } } }
                }
            }
            @match preview {
                Preview::Empty => p.quiet { "No body." },
                Preview::NotKept => p.quiet { "It is not kept any more." },
                Preview::Json { text, cut } | Preview::Text { text, cut } => { (preview_text(what, text)) (cut_note(*cut)) }
                Preview::Binary { text, cut } => {
                    p.quiet { "Binary, " (bytes) " bytes." }
                    (preview_text(what, text)) (cut_note(*cut))
                }
            }
        }
    }
}

fn preview_text(what: &str, text: &str) -> Markup {
    html! {
        // It scrolls, so it must be reachable by keyboard.
        pre tabindex="0" role="region" aria-label=(what) dir="ltr" {
            @for part in text_parts(text) {
                @match part {
                    TextPart::Plain(text) => (text),
                    TextPart::Invisible(c) => span.named { (format!("U+{:04X}", u32::from(c))) },
                }
            }
        }
    }
}

fn cut_note(cut: bool) -> Markup {
    html! { @if cut { p.quiet { "Only the beginning is shown. Download it to see the whole." } } }
}
