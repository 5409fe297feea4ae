//! The form sender: the port [`FormSender`] over the [`WebhookClient`], by which tokens are asked for.
//!
//! A form goes the way of every request: the address guard judges its URL, and the same limits hold. It logs a refused address
//! (`token.blocked`), which no tenant may read.

use http::{HeaderMap, HeaderValue, Method, header};
use tracing::warn;

use crate::{
    WebhookClient,
    http_request::HttpRequest,
    request_sender::{USER_AGENT, send_outcome, unsendable_outcome},
};
use loanhook_core::ports::{FormRequest, FormSender, NotSent, SendOutcome};

impl FormSender for WebhookClient {
    async fn post_form(&self, form: FormRequest) -> Result<SendOutcome, NotSent> {
        let headers = match form_headers(form.authorization.as_deref()) {
            Ok(headers) => headers,
            Err(error) => return Ok(unsendable_outcome(&error)),
        };
        let tenant = form.tenant.clone();
        let request = HttpRequest {
            tenant: form.tenant,
            fresh_connection: form.fresh_connection,
            address_offset: 0,
            method: Method::POST,
            url: form.url,
            headers,
            body: form.body,
            tls: form.tls,
            timeout: form.timeout,
            spent: form.spent,
        };
        let outcome = self.send_http(request).await?;
        if let Some(refusal) = &outcome.refusal {
            warn!(tenant = tenant.as_str(), %refusal, "token.blocked");
        }
        Ok(send_outcome(outcome))
    }
}

fn form_headers(authorization: Option<&str>) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::with_capacity(5);
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(header::CONTENT_TYPE, form);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(authorization)?);
    }
    Ok(headers)
}
