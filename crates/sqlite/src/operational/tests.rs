//! Rules of recording that no journey can show: what one commit does with several operations, and what a success costs.

use rusqlite::Connection;
use uuid::Uuid;

use super::*;
use crate::schema::migrate;
use crate::subscription_versions::put;
use loanhook_core::model::attempt::{Attempt, AttemptNumber, AttemptState, Completion};
use loanhook_core::model::credentials::CredentialsVersion;
use loanhook_core::model::id::{AttemptId, LoanId, TenantId, TraceId};
use loanhook_core::model::operational::{EXHAUSTED_WINDOW, OperationalKind};
use loanhook_core::model::payload::Payload;
use loanhook_core::model::secret::{Secrets, SigningSecret};
use loanhook_core::model::subscription::{CriteriaInput, Method, Subscription, SubscriptionInput};
use loanhook_core::model::time::Timestamp;
use loanhook_seal::{Keyring, SealingKey};

const START: Timestamp = Timestamp::from_millis(1_795_428_000_000);

fn tenant() -> TenantId {
    TenantId::try_from("acme".to_owned()).expect("a tenant")
}

fn subscription(number: u128, title: &str, criteria: CriteriaInput) -> Subscription {
    let input = SubscriptionInput::with_defaults(title.into(), criteria, "https://core.example.com/".into());
    Subscription {
        id: SubscriptionId::from_uuid(Uuid::from_u128(number)),
        tenant: tenant(),
        version: 1,
        created_at: START,
        updated_at: START,
        updated_by: None,
        settings: input.check(None).expect("good settings"),
        secrets: Secrets::new(SigningSecret::generate().expect("a secret")),
    }
}

fn webhook() -> Subscription {
    let events = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    subscription(1, r#"Of "criteria":{"operational":["#, events)
}

fn pager() -> Subscription {
    let names = OperationalKind::ALL.map(|kind| kind.as_str().to_owned()).to_vec();
    subscription(2, "Pager", CriteriaInput { operational: Some(names), ..CriteriaInput::default() })
}

/// A file of a tenant with a webhook and a subscription to operational events.
struct File {
    connection: Connection,
    states: OperationalStates,
}

impl File {
    fn new() -> Self {
        let connection = Connection::open_in_memory().expect("a database");
        migrate(&connection, 0).expect("migrated");
        let keyring = Keyring::new(&SealingKey::from_bytes([7; 32]));
        for subscription in [webhook(), pager()] {
            put(&connection, &keyring, &subscription).expect("stored");
        }
        let cache = Arc::new(Cache::load(&connection, &keyring).expect("a cache"));
        let states = OperationalStates::load(&connection, cache, EXHAUSTED_WINDOW).expect("states");
        Self { connection, states }
    }

    /// Records the end of an attempt of the webhook, without what follows the commit.
    fn record(&self, second: i64, status: u16) -> Recorded {
        let row = row(second, status);
        let ended = Ended { row: &row, exhausted: false, flow: None };
        self.states.record_end(&self.connection, ended).expect("recorded")
    }

    fn count(&self, table: &str) -> u32 {
        let count = format!("SELECT count(*) FROM {table}");
        self.connection.query_row(&count, [], |row| row.get(0)).expect("a count")
    }
}

fn row(second: i64, status: u16) -> Attempt {
    let ended_at = START.plus_millis(1000 * second);
    let completion =
        Completion { ended_at, response_time_ms: None, source_ip: None, result: Ok(status), response: None };
    Attempt {
        id: AttemptId::at(ended_at),
        tenant: tenant(),
        loan_id: LoanId::try_from("727".to_owned()).expect("a loan"),
        trace_id: TraceId::from_uuid(Uuid::from_u128(9)),
        subscription_id: webhook().id,
        event_title: "Core banking".into(),
        event_name: "Payment".into(),
        occurred_at: None,
        test: false,
        method: Method::Post,
        destination: "https://core.example.com/".into(),
        content_type: None,
        source: Payload { key: None, bytes: 0 },
        number: AttemptNumber::Auto(1),
        requested_by: None,
        resend_of: None,
        address_version: None,
        credentials: CredentialsVersion::Own,
        sent_at: START,
        state: AttemptState::Complete(completion),
        next_attempt_at: None,
    }
}

#[test]
fn a_success_of_a_webhook_that_does_not_fail_asks_the_file_for_nothing() {
    let file = File::new();
    file.connection.execute_batch("DROP TABLE operational_states; DROP TABLE outbox").expect("dropped");
    file.states.follow(&file.record(0, 200));
}

/// Operations of one commit run one after the other, and what follows the commit runs after all of them.
#[test]
fn a_success_in_the_commit_of_failures_ends_their_run() {
    let file = File::new();
    let commit = |statuses: &[u16]| {
        let recorded: Vec<_> =
            (0..).zip(statuses).map(|(second, status)| file.record(second, *status)).collect();
        recorded.iter().for_each(|recorded| file.states.follow(recorded));
    };
    commit(&[503, 503, 503, 200, 503, 503, 503]);
    assert_eq!(file.count("outbox"), 0);
    commit(&[503]);
    assert_eq!(file.count("outbox"), 1);
    commit(&[200, 503]);
    commit(&[200]);
    assert_eq!((file.count("outbox"), file.count("operational_states")), (2, 0), "recovered is told once");
}

#[test]
fn what_is_rolled_back_was_not_recorded() {
    let file = File::new();
    for _ in 0..2 {
        file.connection.execute_batch("BEGIN").expect("a transaction");
        for second in 0..4 {
            let _rolled_back = file.record(second, 503);
        }
        file.connection.execute_batch("ROLLBACK").expect("rolled back");
    }
    assert_eq!((file.count("outbox"), file.count("operational_states")), (0, 0));
    file.states.follow(&file.record(0, 200));
    for second in 1..5 {
        file.states.follow(&file.record(second, 503));
    }
    assert_eq!(file.count("outbox"), 1);
}

/// The cache follows the commit: in it, an attempt that ends after the deletion must not bring the state back.
#[test]
fn an_attempt_that_ends_in_the_commit_of_a_deletion_leaves_nothing() {
    for (deleted, kept) in [(&[2][..], 0), (&[1], 0), (&[1, 2], 0), (&[3], 1), (&[], 1)] {
        let file = File::new();
        for number in deleted {
            let id = SubscriptionId::from_uuid(Uuid::from_u128(*number));
            let stop = "UPDATE subscriptions SET current = 0 WHERE id = ?1";
            file.connection.execute(stop, [id.uuid().as_bytes()]).expect("deleted");
            record_deleted(&file.connection, (&tenant(), id)).expect("recorded");
        }
        file.states.follow(&file.record(0, 503));
        assert_eq!(file.count("operational_states"), kept, "{deleted:?}");
    }
}

#[test]
fn states_are_kept_as_long_as_the_tenant_has_a_subscription_to_operational_events() {
    let file = File::new();
    file.states.follow(&file.record(0, 503));
    let stop = "UPDATE subscriptions SET current = 0 WHERE id = ?1";
    let of = (&tenant(), SubscriptionId::from_uuid(Uuid::from_u128(3)));
    record_deleted(&file.connection, of).expect("recorded");
    assert_eq!(file.count("operational_states"), 1);
    file.connection.execute(stop, [pager().id.uuid().as_bytes()]).expect("deleted");
    record_deleted(&file.connection, (&tenant(), pager().id)).expect("recorded");
    assert_eq!(file.count("operational_states"), 0, "a title that looks like criteria is none");
}
