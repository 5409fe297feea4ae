//! Access rules: which claim with which value gives which scopes of which tenant.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::claims::Claims;
use loanhook_core::model::id::TenantId;
use loanhook_core::model::key::Scope;
use loanhook_core::portal::PERSON_SCOPES;

/// A rule, such as `groups=servicing acme history:read,webhooks:resend`.
///
/// The claim is a name, or a JSON pointer where it begins with a slash (`/realm_access/roles`). It matches where it is the value, or
/// a list with it. The tenant and the scopes are the last two words, so that a value may have spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRule {
    pub(crate) claim: String,
    value: String,
    tenant: TenantId,
    scopes: Vec<Scope>,
}

/// What rules give a person in one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub tenant: TenantId,
    /// In the order of [`PERSON_SCOPES`], each once.
    pub scopes: Vec<Scope>,
}

/// Why a text is no access rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRuleError {
    #[error(
        "`{0}` is no rule such as `groups=servicing acme history:read,webhooks:resend`: CLAIM=VALUE, tenant, scopes"
    )]
    Form(String),
    #[error("`{rule}`: `{tenant}` is no tenant: a-z, 0-9 and -, at most 64 of them")]
    Tenant { rule: String, tenant: String },
    #[error("`{rule}`: no page needs `{scope}`; the scopes are {}", scope_names())]
    Scope { rule: String, scope: String },
}

fn scope_names() -> String {
    PERSON_SCOPES.map(Scope::name).join(", ")
}

impl FromStr for AccessRule {
    type Err = AccessRuleError;

    fn from_str(text: &str) -> Result<Self, AccessRuleError> {
        let rule = || text.trim().to_owned();
        let wrong = || AccessRuleError::Form(rule());
        let (rest, scopes) = text.trim().rsplit_once(char::is_whitespace).ok_or_else(wrong)?;
        let (condition, tenant) = rest.trim_end().rsplit_once(char::is_whitespace).ok_or_else(wrong)?;
        let (claim, value) = condition.trim().split_once('=').ok_or_else(wrong)?;
        if claim.is_empty() || value.is_empty() || claim.contains(char::is_whitespace) {
            return Err(wrong());
        }
        let named = TenantId::try_from(tenant.to_owned());
        let named = named.map_err(|_| AccessRuleError::Tenant { rule: rule(), tenant: tenant.into() })?;
        let scope = |name: &str| {
            let usable = name.parse().ok().filter(|scope| PERSON_SCOPES.contains(scope));
            usable.ok_or_else(|| AccessRuleError::Scope { rule: rule(), scope: name.into() })
        };
        let scopes = scopes.split(',').map(scope).collect::<Result<_, _>>()?;
        Ok(Self { claim: claim.into(), value: value.into(), tenant: named, scopes })
    }
}

/// The text that it is read from, with one space between its parts.
impl fmt::Display for AccessRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scopes: Vec<_> = self.scopes.iter().map(|scope| scope.name()).collect();
        write!(f, "{}={} {} {}", self.claim, self.value, self.tenant, scopes.join(","))
    }
}

/// The rules of a setting: one a line, or with semicolons between them.
///
/// # Errors
///
/// The first that is no rule.
pub fn read_rules(text: &str) -> Result<Vec<AccessRule>, AccessRuleError> {
    text.split([';', '\n']).map(str::trim).filter(|rule| !rule.is_empty()).map(str::parse).collect()
}

impl AccessRule {
    /// Whether it matches. A mail address counts only where the provider has verified it: else anybody could claim any.
    fn matches(&self, claims: &Claims) -> bool {
        claims.has(&self.claim, &self.value) && (!self.is_of_mail() || claims.has_verified_mail())
    }

    /// Whether its claim is the mail address, by its name or by a pointer.
    pub(crate) fn is_of_mail(&self) -> bool {
        self.claim == "email" || self.claim == "/email" || self.claim.starts_with("/email/")
    }
}

/// What rules give for these claims: the tenants in order, each with what all its rules give together. A tenant whose history may
/// not be read is left out: no page would open.
pub(crate) fn access(rules: &[AccessRule], claims: &Claims) -> Vec<Access> {
    let mut given: BTreeMap<&str, Access> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.matches(claims)) {
        let access = given.entry(rule.tenant.as_str());
        let access = access.or_insert_with(|| Access { tenant: rule.tenant.clone(), scopes: Vec::new() });
        access.scopes.extend(&rule.scopes);
    }
    let in_order = |access: Access| {
        let scopes = PERSON_SCOPES.into_iter().filter(|scope| access.scopes.contains(scope)).collect();
        Access { scopes, ..access }
    };
    let readable = |access: &Access| access.scopes.contains(&Scope::HistoryRead);
    given.into_values().map(in_order).filter(readable).collect()
}
