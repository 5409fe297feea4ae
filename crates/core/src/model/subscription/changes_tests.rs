use super::*;
use crate::model::retry::RetryPolicy;
use crate::model::subscription::{
    Auth, ClientStyle, Criteria, CriteriaInput, Fire, OAuth2, SubscriptionInput, Tls,
};

fn settings() -> Settings {
    let criteria = CriteriaInput { events: Some(vec!["Paid".into()]), ..CriteriaInput::default() };
    let input = SubscriptionInput::with_defaults("Core".into(), criteria, "https://core.example.com/".into());
    input.check(None).expect("good settings")
}

/// What differs once `change` was made.
fn changed(change: impl FnOnce(&mut Settings)) -> Vec<SettingChange> {
    let (before, mut after) = (settings(), settings());
    change(&mut after);
    changes(&before, &after)
}

fn one(change: impl FnOnce(&mut Settings)) -> (Setting, Option<SettingValue>, Option<SettingValue>) {
    let mut all = changed(change);
    assert_eq!(all.len(), 1, "{all:?}");
    let SettingChange { setting, before, after, .. } = all.remove(0);
    (setting, before, after)
}

fn text(text: &str) -> Option<SettingValue> {
    Some(SettingValue::Text(text.into()))
}

#[test]
fn what_did_not_change_is_not_told() {
    assert_eq!(changed(|_| ()), []);
}

#[test]
fn single_settings_by_table() {
    let lines = |text: &str| Some(SettingValue::Lines(text.into()));
    assert_eq!(one(|to| to.title = "Bank".into()), (Setting::Title, text("Core"), text("Bank")));
    assert_eq!(one(|to| to.enabled = false), (Setting::Enabled, text("yes"), text("no")));
    assert_eq!(
        one(|to| to.restriction = Some("(= a 1)".into())),
        (Setting::Restriction, None, lines("(= a 1)"))
    );
    assert_eq!(one(|to| to.request.payload = Some("{}".into())), (Setting::Payload, None, lines("{}")));
    assert_eq!(one(|to| to.timeout_seconds = 3), (Setting::Timeout, text("15 s"), text("3 s")));
    assert_eq!(one(|to| to.flow.max_in_flight = Some(4)), (Setting::MaxInFlight, None, text("4")));
    let delays = RetryPolicy::Delays { delays: vec![] };
    let (_, before, after) = one(|to| to.retry = delays);
    assert_eq!(
        (before, after),
        (text("after 300 s, 1800 s, 7200 s, 18000 s, 36000 s, 36000 s"), text("none"))
    );
}

#[test]
fn another_kind_of_criteria_takes_one_setting_away_and_brings_others() {
    let to_trigger = |to: &mut Settings| {
        let trigger = "(> days 3)".to_owned();
        to.criteria = Criteria::Trigger { trigger, fire: Fire::OnChange, since: 2 };
    };
    let told: Vec<_> =
        changed(to_trigger).into_iter().map(|one| (one.setting, one.after.is_some())).collect();
    assert_eq!(told, [(Setting::Events, false), (Setting::Trigger, true), (Setting::Fire, true)]);
}

#[test]
fn a_secret_is_told_to_have_changed_and_never_shown() {
    let secret = "Bearer s3cret";
    let mut first = settings();
    first.request.headers.insert("Authorization".into(), secret.into());
    first.request.headers.insert("x-kept".into(), "same".into());
    let mut second = first.clone();
    second.request.headers.insert("Authorization".into(), "Bearer oth3r".into());
    second.request.headers.insert("x-new".into(), secret.into());
    second.request.auth = Some(Auth::OAuth2(OAuth2 {
        token_url: "https://id.example.com/token?key=s3cret".into(),
        client_id: "loanhook".into(),
        client_secret: secret.into(),
        scopes: vec![],
        style: ClientStyle::Post,
        parameters: [("audience".to_owned(), secret.to_owned())].into(),
    }));
    second.request.tls = Some(Tls { client: None, ca: Some("PEM".into()) });
    let all = changes(&first, &second);
    let hidden: Vec<_> = all
        .iter()
        .filter(|one| one.after == Some(SettingValue::Hidden))
        .map(|one| (one.setting, one.member.as_str(), one.before.is_some()))
        .collect();
    assert_eq!(
        hidden,
        [
            (Setting::Header, "Authorization", true),
            (Setting::Header, "x-new", false),
            (Setting::ClientSecret, "", false),
            (Setting::TokenParameter, "audience", false),
            (Setting::Authorities, "", false),
        ]
    );
    let url = all.iter().find(|one| one.setting == Setting::TokenUrl).expect("it is new");
    assert!(matches!(url.after, Some(SettingValue::Url(_))), "to be masked for who may not write");
    assert!(
        !format!("{:?}", all.iter().filter(|one| one.setting != Setting::TokenUrl).collect::<Vec<_>>())
            .contains("s3cret")
    );
}
