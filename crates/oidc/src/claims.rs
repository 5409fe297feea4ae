//! Claims: what a provider says of a person, as the JSON that it signed or answered.

use serde_json::{Map, Value};

use loanhook_core::model::validation::name_error;

/// Where the name of a person is looked for, in order. Several people can have the same.
const NAMES: [&str; 2] = ["name", "preferred_username"];
/// The mail address of a person, and whether the provider has verified it: they count together.
const MAIL: [&str; 2] = ["email", "email_verified"];
/// The longest name of a person that is shown, in characters: what tells the person from others goes with it.
const MAX_NAME: usize = 100;

/// The claims of a person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    pub(crate) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// The claim of this name, or at this JSON pointer where it begins with a slash.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        if !name.starts_with('/') {
            return self.0.get(name);
        }
        let mut segments = name[1..].split('/').map(|segment| segment.replace("~1", "/").replace("~0", "~"));
        let first = self.0.get(&segments.next()?)?;
        segments.try_fold(first, |value, segment| match value {
            Value::Array(values) => values.get(segment.parse::<usize>().ok()?),
            _ => value.get(&segment),
        })
    }

    /// The text of a claim.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether a claim is this text, or a list with it.
    pub(crate) fn has(&self, name: &str, wanted: &str) -> bool {
        match self.get(name) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(wanted)),
            _ => false,
        }
    }

    /// Whether the provider has verified the mail address.
    pub(crate) fn has_verified_mail(&self) -> bool {
        self.get("email_verified").is_some_and(|it| *it == true || *it == "true")
    }

    /// What the person is called: a name, and what nobody else at the provider has, which is the verified mail address, or else the
    /// subject. At most 256 characters, none of them a control character. None where neither can be shown.
    pub(crate) fn display_name(&self) -> Option<String> {
        let shown =
            |name: &'static str| self.text(name).map(str::trim).filter(|text| name_error(text).is_none());
        let mail = shown("email").filter(|_| self.has_verified_mail());
        let own = mail.or_else(|| shown("sub"))?;
        let name = NAMES.into_iter().find_map(shown).filter(|name| *name != own);
        let Some(name) = name else { return Some(own.to_owned()) };
        let name: String = name.chars().take(MAX_NAME).collect();
        let both = format!("{name} ({own})");
        Some(if name_error(&both).is_none() { both } else { own.to_owned() })
    }

    /// The names of all claims, in order, with spaces between them.
    pub(crate) fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Adds the claims of these that are not here: what was signed stays. A mail address of which was not signed whether it is verified
    /// is exchanged for that of these, with what they say of it.
    pub(crate) fn add_missing(&mut self, others: Self) {
        if MAIL.into_iter().any(|name| self.get(name).is_none()) && others.get("email").is_some() {
            for name in MAIL {
                self.0.remove(name);
            }
        }
        let has_mail = self.get("email").is_some();
        let others = others.0.into_iter().filter(|(name, _)| !has_mail || name != "email_verified");
        for (name, value) in others {
            self.0.entry(name).or_insert(value);
        }
    }
}
