//! The page that a browser is sent to after a sign-in: one of ours and nothing else.

use percent_encoding::percent_decode_str;

use super::form::Form;
use super::tenant_request::is_tenant_page;
use loanhook_core::model::id::LoanId;

/// The page to open after the sign-in: a page of a loan or of all loans on this host, and nothing else.
pub(super) fn next_page(form: &Form) -> Option<String> {
    own_page(form.get("next"))
}

/// The same for what this text names.
pub(super) fn own_page(next: &str) -> Option<String> {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    (plain && (next.starts_with("/loans/") || is_tenant_page(path))).then(|| next.to_owned())
}

/// The loan that the path of a page names.
pub(super) fn loan_of(path: &str) -> Option<LoanId> {
    let segment = path.strip_prefix("/loans/")?.split(['/', '?', '#']).next()?;
    let loan = percent_decode_str(segment).decode_utf8().ok()?;
    LoanId::try_from(loan.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::page_request::loan_page_path;

    #[test]
    fn the_loan_of_the_path_of_its_page_is_the_loan() {
        for loan in ["727", "a b", "Börse & Co", "a;b=c"] {
            let loan = LoanId::try_from(loan.to_owned()).expect("a loan");
            assert_eq!(loan_of(&format!("{}?outcome=failed", loan_page_path(&loan))), Some(loan));
        }
        assert_eq!(
            (loan_of("/sign-in"), loan_of("/loans/"), loan_of("/loans/%ff/webhooks")),
            (None, None, None)
        );
    }

    #[test]
    fn only_pages_of_ours_are_opened_after_a_sign_in() {
        for (destination, ok) in [
            ("/loans/727/webhooks", true),
            ("/loans/727/webhooks?outcome=failed&from=2026-11-23T10%3A00%3A00Z", true),
            ("//evil.example/loans/", false),
            ("https://evil.example/loans/", false),
            ("/\\evil.example/loans/", false),
            ("/loans/\r\nset-cookie: a=b", false),
            ("/", true),
            ("/?span=week", true),
            ("/webhooks?status=failed", true),
            ("/resends/0193", true),
            ("/resends", true),
            ("//evil.example/webhooks", false),
            ("/webhooks.evil", false),
            ("/sign-in", false),
            ("", false),
        ] {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("next", destination)
                .finish();
            assert_eq!(next_page(&Form::of_query(Some(&query))).is_some(), ok, "{destination}");
        }
    }
}
