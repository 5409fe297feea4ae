//! Changes between two versions of the settings of a webhook: setting by setting, with both values, but for secrets.

mod values;

use std::collections::BTreeMap;

use self::values::{Value, values};
use super::Settings;

/// A setting of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    Title,
    Description,
    Enabled,
    Events,
    Trigger,
    Fire,
    OperationalEvents,
    Restriction,
    Method,
    Url,
    /// One header; its name is the member.
    Header,
    ContentType,
    Payload,
    AuthKind,
    Username,
    Password,
    TokenUrl,
    ClientId,
    ClientSecret,
    TokenScopes,
    ClientStyle,
    /// One parameter of the request for a token; its name is the member.
    TokenParameter,
    ClientCertificate,
    ClientKey,
    Authorities,
    Retry,
    Timeout,
    MaxInFlight,
    MaxPerSecond,
    Order,
    StepAside,
    HoldAfterFailures,
}

/// A setting that differs between two versions.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingChange {
    pub setting: Setting,
    /// The name of a header or a parameter; empty of other settings.
    pub member: String,
    /// None where the version before had none.
    pub before: Option<SettingValue>,
    /// None where the version after has none.
    pub after: Option<SettingValue>,
}

/// What of a value may be shown.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// A short text: a name, a number, a list.
    Text(String),
    /// A formula or a template, which may have several lines.
    Lines(String),
    /// A URL or the template of one, whole: the values of its query may be secrets.
    Url(String),
    /// A secret, or what nobody compares by reading it.
    Hidden,
}

/// What differs, in the order of [`Setting`] and by name within it.
pub fn changes(before: &Settings, after: &Settings) -> Vec<SettingChange> {
    let (mut before, after) = (values(before), values(after));
    let mut changed: BTreeMap<(Setting, String), SettingChange> = BTreeMap::new();
    let mut add =
        |(setting, member): (Setting, String), before: Option<Value<'_>>, after: Option<Value<'_>>| {
            if before != after {
                let [before, after] = [before, after].map(|value| value.map(SettingValue::from));
                let change = SettingChange { setting, member: member.clone(), before, after };
                changed.insert((setting, member), change);
            }
        };
    for (of, value) in after {
        let was = before.remove(&of);
        add(of, was, Some(value));
    }
    for (of, was) in before {
        add(of, Some(was), None);
    }
    changed.into_values().collect()
}

#[cfg(test)]
#[path = "../changes_tests.rs"]
mod tests;
