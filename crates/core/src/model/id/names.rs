//! Names of tenants and loans.

use std::fmt;
use std::sync::Arc;

use crate::model::validation::name_error;

/// Whose things these are: `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

impl TenantId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err("must be 1 to 64 of the characters a-z, 0-9 and -".into())
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A loan, as the servicing platform names it: 1 to 256 characters that can stand in a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoanId(Arc<str>);

impl LoanId {
    /// What stands for the loan of operational events, which belong to none. No loan has this name, since `#` cannot stand in
    /// one; it is shown to nobody: see [`shown`](Self::shown).
    const OPERATIONAL: &str = "#operational";

    /// The ID under which operational events are stored.
    pub fn operational() -> Self {
        Self(Self::OPERATIONAL.into())
    }

    /// Whether it stands for the loan of operational events.
    pub fn is_operational(&self) -> bool {
        &*self.0 == Self::OPERATIONAL
    }

    /// As readers and receivers are shown it: none of operational events.
    pub fn shown(&self) -> Option<&str> {
        (!self.is_operational()).then_some(&*self.0)
    }

    /// The ID that was stored as this text: a loan, or what stands for that of operational events.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn stored(text: String) -> Result<Self, String> {
        if text == Self::OPERATIONAL { Ok(Self::operational()) } else { Self::try_from(text) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LoanId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(fault) = name_error(&text) {
            return Err(fault);
        }
        if text.contains(['/', '\\', '?', '#', '%']) || text == "." || text == ".." {
            return Err("must have none of / \\ ? # % and not be . or .., as it stands in paths".into());
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for LoanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
