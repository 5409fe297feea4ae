//! The header of a loan's pages: the loan, the viewer, and the tabs.

use maud::{Markup, html};

use super::site_header;
use crate::page::page_request::{PageRequest, loan_events_path, loan_page_path};
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::LoanId;

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

/// The header of the page of this tab. With a session for all loans, the viewer stands in the header of the site.
pub(super) fn show(tab: Tab, request: &PageRequest) -> Markup {
    of(tab, &request.grant, &request.loan)
}

/// The same for a loan.
pub(super) fn of(tab: Tab, grant: &Grant, loan: &LoanId) -> Markup {
    let tabs = [(Tab::Webhooks, loan_page_path(loan)), (Tab::Events, loan_events_path(loan))];
    html! {
        header.top {
            div {
                p.over { "Loan " bdi { (loan) } }
                h1 { (tab.title()) }
            }
            @if grant.loan.is_some() { (site_header::viewer(grant, Some(loan))) }
        }
        nav.tabs aria-label="Of this loan" {
            @for (of, href) in &tabs {
                a href=(href) aria-current=[(*of == tab).then_some("page")] { (of.title()) }
            }
        }
    }
}
