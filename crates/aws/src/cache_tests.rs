use super::*;

#[test]
fn a_version_has_appeared_some_seconds_after_it_was_first_known() {
    let cache = Cache::default();
    let tenant = TenantId::try_from("acme".to_owned()).expect("a name");
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let read = |number, began, ended| {
        let mut version = TenantVersion::default();
        version.number = number;
        cache.put_version(&tenant, at(began)..at(ended), Arc::new(version));
    };
    let appeared = |number, now| cache.has_appeared(&tenant, number, at(now));
    assert!(!appeared(7, 60_000), "it was never read");
    read(7, 0, 300);
    assert_eq!([300, 5299, 5300].map(|now| appeared(7, now)), [false, false, true]);
    assert!(!appeared(6, 60_000) && !appeared(8, 60_000));
    // Since its first read; and each version for itself.
    read(7, 4000, 4001);
    assert!(appeared(7, 5300));
    read(8, 6000, 6100);
    assert_eq!([6000, 11_099, 11_100].map(|now| appeared(8, now)), [false, false, true]);
    assert!(!appeared(7, 60_000));
}
