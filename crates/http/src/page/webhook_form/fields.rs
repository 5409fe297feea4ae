//! Fields of the form of a webhook: for each its name, its label, what it is for, the setting of the API that it stands for, and how it
//! is filled in. What is no single field, such as the rows of headers, is in `typed`.

use super::field::Control::{Choice, Line, Secret, SecretText, Switch, Text};
use super::field::{Control, Field};

const fn field(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    pointer: &'static str,
    control: Control,
) -> Field {
    Field { name, label, hint, pointer, control }
}

const TIME: &str = "A number with s, min, h or d, such as 5 min.";

pub(in crate::page) const ABOUT: &[Field] = &[
    field("title", "Title", "The name that people know the webhook by.", "/title", Line),
    field("description", "Description", "", "/description", Text(2)),
    field(
        "enabled",
        "Enabled",
        "A webhook that is not enabled is sent for no new event.",
        "/enabled",
        Switch,
    ),
];

pub(in crate::page) const TRIGGER: &[Field] = &[
    field(
        "trigger",
        "Formula",
        "In Clojure over the variables of the loan, such as (> status-days-past-due 30).",
        "/criteria/trigger",
        Text(4),
    ),
    field(
        "fire",
        "Fires",
        "",
        "/criteria/fire",
        Choice(&[
            ("on-change", "When the formula becomes true for the loan"),
            ("every-match", "At each event at which it is true"),
        ]),
    ),
];

pub(in crate::page) const RESTRICTION: &[Field] = &[field(
    "restriction",
    "Restriction",
    "A formula that must be true as well. Empty is none.",
    "/restriction",
    Text(2),
)];

pub(in crate::page) const REQUEST: &[Field] = &[
    field(
        "method",
        "Method",
        "",
        "/request/method",
        Choice(&[("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("GET", "GET"), ("DELETE", "DELETE")]),
    ),
    field("url", "URL", "It may have placeholders, such as [[v('loan-id')]].", "/request/url", Line),
    field("contentType", "Content type", "", "/request/contentType", Line),
];

pub(in crate::page) const TEMPLATE: &[Field] = &[field(
    "payload",
    "Template",
    "A text with placeholders, such as [[v('last-payment-amount')]]. Values are escaped for where they stand.",
    "/request/payload",
    Text(8),
)];

pub(in crate::page) const BASIC: &[Field] = &[
    field("username", "User name", "", "/request/auth/username", Line),
    field("password", "Password", "", "/request/auth/password", Secret),
];

pub(in crate::page) const OAUTH2: &[Field] = &[
    field("tokenUrl", "Token URL", "", "/request/auth/tokenUrl", Line),
    field("clientId", "Client ID", "", "/request/auth/clientId", Line),
    field("clientSecret", "Client secret", "", "/request/auth/clientSecret", Secret),
    field("scopes", "Scopes", "With spaces between them.", "/request/auth/scopes", Line),
    field(
        "style",
        "The client says who it is",
        "",
        "/request/auth/style",
        Choice(&[("basic", "By HTTP Basic"), ("post", "In the form")]),
    ),
];

pub(in crate::page) const TLS: &[Field] = &[
    field(
        "clientCertificate",
        "Client certificate",
        "The chain in PEM, its own certificate first. Empty is none.",
        "/request/tls/clientCertificate",
        Text(4),
    ),
    field("clientKey", "Key of the client certificate", "In PEM.", "/request/tls/clientKey", SecretText(4)),
    field(
        "ca",
        "Authorities",
        "In PEM: those that the receiver's certificate may be issued by, beside the public ones.",
        "/request/tls/ca",
        Text(4),
    ),
];

pub(in crate::page) const DELAYS: &[Field] = &[field(
    "delays",
    "Time before each retry",
    "With commas between them, such as 5 min, 30 min, 2 h. Empty is no retry.",
    "/retry/delays",
    Line,
)];

pub(in crate::page) const INTERVAL: &[Field] = &[
    field("interval", "Time before each retry", TIME, "/retry/interval", Line),
    field("maxRetries", "Retries at most", "", "/retry/maxRetries", Line),
];

pub(in crate::page) const EXPONENTIAL: &[Field] = &[
    field("base", "Time before the first retry", TIME, "/retry/exponential/base", Line),
    field("factor", "Each time so many times as long", "1 to 10.", "/retry/exponential/factor", Line),
    field("cap", "Longest time before a retry", TIME, "/retry/exponential/cap", Line),
    field("exponentialRetries", "Retries at most", "", "/retry/exponential/maxRetries", Line),
    field(
        "jitter",
        "Part by which a time is shortened at most",
        "0 to 1: retries of many webhooks then do not come together.",
        "/retry/exponential/jitter",
        Line,
    ),
];

pub(in crate::page) const TIMEOUT: &[Field] =
    &[field("timeoutSeconds", "Seconds for the whole request", "1 to 30.", "/timeoutSeconds", Line)];

pub(in crate::page) const FLOW: &[Field] = &[
    field("maxInFlight", "Requests under way at most", "Empty is no limit.", "/flow/maxInFlight", Line),
    field("maxPerSecond", "Requests a second at most", "Empty is no limit.", "/flow/maxPerSecond", Line),
    field(
        "order",
        "Order",
        "",
        "/flow/order",
        Choice(&[("none", "None"), ("loan", "Of a loan: each delivery waits for those before it")]),
    ),
    field(
        "stepAside",
        "With an order, a delivery that fails steps aside after",
        "A number with s, min, h or d. Empty: those behind it wait until it ends.",
        "/flow/stepAsideAfterSeconds",
        Line,
    ),
    field(
        "holdAfterFailures",
        "Held after so many failures in a row",
        "Empty is never.",
        "/flow/holdAfterFailures",
        Line,
    ),
];

/// The fields of each radio button: its value, its label, and the fields that go with it.
pub(in crate::page) type Alternatives = &'static [(&'static str, &'static str, &'static [Field])];

pub(in crate::page) const CRITERIA: &str = "criteria";
pub(in crate::page) const CRITERIA_KINDS: Alternatives = &[
    ("events", "Events that are picked", &[]),
    ("all", "Every event of a loan", &[]),
    ("trigger", "A formula (trigger), asked at every event", TRIGGER),
    ("operational", "Operational events: what happens to loanhook itself", &[]),
];
pub(in crate::page) const BODY: &str = "body";
pub(in crate::page) const BODY_KINDS: Alternatives = &[
    ("event", "The name of the event and its context (no body with GET and DELETE)", &[]),
    ("template", "A template", TEMPLATE),
];
pub(in crate::page) const AUTH: &str = "auth";
pub(in crate::page) const AUTH_KINDS: Alternatives = &[
    ("none", "None, or by a header", &[]),
    ("basic", "HTTP Basic", BASIC),
    ("oauth2", "OAuth 2.0, client credentials", OAUTH2),
];
pub(in crate::page) const RETRY: &str = "retry";
pub(in crate::page) const RETRY_KINDS: Alternatives = &[
    ("delays", "A list of times", DELAYS),
    ("interval", "Always the same time", INTERVAL),
    ("exponential", "Longer each time", EXPONENTIAL),
];

/// Every field.
pub(in crate::page) fn all() -> impl Iterator<Item = &'static Field> {
    [
        ABOUT,
        TRIGGER,
        RESTRICTION,
        REQUEST,
        TEMPLATE,
        BASIC,
        OAUTH2,
        TLS,
        DELAYS,
        INTERVAL,
        EXPONENTIAL,
        TIMEOUT,
        FLOW,
    ]
    .into_iter()
    .flatten()
}

/// The label of a field or of a group of them.
pub(in crate::page) fn label(name: &str) -> &'static str {
    let group = match name {
        CRITERIA => "Sent for",
        "event" => "Events",
        "otherEvents" => "Other events",
        "operational" => "Operational events",
        BODY => "Body",
        AUTH => "Authentication",
        RETRY => "Retries",
        "tryLoan" => "Loan",
        "tryContext" => "Sample variables",
        _ if name.starts_with("header") => "Headers",
        _ if name.starts_with("parameter") => "Parameters",
        _ => "",
    };
    all().find(|field| field.name == name).map_or(group, |field| field.label)
}
