//! Subscription: the settings of one webhook, in one version.

mod auth;
mod changes;
mod compiled;
mod credentials;
mod criteria_input;
mod headers;
mod input;
mod matching;
mod tls;
mod url_text;
mod write_only;

use std::collections::BTreeMap;
use std::str::FromStr;

pub use auth::{Auth, AuthInput, AuthKind, ClientStyle, OAuth2, basic_authorization};
pub use changes::{Setting, SettingChange, SettingValue, changes};
pub use compiled::CompiledCache;
pub use credentials::{Origin, may_keep_credentials};
pub use headers::MAX_HEADERS;
pub(super) use headers::is_header_value;
pub use headers::value_fault;
pub use input::{
    CriteriaInput, DEFAULT_CONTENT_TYPE, DEFAULT_TIMEOUT_SECONDS, RequestInput, SubscriptionInput,
};
pub use matching::MatchResult;
pub use tls::{ClientCertificate, Tls, TlsInput, notice_days};
pub use url_text::{MAX_URL, url_fault};

use super::flow::FlowSettings;
use super::id::{SubscriptionId, TenantId};
use super::operational::OperationalKind;
use super::retry::RetryPolicy;
use super::secret::Secrets;
use super::time::Timestamp;

/// The most subscriptions a tenant can have.
pub const MAX_SUBSCRIPTIONS: usize = 200;

/// One webhook of a tenant, in one version of its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub tenant: TenantId,
    /// 1 for the first; every change makes a new one.
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The name of the key, or of the viewer of a page, that made this version. None where an earlier loanhook stored it.
    pub updated_by: Option<String>,
    pub settings: Settings,
    pub secrets: Secrets,
}

/// What the author of a subscription sets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name a servicer knows the webhook by; the event title of its rows.
    pub title: String,
    pub description: String,
    pub enabled: bool,
    pub criteria: Criteria,
    /// A formula that must also be true.
    pub restriction: Option<String>,
    pub request: Request,
    pub retry: RetryPolicy,
    /// 1 to 30, over the whole request.
    pub timeout_seconds: u32,
    pub flow: FlowSettings,
    /// Its formulas, templates and names of events, once they were read.
    pub compiled: CompiledCache,
}

/// Two are the same where what the author set is: what was read from it follows.
impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            title,
            description,
            enabled,
            criteria,
            restriction,
            request,
            retry,
            timeout_seconds,
            flow,
            compiled: _,
        } = self;
        (title, description, enabled, criteria, restriction)
            == (&other.title, &other.description, &other.enabled, &other.criteria, &other.restriction)
            && (request, retry, timeout_seconds, flow)
                == (&other.request, &other.retry, &other.timeout_seconds, &other.flow)
    }
}

/// Which events a subscription is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criteria {
    /// Names of events; `*` is all.
    Events(Vec<String>),
    /// A formula over the loan's variables.
    Trigger {
        trigger: String,
        fire: Fire,
        /// The version of the subscription since which it has this trigger: what is remembered of it is from
        /// then on.
        since: u64,
    },
    /// Operational events of these kinds. It is for no event of a loan.
    Operational(Vec<OperationalKind>),
}

/// When a trigger fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fire {
    /// When it is true for a loan, and was not at the event before.
    OnChange,
    /// At each event at which it is true.
    EveryMatch,
}

impl Criteria {
    /// The criteria of the next version of a subscription: what is remembered of a trigger is forgotten where
    /// they change.
    pub fn carry_over_since(&mut self, before: &Self, version: u64) {
        let Self::Trigger { trigger, fire, since } = self else { return };
        *since = match before {
            Self::Trigger { trigger: was, fire: fired, since } if was == trigger && fired == fire => *since,
            _ => version,
        };
    }
}

/// The request that a matched event becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    /// Header names and the templates of their values. Values are secrets: they are shown to nobody. Those without placeholders
    /// are credentials.
    pub headers: BTreeMap<String, String>,
    pub content_type: String,
    /// A template of the body; none sends the event's name and context.
    pub payload: Option<String>,
    /// Goes without a header `Authorization`.
    pub auth: Option<Auth>,
    pub tls: Option<Tls>,
}

impl Request {
    /// Every part of it that is a secret: whatever is sealed where it is stored, and shown to nobody. All are header values,
    /// the password, the client secret, the values of parameters, and the key of the client certificate.
    pub fn secret_texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let headers = self.headers.values_mut();
        let auth = self.auth.iter_mut().flat_map(Auth::secret_texts_mut);
        let key = self.tls.iter_mut().filter_map(|tls| tls.client.as_mut()).map(|client| &mut client.key);
        headers.chain(auth).chain(key)
    }
}

/// The methods of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request without a payload template carries the event as its body.
    pub const fn carries_event(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

impl FromStr for Method {
    type Err = ();

    /// A method by its name, in capitals.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|method| method.name() == text).ok_or(())
    }
}
