//! The header of the site, on every page of a session for all loans: the parts of the site, the search, and the viewer.

use maud::{Markup, html};

use super::layout::symbol;
use crate::page::csrf_token;
use crate::page::tenant_request::{
    DELIVERIES_PATH, JOBS_PATH, KEYS_PATH, OVERVIEW_PATH, SEARCH_PATH, WEBHOOKS_PATH,
};
use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::key::Scope;

/// The longest text that can be searched: a loan, a space and the ID of an attempt.
const MAX_SEARCH: usize = 300;

/// The parts of the site that the header leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Section {
    Overview,
    Deliveries,
    Webhooks,
    Jobs,
    Keys,
}

impl Section {
    const ALL: [Self; 5] = [Self::Overview, Self::Deliveries, Self::Webhooks, Self::Jobs, Self::Keys];

    const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Deliveries => "Deliveries",
            Self::Webhooks => "Webhooks",
            Self::Jobs => "Jobs",
            Self::Keys => "Keys",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => OVERVIEW_PATH,
            Self::Deliveries => DELIVERIES_PATH,
            Self::Webhooks => WEBHOOKS_PATH,
            Self::Jobs => JOBS_PATH,
            Self::Keys => KEYS_PATH,
        }
    }

    /// The scopes of which a session has one; else it is refused there, and is not led there.
    const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Overview | Self::Deliveries | Self::Webhooks => &[Scope::HistoryRead],
            Self::Jobs => &[Scope::WebhooksResend],
            Self::Keys => &[Scope::Admin, Scope::Operator],
        }
    }

    fn is_for(self, grant: &Grant) -> bool {
        self.scopes().iter().any(|scope| grant.may(*scope))
    }
}

/// Who looks at a page, and at which.
pub(in crate::page) struct Viewing<'a> {
    pub(in crate::page) grant: &'a Grant,
    /// The loan of the page; none where it is of all.
    pub(in crate::page) loan: Option<&'a LoanId>,
    /// None on a page of a loan, and on that of a search.
    pub(in crate::page) section: Option<Section>,
}

/// The header, with the text that was searched.
pub(super) fn show(viewing: &Viewing<'_>, searched: &str) -> Markup {
    html! {
        a.skip href="#content" { "Skip to the content" }
        header.site {
            div {
                a.brand href=(OVERVIEW_PATH) { (mark()) "loanhook" }
                nav.sections aria-label="Main" {
                    @for section in Section::ALL.into_iter().filter(|section| section.is_for(viewing.grant)) {
                        a href=(section.path()) aria-current=[(viewing.section == Some(section)).then_some("page")] {
                            (section.title())
                        }
                    }
                }
                form.search role="search" action=(SEARCH_PATH) {
                    label.unseen for="search" { "A loan, an ID or a title of a webhook" }
                    input #search type="search" name="q" value=(searched) maxlength=(MAX_SEARCH) placeholder="Loan, ID or title"
                        autocomplete="off" spellcheck="false";
                    button type="submit" aria-label="Search" { (symbol("search")) }
                }
                (viewer(viewing.grant, viewing.loan))
            }
        }
    }
}

/// Who looks, and the way to sign out.
pub(super) fn viewer(grant: &Grant, loan: Option<&LoanId>) -> Markup {
    html! {
        form.who method="post" action="/sign-out" data-viewer=(csrf_token::viewer_tag(grant)) {
            span.viewing {
                span.words { "Viewing as " bdi { (grant.name) } }
                " "
                span { span.words { "of " } span.tenant { (grant.tenant) } }
            }
            @if let Some(loan) = loan { input type="hidden" name="loan" value=(loan); }
            button type="submit" { "Sign out" }
        }
    }
}

/// The mark of loanhook, as its icon has it.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            path d="M10 7v18h6a6 6 0 0 0 6-6v-2" {}
            circle cx="22" cy="11" r="3" {}
        }
    }
}
