use super::*;
use crate::web::SiteSettings;

fn cookies() -> SessionCookies {
    let origin = "http://127.0.0.1:8080".parse().expect("an origin");
    SessionCookies::new(&SiteSettings::default(), &origin)
}

/// The headers of a browser that keeps these flows.
fn browser(flows: &[&Flow]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for flow in flows {
        for set in flow.cookies(&cookies(), &HeaderMap::new()) {
            let pair = set.to_str().expect("ASCII").split(';').next().expect("a pair").to_owned();
            headers.append(header::COOKIE, pair.parse().expect("a header"));
        }
    }
    headers
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

#[test]
fn a_flow_is_found_by_its_state_in_the_browser_that_began_it() {
    let acme = TenantId::try_from("acme".to_owned()).expect("a tenant");
    let first = Flow::begin(Some("/loans/727/webhooks?a=b"), Some(&acme), at(1000)).expect("randomness");
    let second = Flow::begin(None, None, at(1000)).expect("randomness");
    let both = browser(&[&first, &second]);
    let found = Flow::of_state(&cookies(), &both, &first.state(), at(1600)).expect("it is under way");
    assert_eq!(found.next().as_deref(), Some("/loans/727/webhooks?a=b"));
    assert_eq!(found.tenant(), Some(acme));
    assert_eq!((found.nonce(), found.verifier()), (first.nonce(), first.verifier()));
    let found = Flow::of_state(&cookies(), &both, &second.state(), at(1000)).expect("it is under way");
    assert_eq!((found.next(), found.tenant()), (None, None));
    for state in [first.nonce().as_str(), "", "short", "…………………………", &first.state()[..20]]
    {
        assert!(Flow::of_state(&cookies(), &both, state, at(1000)).is_none(), "{state}");
    }
    let other = browser(&[&second]);
    assert!(Flow::of_state(&cookies(), &other, &first.state(), at(1000)).is_none());
}

#[test]
fn a_flow_is_over_after_ten_minutes_and_cannot_be_changed() {
    let flow = Flow::begin(Some("/"), None, at(1000)).expect("randomness");
    let kept = browser(&[&flow]);
    assert!(Flow::of_state(&cookies(), &kept, &flow.state(), at(1601)).is_none());
    let text = kept[header::COOKIE].to_str().expect("ASCII").replace(".1000.", ".2000.");
    let mut changed = HeaderMap::new();
    changed.insert(header::COOKIE, text.parse().expect("a header"));
    assert!(Flow::of_state(&cookies(), &changed, &flow.state(), at(1601)).is_none());
}

#[test]
fn the_secrets_of_a_flow_are_apart_and_none_is_in_its_state() {
    let flow = Flow::begin(None, None, at(1)).expect("randomness");
    let secrets = [flow.state(), flow.nonce(), flow.verifier()];
    assert!(secrets.iter().all(|secret| secret.len() == 43), "{secrets:?}");
    assert!(secrets[0] != secrets[1] && secrets[1] != secrets[2] && secrets[0] != secrets[2]);
}

#[test]
fn a_browser_keeps_a_few_flows_and_a_long_page_is_forgotten() {
    let long = format!("/loans/727/webhooks?{}", "a".repeat(MAX_NEXT));
    let flow = Flow::begin(Some(&long), None, at(1)).expect("randomness");
    assert_eq!(flow.next(), None);
    let old: Vec<_> = (0..7).map(|_| Flow::begin(None, None, at(1)).expect("randomness")).collect();
    let set = flow.cookies(&cookies(), &browser(&old.iter().collect::<Vec<_>>()));
    let cleared = |set: &&HeaderValue| set.to_str().is_ok_and(|text| text.contains("Max-Age=0;"));
    assert_eq!((set.len(), set.iter().filter(cleared).count()), (4, 3));
}
