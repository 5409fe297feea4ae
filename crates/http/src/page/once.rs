//! What a form makes once, however often it is sent: the form names the ID that it is made with, which the page made before, signed for the
//! viewer. So nobody chooses an ID, and a second sending finds what the first one made.

use std::fmt::Display;
use std::str::FromStr;

use super::csrf_token;
use super::error_page::ErrorPage;
use super::form::Form;
use super::resend::ONCE_FIELD;
use loanhook_core::model::grant::Grant;
use loanhook_core::model::key::KeyHash;

/// The value of the field that names an ID.
pub(super) fn token(id: impl Display, grant: &Grant) -> String {
    format!("{id}.{}", csrf_token::signature(&id.to_string(), grant))
}

/// The ID that a form names, whoever made the form: only to look for what it made before.
pub(super) fn unsigned_id<I: FromStr>(form: &Form) -> Option<I> {
    form.get(ONCE_FIELD).split_once('.').and_then(|(id, _)| id.parse().ok())
}

/// The ID that a form names.
///
/// # Errors
///
/// Where it names none that a page made for this viewer.
pub(super) fn id<I: FromStr>(form: &Form, grant: &Grant) -> Result<I, ErrorPage> {
    let named = form.get(ONCE_FIELD).split_once('.');
    let (id, signature) = named.ok_or(ErrorPage::CrossSiteForm)?;
    // As CSRF tokens are compared.
    if KeyHash::of(signature) != KeyHash::of(&csrf_token::signature(id, grant)) {
        return Err(ErrorPage::CrossSiteForm);
    }
    id.parse().map_err(|_| ErrorPage::CrossSiteForm)
}
