//! The settings of a subscription as its author gives them, and the rules they must keep.

use std::collections::BTreeMap;

use super::auth::check_auth;
use super::headers::{check_headers, is_header_value};
use super::tls::check_tls;
use super::url_text::url_fault;
use super::write_only::Moved;
use super::{
    Auth, AuthInput, CompiledCache, Fire, Method, Request, Settings, TlsInput, may_keep_credentials,
};
use crate::model::flow::{DeliveryOrder, FlowSettings};
use crate::model::retry::{RetryInput, RetryPolicy};
use crate::model::template::{Target, Template};
use crate::model::validation::{ValidationErrors, name_error};
use loanhook_formula::Formula;

/// The time that a webhook may take where its author does not say, in seconds.
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 15;
/// The content type of a webhook where its author does not say.
pub const DEFAULT_CONTENT_TYPE: &str = "application/json";

/// The settings of a webhook, before any rule was checked.
#[derive(Debug, Clone)]
pub struct SubscriptionInput {
    pub title: String,
    pub description: String,
    pub enabled: bool,
    pub criteria: CriteriaInput,
    /// A formula that must also be true.
    pub restriction: Option<String>,
    pub request: RequestInput,
    /// None is [`RetryPolicy::default`].
    pub retry: Option<RetryInput>,
    /// For the whole request.
    pub timeout_seconds: u32,
    pub flow: FlowSettings,
}

/// Which events a subscription is for: names of events, a trigger, or kinds of operational events.
#[derive(Debug, Clone, Default)]
pub struct CriteriaInput {
    /// Names of events; `*` is all.
    pub events: Option<Vec<String>>,
    /// A formula over the loan's variables.
    pub trigger: Option<String>,
    /// When a trigger fires; none is [`Fire::OnChange`].
    pub fire: Option<Fire>,
    /// Names of operational events.
    pub operational: Option<Vec<String>>,
}

/// The request that a matched event becomes.
#[derive(Debug, Clone)]
pub struct RequestInput {
    pub method: Method,
    /// A template.
    pub url: String,
    /// Names and templates of values; the value `***` keeps the stored one.
    pub headers: BTreeMap<String, String>,
    pub content_type: String,
    /// A template of the body; none sends the event's name and context.
    pub payload: Option<String>,
    pub auth: Option<AuthInput>,
    pub tls: Option<TlsInput>,
}

impl SubscriptionInput {
    /// The settings of an enabled webhook that has the default of everything else.
    pub fn with_defaults(title: String, criteria: CriteriaInput, url: String) -> Self {
        let request = RequestInput {
            method: Method::Post,
            url,
            headers: BTreeMap::new(),
            content_type: DEFAULT_CONTENT_TYPE.into(),
            payload: None,
            auth: None,
            tls: None,
        };
        Self {
            title,
            description: String::new(),
            enabled: true,
            criteria,
            restriction: None,
            request,
            retry: None,
            timeout_seconds: DEFAULT_TIMEOUT_SECONDS,
            flow: FlowSettings::default(),
        }
    }
}

impl SubscriptionInput {
    /// The settings, if they keep every rule. `stored` are those that they replace, whose header values `***` keeps.
    ///
    /// # Errors
    ///
    /// All that is wrong with them, each with the JSON pointer of its field.
    pub fn check(self, stored: Option<&Settings>) -> Result<Settings, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        if let Some(fault) = name_error(&self.title) {
            errors.add("/title", fault);
        }
        if self.description.chars().count() > 4096 {
            errors.add("/description", "must have at most 4096 characters");
        }
        if let Some(Err(error)) = self.restriction.as_deref().map(Formula::parse) {
            errors.add_formula("/restriction", &error);
        }
        if !(1..=30).contains(&self.timeout_seconds) {
            errors.add("/timeoutSeconds", "must be 1 to 30 seconds");
        }
        self.flow.check(&mut errors);
        if self.criteria.operational.is_some() && self.flow.order == DeliveryOrder::Loan {
            errors.add("/flow/order", "must be none: operational events belong to no loan");
        }
        let settings = Settings {
            criteria: self.criteria.check(&mut errors),
            request: self.request.check(stored.map(|stored| &stored.request), &mut errors),
            retry: self.retry.map_or_else(RetryPolicy::default, |retry| retry.check(&mut errors)),
            title: self.title,
            description: self.description,
            enabled: self.enabled,
            restriction: self.restriction,
            timeout_seconds: self.timeout_seconds,
            flow: self.flow,
            compiled: CompiledCache::default(),
        };
        errors.ok_or_errors(settings)
    }
}

impl RequestInput {
    fn check(self, stored: Option<&Request>, errors: &mut ValidationErrors) -> Request {
        let is_url = check_url(&self.url, errors);
        let moved = is_url && stored.is_some_and(|stored| !may_keep_credentials(&stored.url, &self.url));
        let moved = if moved { Moved::Url } else { Moved::Nowhere };
        let token_moved = self.token_url_moved(stored);
        if self.content_type.is_empty() || !is_header_value(&self.content_type) {
            errors.add("/request/contentType", "must be a media type, such as application/json");
        }
        if let Some(payload) = &self.payload
            && let Err(error) = Template::parse(payload, Target::body(&self.content_type))
        {
            errors.add_at("/request/payload", error.to_string(), error.at);
        }
        let moved = if moved == Moved::Nowhere && token_moved.another { Moved::TokenUrl } else { moved };
        // A client certificate is shown to the token endpoint too: one that is new is a new host for it.
        let key_moved = if moved == Moved::Nowhere && token_moved.new { Moved::TokenUrl } else { moved };
        let headers = check_headers(self.headers, stored, moved, errors);
        if self.auth.is_some() && headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")) {
            errors.add(
                "/request/auth",
                "goes without a header Authorization, and request.headers has one: leave out one of the two",
            );
        }
        let stored_auth = stored.and_then(|stored| stored.auth.as_ref());
        let stored_tls = stored.and_then(|stored| stored.tls.as_ref());
        Request {
            method: self.method,
            url: self.url,
            headers,
            content_type: self.content_type,
            payload: self.payload,
            auth: self.auth.map(|auth| check_auth(auth, stored_auth, moved, errors)),
            tls: self.tls.map(|tls| check_tls(tls, stored_tls, key_moved, errors)),
        }
    }

    fn token_url_moved(&self, stored: Option<&Request>) -> TokenUrlMoved {
        let told = self.auth.as_ref().and_then(|auth| auth.token_url.as_deref());
        let stored = stored.and_then(|stored| stored.auth.as_ref()).and_then(Auth::oauth2);
        match (told, stored) {
            (None, _) => TokenUrlMoved { another: false, new: false },
            (Some(_), None) => TokenUrlMoved { another: false, new: true },
            (Some(told), Some(stored)) => {
                let another = !may_keep_credentials(&stored.token_url, told);
                TokenUrlMoved { another, new: another }
            }
        }
    }
}

/// What a change does with the token URL.
struct TokenUrlMoved {
    /// There was one, and its scheme, host or port is another now.
    another: bool,
    /// It has a scheme, host or port that was not there before.
    new: bool,
}

/// Whether this can be the URL of requests; why it cannot is added to `errors`.
fn check_url(text: &str, errors: &mut ValidationErrors) -> bool {
    let fault = match Template::parse(text, Target::Url) {
        Ok(template) => url_fault(text, &template),
        Err(error) => {
            errors.add_at("/request/url", error.to_string(), error.at);
            return false;
        }
    };
    if let Some(fault) = fault {
        errors.add("/request/url", fault);
    }
    fault.is_none()
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
