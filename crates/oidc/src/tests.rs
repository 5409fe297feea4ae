use serde_json::{Value, json};

use crate::access_rule::{AccessRule, access, read_rules};
use crate::claims::Claims;
use crate::settings::{ClientSecret, OidcSettings, OidcSettingsError};

fn claims(json: Value) -> Claims {
    let Value::Object(claims) = json else { panic!("claims are an object") };
    Claims::new(claims)
}

/// What rules give, as text.
fn given(rules: &str, of: Value) -> Vec<String> {
    let rules = read_rules(rules).expect("rules");
    let all = access(&rules, &claims(of)).into_iter();
    all.map(|access| {
        let scopes: Vec<_> = access.scopes.iter().map(|scope| scope.name()).collect();
        format!("{} {}", access.tenant, scopes.join(","))
    })
    .collect()
}

#[test]
fn a_claim_matches_as_the_value_or_as_a_list_with_it() {
    let rule = "groups=servicing acme history:read";
    for (of, opens) in [
        (json!({"groups": "servicing"}), true),
        (json!({"groups": ["a", "servicing"]}), true),
        (json!({"groups": ["servicing-2", "Servicing"]}), false),
        (json!({"groups": "a servicing"}), false),
        (json!({"groups": {"servicing": true}}), false),
        (json!({"roles": "servicing"}), false),
        (json!({"groups": [["servicing"]]}), false),
        (json!({}), false),
    ] {
        assert_eq!(!given(rule, of.clone()).is_empty(), opens, "{of}");
    }
}

#[test]
fn names_and_values_may_be_those_of_any_provider() {
    for (rule, of) in [
        ("/realm_access/roles=lh acme history:read", json!({"realm_access": {"roles": ["lh"]}})),
        ("/a~1b/c~0d/0=x acme history:read", json!({"a/b": {"c~d": ["x"]}})),
        (
            "https://lender.example/groups=x acme history:read",
            json!({"https://lender.example/groups": ["x"]}),
        ),
        (
            "groups=CN=Loan Servicing,OU=Groups acme history:read",
            json!({"groups": ["CN=Loan Servicing,OU=Groups"]}),
        ),
        ("groups=/servicing acme history:read", json!({"groups": ["/servicing"]})),
        ("  groups=a:b \t acme   history:read ", json!({"groups": "a:b"})),
    ] {
        assert_eq!(given(rule, of), ["acme history:read"], "{rule}");
    }
    assert!(given("/=x acme history:read", json!({"groups": "x"})).is_empty());
}

#[test]
fn rules_of_one_tenant_add_up_and_none_opens_what_may_not_be_read() {
    let rules = "g=a acme webhooks:resend; g=b acme history:read,webhooks:resend\ng=b borealis subscriptions:write;;\n\
                 g=a cirrus history:read";
    assert_eq!(given(rules, json!({"g": ["a"]})), ["cirrus history:read"]);
    assert_eq!(given(rules, json!({"g": ["b"]})), ["acme history:read,webhooks:resend"]);
    let both = ["acme history:read,webhooks:resend", "cirrus history:read"];
    assert_eq!(given(rules, json!({"g": ["a", "b"]})), both);
}

#[test]
fn a_mail_address_counts_where_it_is_verified() {
    for rule in ["email", "/email"] {
        mail_counts_where_it_is_verified(&format!("{rule}=ann@lender.example acme history:read"));
    }
}

#[track_caller]
fn mail_counts_where_it_is_verified(rule: &str) {
    for (verified, opens) in
        [(json!(true), true), (json!("true"), true), (json!(false), false), (json!(null), false)]
    {
        let of = json!({"email": "ann@lender.example", "email_verified": verified});
        assert_eq!(!given(rule, of.clone()).is_empty(), opens, "{of}");
    }
    assert!(given(rule, json!({"email": "ann@lender.example"})).is_empty());
}

#[test]
fn a_rule_that_is_none_says_what_it_lacks() {
    for (rule, said) in [
        ("groups=a acme", "CLAIM=VALUE, tenant, scopes"),
        ("=a acme history:read", "CLAIM=VALUE, tenant, scopes"),
        ("groups= acme history:read", "CLAIM=VALUE, tenant, scopes"),
        ("my groups=a acme history:read", "CLAIM=VALUE, tenant, scopes"),
        ("groups=a Acme history:read", "`Acme` is no tenant"),
        ("groups=a acme operator", "no page needs `operator`"),
        ("groups=a acme events:write", "no page needs `events:write`"),
        ("groups=a acme history:read,", "no page needs ``"),
    ] {
        let error = rule.parse::<AccessRule>().expect_err(rule).to_string();
        assert!(error.contains(said), "{rule}: {error}");
    }
}

#[test]
fn a_person_is_called_by_a_name_and_by_what_nobody_else_has() {
    let mail = "ann@lender.example";
    for (of, name) in [
        (
            json!({"sub": "1", "name": "Ann Lee", "email": mail, "email_verified": true}),
            "Ann Lee (ann@lender.example)",
        ),
        (json!({"sub": "1", "name": "Ann Lee", "email": mail, "email_verified": false}), "Ann Lee (1)"),
        (json!({"sub": "1", "name": "Ann Lee", "email": mail}), "Ann Lee (1)"),
        (json!({"sub": "1", "name": " ", "preferred_username": "ann"}), "ann (1)"),
        (json!({"sub": "1", "name": "Ann\u{0}", "email": mail, "email_verified": "true"}), mail),
        (json!({"sub": "1", "preferred_username": mail, "email": mail, "email_verified": true}), mail),
        (json!({"sub": "1", "email": mail}), "1"),
        (json!({"sub": "1", "name": "x".repeat(257)}), "1"),
        (json!({"sub": "1", "name": 7}), "1"),
    ] {
        assert_eq!(claims(of.clone()).display_name().as_deref(), Some(name), "{of}");
    }
    let long = claims(json!({"sub": "1".repeat(255), "name": "x".repeat(200)}));
    assert_eq!(long.display_name(), Some("1".repeat(255)), "what nobody else has is never cut");
    let long = claims(json!({"sub": "1".repeat(100), "name": "é".repeat(200)}));
    assert_eq!(long.display_name(), Some(format!("{} ({})", "é".repeat(100), "1".repeat(100))));
}

#[test]
fn a_mail_address_is_of_the_same_document_as_its_verification() {
    for (signed, asked, mail, verified) in [
        (json!({"email": "a@x"}), json!({"email": "b@x", "email_verified": true}), Some("b@x"), true),
        (json!({"email": "a@x"}), json!({"email_verified": true}), Some("a@x"), false),
        (
            json!({"email": "a@x", "email_verified": false}),
            json!({"email": "b@x", "email_verified": true}),
            Some("a@x"),
            false,
        ),
        (
            json!({"email": "a@x", "email_verified": true}),
            json!({"email": "b@x", "email_verified": false}),
            Some("a@x"),
            true,
        ),
        (json!({"email_verified": true}), json!({"email": "b@x"}), Some("b@x"), false),
        (json!({}), json!({"email": "b@x", "email_verified": true}), Some("b@x"), true),
    ] {
        let mut all = claims(signed.clone());
        all.add_missing(claims(asked.clone()));
        assert_eq!((all.text("email"), all.has_verified_mail()), (mail, verified), "{signed} {asked}");
    }
}

#[test]
fn settings_have_the_same_fingerprint_only_where_issuer_client_and_rules_are_the_same() {
    let of = |issuer: &str, client: &str, rules: &str| {
        let rules = read_rules(rules).expect("rules");
        OidcSettings::new(issuer, client, ClientSecret::None, None, rules).expect("settings").fingerprint()
    };
    let (issuer, a, b) = ("https://a.example", "g=a acme history:read", "g=b acme history:read");
    let first = of(issuer, "c", &format!("{a};{b}"));
    assert_eq!(first, of(issuer, "c", &format!(" {b} \n {a}")));
    for other in [
        of("https://b.example", "c", &format!("{a};{b}")),
        of(issuer, "d", &format!("{a};{b}")),
        of(issuer, "c", a),
        of(issuer, "c", &format!("{a};{b},webhooks:resend")),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn what_was_signed_stays() {
    let mut signed = claims(json!({"sub": "1", "groups": ["a"]}));
    signed.add_missing(claims(json!({"sub": "2", "groups": ["b"], "name": "Ann"})));
    assert_eq!((signed.text("sub"), signed.text("name")), (Some("1"), Some("Ann")));
    assert!(signed.has("groups", "a") && !signed.has("groups", "b"));
}

#[test]
fn settings_are_checked() {
    let rules = || read_rules("groups=a acme history:read").expect("a rule");
    let with = |issuer: &str| OidcSettings::new(issuer, "loanhook", ClientSecret::None, None, rules());
    for issuer in [
        "https://login.lender.example",
        "https://login.lender.example/realms/a",
        "http://127.0.0.1:8081",
        "http://[::1]:1",
        "http://localhost:8081",
    ] {
        assert!(with(issuer).is_ok(), "{issuer}");
    }
    for issuer in [
        "http://login.lender.example",
        "http://10.0.0.1",
        "https://a.example/?b",
        "https://a.example/#b",
        "https://u@a.example",
        "ftp://a.example",
        "a",
        "",
    ] {
        assert_eq!(with(issuer).err(), Some(OidcSettingsError::Issuer(issuer.to_owned())), "{issuer}");
    }
    let none = OidcSettings::new("https://a.example", "", ClientSecret::None, None, rules());
    assert_eq!(none.err(), Some(OidcSettingsError::NoClientId));
    let none = OidcSettings::new("https://a.example", "b", ClientSecret::None, None, Vec::new());
    assert_eq!(none.err(), Some(OidcSettingsError::NoRules));
    let secret = ClientSecret::Known("hush".to_owned());
    let settings = OidcSettings::new("https://a.example", "b", secret, Some("openid groups"), rules());
    let settings = settings.expect("settings");
    assert_eq!(settings.scopes, ["groups"]);
    assert!(!format!("{settings:?}").contains("hush"));
}
