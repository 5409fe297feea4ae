//! The exchange of client credentials for a token (RFC 6749, 4.4): the form that is posted, and what its answer says.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use url::form_urlencoded;

use crate::hidden_secrets::HiddenSecrets;
use crate::model::failure::{ErrorKind, Failure, Phase};
use crate::model::id::TenantId;
use crate::model::subscription::{ClientStyle, OAuth2, Tls, basic_authorization};
use crate::model::time::Timestamp;
use crate::ports::{FormRequest, FormSender, NotSent, ReceivedResponse};

/// A longer answer of a token endpoint is not read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// A longer token is not sent.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How long a token counts as valid whose answer does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// So long before its end a token is not used any more, or a tenth of its lifetime where that is less.
const MARGIN: Duration = Duration::from_secs(30);
/// How much of what a token endpoint says of itself stands in a detail, in characters.
const MAX_QUOTED_CHARS: usize = 120;
/// What `application/x-www-form-urlencoded` leaves as it is.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// A token that was just issued.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    pub value: String,
    lifetime: Duration,
}

impl IssuedToken {
    /// Until when a token may be used that was issued at this time.
    pub(super) fn use_until(&self, at: Timestamp) -> Timestamp {
        at + (self.lifetime - MARGIN.min(self.lifetime / 10))
    }
}

/// What came of an exchange.
pub struct Exchanged {
    pub result: Result<IssuedToken, Failure>,
    /// What the token endpoint sent back where it refused, with our secrets hidden.
    pub answer: Option<ReceivedResponse>,
}

/// Asks a token endpoint for a token, within a timeout of which so much is `spent`. A connection that turned out to be closed is
/// replaced once: asking twice does no harm.
///
/// # Errors
///
/// When nothing was sent, because this machine lacked something.
pub async fn exchange<F: FormSender>(
    sender: &F,
    tenant: &TenantId,
    oauth2: &OAuth2,
    tls: Option<&Arc<Tls>>,
    (timeout, spent): (Duration, Duration),
) -> Result<Exchanged, NotSent> {
    let (authorization, body) = form(oauth2);
    let mut form = FormRequest {
        tenant: tenant.clone(),
        url: oauth2.token_url.clone(),
        authorization,
        body: body.into(),
        tls: tls.cloned(),
        fresh_connection: false,
        timeout,
        spent,
    };
    let mut sent = sender.post_form(form.clone()).await?;
    if sent.result.as_ref().is_err_and(|failure| failure.kind == ErrorKind::Interrupted) {
        form.fresh_connection = true;
        form.spent += sent.elapsed;
        sent = sender.post_form(form).await?;
    }
    let status = match sent.result {
        Ok(status) => status,
        Err(failure) => return Ok(Exchanged { result: Err(unanswered(&failure, oauth2)), answer: None }),
    };
    let body = sent.response.as_ref().map(|response| response.body.as_ref()).unwrap_or_default();
    let secrets = HiddenSecrets::of_oauth2(oauth2);
    let result = issued(status, body).map_err(|said| {
        let detail = format!("no token could be had: {} {said}", endpoint(oauth2));
        let detail = format!("{}; nothing was sent to the receiver", secrets.hide_text(&detail));
        Failure::at(Phase::Prepare, ErrorKind::Auth, detail)
    });
    // An answer that has a token, whatever is wrong with it, is not kept.
    let mut answer = sent.response.filter(|_| !(200..300).contains(&status));
    secrets.hide(&mut answer);
    Ok(Exchanged { result, answer })
}

/// The header `Authorization` and the body.
fn form(oauth2: &OAuth2) -> (Option<String>, String) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if !oauth2.scopes.is_empty() {
        form.append_pair("scope", &oauth2.scopes.join(" "));
    }
    let authorization = match oauth2.style {
        // Both are encoded as in a form before they are joined.
        ClientStyle::Basic => {
            Some(basic_authorization(&form_encoded(&oauth2.client_id), &form_encoded(&oauth2.client_secret)))
        }
        ClientStyle::Post => {
            form.append_pair("client_id", &oauth2.client_id);
            form.append_pair("client_secret", &oauth2.client_secret);
            None
        }
    };
    form.extend_pairs(&oauth2.parameters);
    (authorization, form.finish())
}

/// A value as `application/x-www-form-urlencoded` has it.
pub(crate) fn form_encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

fn endpoint(oauth2: &OAuth2) -> String {
    let url = url::Url::parse(&oauth2.token_url).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    format!("the token endpoint {}", host.chars().take(100).collect::<String>())
}

/// What is wrong with an answer, or the token in it.
fn issued(status: u16, body: &[u8]) -> Result<IssuedToken, String> {
    #[derive(Deserialize)]
    struct Issued {
        access_token: String,
        token_type: Option<String>,
        /// Some servers write it as text.
        expires_in: Option<serde_json::Value>,
    }
    if !(200..300).contains(&status) {
        return Err(refusal(status, body));
    }
    if body.len() > MAX_ANSWER_BYTES {
        return Err(format!("answered {status} with more than 64 KiB"));
    }
    let issued: Issued = serde_json::from_slice(body).map_err(|_| {
        format!("answered {status} without a token: its body is no JSON object with access_token")
    })?;
    if issued.token_type.as_ref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("gave a token of another type than bearer".into());
    }
    let token = issued.access_token;
    if !(1..=MAX_TOKEN_BYTES).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("gave a token that cannot stand in a header".into());
    }
    let seconds = issued.expires_in.as_ref().and_then(|value| match value {
        serde_json::Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    });
    let lifetime = seconds.map_or(DEFAULT_LIFETIME, |seconds| {
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME)
    });
    Ok(IssuedToken { value: token, lifetime })
}

/// What a token endpoint says that gives no token (RFC 6749, 5.2).
fn refusal(status: u16, body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    struct Refusal {
        #[serde(default)]
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let said = body.get(..body.len().min(MAX_ANSWER_BYTES)).unwrap_or_default();
    let Refusal { error, error_description } = serde_json::from_slice(said).unwrap_or_default();
    let mut text = format!("answered {status}");
    for (said, before) in [(error, ": "), (error_description, ", ")] {
        let quoted: String = said.chars().filter(|c| !c.is_control()).take(MAX_QUOTED_CHARS).collect();
        if !quoted.is_empty() {
            text.push_str(before);
            text.push_str(&quoted);
        }
    }
    text
}

/// The failure of an attempt whose token endpoint gave no answer.
fn unanswered(failure: &Failure, oauth2: &OAuth2) -> Failure {
    let endpoint = endpoint(oauth2);
    let told = failure.detail.split("; nothing ").next().unwrap_or_default();
    let told = told.replace("the receiver", "the token endpoint").replace("the destination", &endpoint);
    let (kind, detail) = match failure.kind {
        ErrorKind::Blocked => (ErrorKind::Blocked, told),
        ErrorKind::Dns | ErrorKind::Connect | ErrorKind::Tls => {
            (ErrorKind::Auth, format!("no token could be had: {told}"))
        }
        ErrorKind::Timeout => {
            (ErrorKind::Auth, format!("no token could be had: {endpoint} did not answer in time"))
        }
        _ => (ErrorKind::Auth, format!("no token could be had: {endpoint} gave no whole answer")),
    };
    Failure::at(Phase::Prepare, kind, format!("{detail}; nothing was sent to the receiver"))
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
