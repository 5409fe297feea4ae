use super::*;

const KEY: &str = "lh_local_stack_admin_key";
/// By `sha256sum`.
const HASH_OF_KEY: &str = "1c3930137d972d7b25a38feb686253b3f0df12225c117614a706259090505a05";

fn read(more: &[(&'static str, &str)]) -> Result<Config, WrongVariable> {
    let needed = [
        ("LOANHOOK_TABLE", "table"),
        ("LOANHOOK_PAYLOADS_TABLE", "payloads"),
        ("LOANHOOK_REPORTS_TABLE", "reports"),
        ("LOANHOOK_BUCKET", "bucket"),
        ("LOANHOOK_QUEUE_URL", "queue"),
        ("LOANHOOK_SLOW_QUEUE_URL", "slow"),
        ("LOANHOOK_JOB_QUEUE_URL", "jobs"),
    ];
    Config::read(&Variables::new(|name| {
        let all = more.iter().chain(&needed);
        all.into_iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
    }))
}

#[test]
fn a_variable_that_is_unset_or_empty_has_its_default() {
    let config = read(&[("LOANHOOK_DLQ_URL", ""), ("LOANHOOK_ADMIN_KEY", "")]).expect("enough");
    assert_eq!((config.stack.dead_letters_url, config.stack.deployed_key), (None, None));
    assert_eq!(config.stack.retention, Duration::from_secs(365 * 24 * 3600));
    assert_eq!((config.stack.small_payload, config.stack.slow_instances), (1536, 25));
    assert_eq!(config.stack.event_ledger, LedgerScope::All);
}

#[test]
fn the_first_key_is_given_by_its_hash_or_in_clear_and_not_both() {
    let expected = Some(KeyHash::of(KEY));
    for variable in [("LOANHOOK_ADMIN_KEY_HASH", HASH_OF_KEY), ("LOANHOOK_ADMIN_KEY", KEY)] {
        assert_eq!(read(&[variable]).expect("a key").stack.deployed_key, expected);
    }
    let both = read(&[("LOANHOOK_ADMIN_KEY_HASH", HASH_OF_KEY), ("LOANHOOK_ADMIN_KEY", KEY)]);
    let fault = both.expect_err("both").to_string();
    assert_eq!(fault, "LOANHOOK_ADMIN_KEY_HASH and LOANHOOK_ADMIN_KEY are both set: only one of them may be");
}

#[test]
fn lists_are_split_at_commas_and_a_wrong_variable_is_named() {
    let config = read(&[("LOANHOOK_EGRESS_IPS", "192.0.2.1, 192.0.2.2")]).expect("addresses");
    assert_eq!(config.stack.egress.len(), 2);
    assert!(matches!(config.public_address(), PublicAddress::Unknown));
    for (name, value) in [
        ("LOANHOOK_EGRESS_IPS", "here"),
        ("LOANHOOK_ALLOW_NETWORKS", "127.0.0.1/99"),
        ("LOANHOOK_RETENTION_DAYS", "59"),
        ("LOANHOOK_SMALL_PAYLOAD_BYTES", "65537"),
        ("LOANHOOK_EVENT_LEDGER", "some"),
        ("LOANHOOK_LEASE_SECONDS", "long"),
        ("LOANHOOK_SLOW_CONCURRENCY", "many"),
        ("LOANHOOK_SLOW_QUEUE_URL", ""),
        ("LOANHOOK_JOB_QUEUE_URL", ""),
        ("LOANHOOK_ADMIN_KEY", "secret"),
        ("LOANHOOK_ADMIN_KEY_HASH", "secret"),
        ("LOANHOOK_ADMIN_KEY_HASH", KEY),
        ("LOANHOOK_TABLE", ""),
    ] {
        assert_eq!(read(&[(name, value)]).expect_err(name).name, name);
    }
}
