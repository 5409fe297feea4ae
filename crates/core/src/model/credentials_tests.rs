use super::*;
use crate::model::secret::SigningSecret;
use crate::model::subscription::{ClientStyle, CriteriaInput, SubscriptionInput};

fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let criteria = CriteriaInput { events: Some(vec!["*".into()]), ..CriteriaInput::default() };
    let mut input =
        SubscriptionInput::with_defaults("Core banking".into(), criteria, "https://core.example.com/".into());
    input.request.headers = headers(pairs);
    input.check(None).expect("good settings")
}

#[test]
fn headers_of_a_request_by_table() {
    for (set, rendered, sent) in [
        (&[("Authorization", "Bearer new")][..], &[][..], &[("Authorization", "Bearer new")][..]),
        (&[("A", "1"), ("B", "[[v('b')]]")], &[("B", "old")], &[("A", "1"), ("B", "old")]),
        // A rendered header wins, in whatever case.
        (&[("x-loan", "another")], &[("X-Loan", "loan 727")], &[("X-Loan", "loan 727")]),
        // One that was removed, or was given placeholders after intake, is not sent.
        (&[], &[], &[]),
        (&[("A", "[[v('a')]]")], &[], &[]),
        // Blanks inside stay.
        (&[("A", "a  b")], &[], &[("A", "a  b")]),
    ] {
        let secrets = Secrets::new(SigningSecret::from_stored("whsec_x".into()));
        let credentials = Credentials::of(1, &settings(set), secrets);
        assert_eq!(credentials.join(&headers(rendered)).headers, headers(sent), "{set:?} {rendered:?}");
    }
}

#[test]
fn authentication_of_a_request_by_table() {
    let basic = || Auth::Basic { username: "ann".into(), password: "hush-hush".into() };
    let oauth2 = || {
        Auth::OAuth2(OAuth2 {
            token_url: "https://login.example.com/token".into(),
            client_id: "loanhook".into(),
            client_secret: "hush-hush".into(),
            scopes: Vec::new(),
            style: ClientStyle::Basic,
            parameters: BTreeMap::new(),
        })
    };
    let as_basic = [("Authorization", "Basic YW5uOmh1c2gtaHVzaA==")];
    for (auth, rendered, sent, has_oauth2) in [
        (basic(), &[][..], &as_basic[..], false),
        (oauth2(), &[], &[], true),
        // A header that was rendered stays, and wins.
        (basic(), &[("authorization", "Key 727")], &[("authorization", "Key 727")], false),
        (oauth2(), &[("authorization", "Key 727")], &[("authorization", "Key 727")], false),
    ] {
        let mut settings = settings(&[]);
        settings.request.auth = Some(auth);
        let secrets = Secrets::new(SigningSecret::from_stored("whsec_x".into()));
        let joined = Credentials::of(1, &settings, secrets).join(&headers(rendered));
        assert_eq!((joined.headers, joined.oauth2.is_some()), (headers(sent), has_oauth2));
    }
}

#[test]
fn stored_headers_of_an_earlier_version_lose_their_credentials() {
    let stored = headers(&[("Authorization", "Bearer x"), ("X-Loan", "loan 727")]);
    let earlier = FrozenHeaders::WithCredentials(stored.clone());
    for (set, kept) in [
        (
            &[("Authorization", "Bearer x"), ("X-Loan", "loan [[v('loan-id')]]")][..],
            &[("X-Loan", "loan 727")][..],
        ),
        // Names are compared in any case, as another version may write them so.
        (&[("x-loan", "[[v('loan-id')]]")], &[("X-Loan", "loan 727")]),
        // What is not known to be rendered may be a credential.
        (&[("X-Other", "[[v('loan-id')]]")], &[]),
        (&[], &[]),
    ] {
        let left = earlier.without_credentials(Some(&settings(set)));
        assert_eq!(left, FrozenHeaders::Rendered(headers(kept)), "{set:?}");
    }
    assert_eq!(earlier.without_credentials(None), FrozenHeaders::none());
    // What was rendered by this version stays, whatever the settings are.
    let rendered = FrozenHeaders::Rendered(stored);
    assert_eq!(rendered.without_credentials(None), rendered);
    assert!(earlier.may_hold_credentials() && !rendered.may_hold_credentials());
    assert!(!FrozenHeaders::WithCredentials(BTreeMap::new()).may_hold_credentials());
}
