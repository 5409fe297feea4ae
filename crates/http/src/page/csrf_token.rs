//! CSRF tokens of forms, and tags of viewers.
//!
//! Both are keyed hashes of what a session allows and to whom: the tenant, the loan, the viewer, the scopes and the key
//! that made the session. They do not depend on the session itself, so that a tab stays usable after its viewer opened
//! the loan again and has a new session under the same cookie. Nobody without the hash of that key can make them. A session that no
//! key made has a secret of its own in its place.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use loanhook_core::model::grant::Grant;
use loanhook_core::model::id::LoanId;

/// The token that each form carries: only who sees the page knows it.
pub(super) fn csrf_token(grant: &Grant) -> String {
    keyed_hash("form", grant)
}

/// The tag of the viewer that a page was made for, by which the script knows the page of another viewer.
pub(super) fn viewer_tag(grant: &Grant) -> String {
    keyed_hash("page", grant)
}

/// The signature of an ID that a form of the viewer names.
pub(super) fn signature(id: &str, grant: &Grant) -> String {
    keyed_hash(&format!("once {id}"), grant)
}

/// What says of a form that takes time to fill in whose it is: the same in each session of one person or key in one tenant. It permits
/// nothing.
pub(super) fn author_tag(grant: &Grant) -> String {
    hash_of(&grant.maker.id().0, ["author", grant.tenant.as_str()])
}

fn keyed_hash(purpose: &str, grant: &Grant) -> String {
    // No loan has an empty name.
    let loan = grant.loan.as_ref().map_or("", LoanId::as_str);
    let scopes = grant.scopes.iter().map(|scope| scope.name());
    let parts = [purpose, grant.tenant.as_str(), loan, &grant.name].into_iter().chain(scopes);
    hash_of(grant.maker.form_secret(), parts)
}

fn hash_of<'a>(secret: &[u8; 32], parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut block = [0; 64];
    block[..secret.len()].copy_from_slice(secret);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use loanhook_core::model::grant::{GrantKind, GrantMaker, Person};
    use loanhook_core::model::id::TenantId;
    use loanhook_core::model::key::{KeyHash, Scope};
    use loanhook_core::model::time::Timestamp;

    fn person(form_secret: [u8; 32]) -> GrantMaker {
        GrantMaker::Person(Person { id: KeyHash::of("a person"), form_secret, settings: None })
    }

    #[test]
    fn tokens_depend_on_what_a_session_allows_and_not_on_its_end() {
        let loan = |text: &str| LoanId::try_from(text.to_owned()).ok();
        let grant = Grant {
            kind: GrantKind::Session,
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            loan: loan("727"),
            scopes: vec![Scope::HistoryRead, Scope::WebhooksResend],
            name: "Jane".into(),
            until: Timestamp::from_millis(1),
            maker: GrantMaker::Key(KeyHash::of("a key")),
        };
        let later = Grant { until: Timestamp::from_millis(2), ..grant.clone() };
        assert_eq!((csrf_token(&grant), viewer_tag(&grant)), (csrf_token(&later), viewer_tag(&later)));
        assert_ne!(csrf_token(&grant), viewer_tag(&grant));
        for other in [
            Grant { tenant: TenantId::try_from("acme7".to_owned()).expect("a tenant"), ..grant.clone() },
            Grant { loan: loan("728"), ..grant.clone() },
            Grant { loan: None, ..grant.clone() },
            Grant { name: "Joe".into(), ..grant.clone() },
            Grant { scopes: vec![Scope::HistoryRead], ..grant.clone() },
            Grant { maker: GrantMaker::Key(KeyHash::of("another key")), ..grant.clone() },
            Grant { maker: person([1; 32]), ..grant.clone() },
        ] {
            assert_ne!(csrf_token(&grant), csrf_token(&other), "{other:?}");
            assert_ne!(viewer_tag(&grant), viewer_tag(&other), "{other:?}");
        }
        // A form is its author's in each session, in one tenant.
        let of_sessions = [[1; 32], [2; 32]].map(|secret| Grant { maker: person(secret), ..grant.clone() });
        assert_eq!(author_tag(&of_sessions[0]), author_tag(&of_sessions[1]));
        assert_ne!(author_tag(&of_sessions[0]), author_tag(&grant));
        let other_tenant =
            Grant { tenant: TenantId::try_from("acme7".to_owned()).expect("a tenant"), ..grant.clone() };
        assert_ne!(author_tag(&other_tenant), author_tag(&grant));
        let of_person = |secret| csrf_token(&Grant { maker: person(secret), ..grant.clone() });
        assert_ne!(of_person([1; 32]), of_person([2; 32]));
    }
}
