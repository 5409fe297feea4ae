//! Whose session a page was made for, as a text that tells nothing of it.
//!
//! A servicer opens the same loan again and again, and each time the session is another one under the same
//! cookie. The tabs that are open already go on, because what their forms carry is derived from what a session
//! allows and to whom, and not from the session: it is the same for all sessions of a viewer that one key made
//! for a loan, and differs with the tenant, the loan, the viewer, what they may do and the key. Nobody without
//! the hash of that key can make one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::LoanId;

/// What each form carries: nobody who does not see the page knows it.
pub(super) fn csrf(grant: &Grant) -> String {
    keyed("form", grant)
}

/// What a page says of whom it was made for, so that the script knows another's.
pub(super) fn tag(grant: &Grant) -> String {
    keyed("page", grant)
}

fn keyed(purpose: &str, grant: &Grant) -> String {
    let mut block = [0; 64];
    block[..grant.key.0.len()].copy_from_slice(&grant.key.0);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    // No loan has an empty name.
    let loan = grant.loan.as_ref().map_or("", LoanId::as_str);
    let scopes = grant.scopes.iter().map(|scope| scope.name());
    for part in [purpose, grant.tenant.as_str(), loan, &grant.name].into_iter().chain(scopes) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::grant::GrantKind;
    use loanhook_core::model::id::TenantId;
    use loanhook_core::model::key::{KeyHash, Scope};
    use loanhook_core::model::time::Timestamp;

    #[test]
    fn all_that_a_session_allows_is_in_it_and_when_it_ends_is_not() {
        let loan = |text: &str| LoanId::try_from(text.to_owned()).ok();
        let grant = Grant {
            kind: GrantKind::Session,
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            loan: loan("727"),
            scopes: vec![Scope::HistoryRead, Scope::WebhooksResend],
            name: "Jane".into(),
            until: Timestamp::from_millis(1),
            key: KeyHash::of("a key"),
        };
        let later = Grant { until: Timestamp::from_millis(2), ..grant.clone() };
        assert_eq!((csrf(&grant), tag(&grant)), (csrf(&later), tag(&later)));
        assert_ne!(csrf(&grant), tag(&grant));
        for other in [
            Grant { tenant: TenantId::try_from("acme7".to_owned()).expect("a tenant"), ..grant.clone() },
            Grant { loan: loan("728"), ..grant.clone() },
            Grant { loan: None, ..grant.clone() },
            Grant { name: "Joe".into(), ..grant.clone() },
            Grant { scopes: vec![Scope::HistoryRead], ..grant.clone() },
            Grant { key: KeyHash::of("another key"), ..grant.clone() },
        ] {
            assert_ne!(csrf(&grant), csrf(&other), "{other:?}");
            assert_ne!(tag(&grant), tag(&other), "{other:?}");
        }
    }
}
