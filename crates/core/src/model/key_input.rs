//! An API key as a caller asks for it, and the rules it must keep.

use super::id::TenantId;
use super::key::{Key, Scope};
use super::time::Timestamp;
use super::validation::{ValidationErrors, name_error};

/// A key, before any rule was checked.
#[derive(Debug)]
pub struct KeyInput {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// RFC 3339; none is a key that does not end by itself.
    pub expires_at: Option<String>,
}

/// A key that keeps the rules and is not made yet.
#[derive(Debug)]
pub struct NewKey {
    pub name: String,
    /// In their order, each once.
    pub scopes: Vec<Scope>,
    pub expires_at: Option<Timestamp>,
}

impl KeyInput {
    /// The key, if it keeps every rule.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, each with the JSON pointer of its field.
    pub fn check(self, now: Timestamp) -> Result<NewKey, ValidationErrors> {
        let Self { name, mut scopes, expires_at } = self;
        let mut errors = ValidationErrors::default();
        if let Some(fault) = name_error(&name) {
            errors.add("/name", fault);
        }
        if scopes.is_empty() {
            errors.add("/scopes", "must name at least one scope");
        }
        let expires_at = expires_at.and_then(|text| match text.parse::<Timestamp>() {
            Ok(end) if end > now => Some(end),
            Ok(_) => {
                errors.add("/expiresAt", "must be in the future");
                None
            }
            Err(_) => {
                errors.add("/expiresAt", "must be a time such as 2027-01-01T00:00:00Z (RFC 3339)");
                None
            }
        });
        scopes.sort_unstable();
        scopes.dedup();
        errors.ok_or_errors(NewKey { name, scopes, expires_at })
    }
}

impl NewKey {
    /// The key of a tenant that a call of the API makes now.
    pub fn of(self, tenant: TenantId, now: Timestamp) -> Key {
        Key { expires_at: self.expires_at, ..Key::new(tenant, self.name, self.scopes, now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    fn input(expires_at: Option<&str>) -> KeyInput {
        let scopes = vec![Scope::Admin, Scope::EventsWrite, Scope::Admin];
        KeyInput { name: "LMS".into(), scopes, expires_at: expires_at.map(str::to_owned) }
    }

    #[test]
    fn scopes_have_an_order_and_stand_once() {
        let key = input(None).check(NOW).expect("a good key");
        assert_eq!((key.scopes, key.expires_at), (vec![Scope::EventsWrite, Scope::Admin], None));
    }

    #[test]
    fn every_fault_is_told() {
        let wrong = KeyInput { name: String::new(), scopes: Vec::new(), ..input(Some("tomorrow")) };
        let errors = wrong.check(NOW).expect_err("all wrong");
        let pointers: Vec<_> = errors.0.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name", "/scopes", "/expiresAt"]);
        let past = input(Some(&NOW.to_string())).check(NOW).expect_err("its end is not in the future");
        assert_eq!(past, ValidationErrors::one("/expiresAt", "must be in the future"));
    }
}
