//! A form that begins or ends a session: nobody is signed in yet, or need be, so there is no CSRF token, and the headers of the browser
//! say that a page of ours sent it.

use axum::body::Body;
use http::request::Parts;

use super::Pages;
use super::error_page::ErrorPage;
use super::form::Form;
use super::page_request::check_same_origin;
use super::session_cookies::SessionCookies;
use crate::web::Origin;

/// A form that comes from a page of this origin, and the cookies of the browser that sent it.
pub(super) struct SameOriginForm {
    pub(super) form: Form,
    pub(super) origin: Origin,
    pub(super) cookies: SessionCookies,
}

impl SameOriginForm {
    pub(super) async fn read<S>(pages: &Pages<S>, parts: &Parts, body: Body) -> Result<Self, ErrorPage> {
        let form = Form::read(body).await?;
        let origin = pages.site.origin(parts)?;
        check_same_origin(&parts.headers, &origin)?;
        let cookies = SessionCookies::new(&pages.site, &origin);
        Ok(Self { form, origin, cookies })
    }
}
