//! The header of a loan's pages: the loan, the viewer, and the tabs.

use maud::{Markup, html};

use crate::page::csrf_token;
use crate::page::page_request::PageRequest;

/// The pages of a loan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Webhooks,
    Events,
}

impl Tab {
    const fn title(self) -> &'static str {
        match self {
            Self::Webhooks => "Webhooks",
            Self::Events => "Events",
        }
    }
}

/// The header of the page of this tab.
pub(super) fn show(tab: Tab, request: &PageRequest) -> Markup {
    let tabs = [(Tab::Webhooks, request.path()), (Tab::Events, request.events_path())];
    html! {
        header.top {
            div {
                p.over { "Loan " bdi { (request.loan) } }
                h1 { (tab.title()) }
            }
            form.who method="post" action="/logout" data-viewer=(csrf_token::viewer_tag(&request.grant)) {
                span.quiet {
                    "Viewing as " bdi { (request.grant.name) } " of " span.tenant { (request.grant.tenant) }
                }
                input type="hidden" name="loan" value=(request.loan);
                button type="submit" { "Sign out" }
            }
        }
        nav.tabs aria-label="Of this loan" {
            @for (of, href) in &tabs {
                a href=(href) aria-current=[(*of == tab).then_some("page")] { (of.title()) }
            }
        }
    }
}
