use std::sync::Mutex;

use super::*;
use crate::model::id::TenantId;

/// A store with one grant, that says how often something was written.
#[derive(Default)]
struct OneGrant {
    grant: Mutex<Option<Grant>>,
    writes: Mutex<usize>,
}

const TOKEN: &str = "the token";

impl Grants for OneGrant {
    async fn add_grant(&self, _: KeyHash, grant: Grant, _: Timestamp) -> StoreResult<()> {
        *self.writes.lock().expect("the count") += 1;
        *self.grant.lock().expect("the grant") = Some(grant);
        Ok(())
    }

    async fn grant(&self, hash: KeyHash, _: Timestamp) -> StoreResult<Option<Grant>> {
        let grant = self.grant.lock().expect("the grant").clone();
        Ok(grant.filter(|_| hash == KeyHash::of(TOKEN)))
    }

    async fn end_grant(&self, _: KeyHash) -> StoreResult<()> {
        *self.writes.lock().expect("the count") += 1;
        *self.grant.lock().expect("the grant") = None;
        Ok(())
    }
}

#[tokio::test]
async fn ending_a_session_that_is_not_there_writes_nothing() {
    let now = Timestamp::from_millis(1);
    let session = Grant {
        kind: GrantKind::Session,
        tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
        loan: None,
        scopes: vec![Scope::HistoryRead],
        name: "Ann".into(),
        until: now,
        maker: GrantMaker::Key(KeyHash::of("a key")),
    };
    let store = OneGrant { grant: Mutex::new(Some(session)), ..OneGrant::default() };
    for _ in 0..16 {
        assert!(sign_out(&store, "made up", now).await.expect("it answers").is_none());
    }
    assert_eq!(*store.writes.lock().expect("the count"), 0);
    assert!(sign_out(&store, TOKEN, now).await.expect("it answers").is_some());
    assert!(sign_out(&store, TOKEN, now).await.expect("it answers").is_none(), "it has ended");
    assert_eq!(*store.writes.lock().expect("the count"), 1);
}
