use super::*;

#[test]
fn generated_keys_could_have_been_chosen() {
    let key = SecretKey::generate().expect("randomness");
    assert!(SecretKey::chosen(key.expose()).is_ok());
    assert_eq!(format!("{key:?}"), "lh_…");
}

#[test]
fn chosen_keys_by_table() {
    for (text, ok) in [
        ("lh_bench_0123456789", true),
        ("lh_0123456789abcdef", false),
        ("lh_bench_012345678", false),
        ("lh_bench_012345678-", false),
        ("0123456789abcdef0123", false),
    ] {
        assert_eq!(SecretKey::chosen(text).is_ok(), ok, "{text}");
    }
    let long = |length| format!("lh_{}", "5f2b9c0d71e84a36_".repeat(20).get(..length).unwrap_or_default());
    assert!(SecretKey::chosen(&long(200)).is_ok() && SecretKey::chosen(&long(201)).is_err());
}

#[test]
fn an_admin_manages_all_keys_but_an_operators() {
    let key = |scopes: &[Scope]| {
        let tenant = TenantId::try_from("acme".to_owned()).expect("a tenant");
        Key::new(tenant, "a".into(), scopes.to_vec(), Timestamp::from_millis(0))
    };
    let (reads, manages) = (key(&[Scope::HistoryRead]), key(&[Scope::Admin]));
    assert!(!reads.may_manage(&[Scope::HistoryRead]));
    assert!(manages.may_manage(&[Scope::Admin, Scope::EventsWrite]));
    assert!(!manages.may_manage(&[Scope::HistoryRead, Scope::Operator]));
    assert!(key(&[Scope::Operator]).may_manage(&Scope::ALL));
}

#[test]
fn a_scope_is_its_name() {
    for scope in Scope::ALL {
        assert_eq!(scope.name().parse(), Ok(scope));
    }
}
