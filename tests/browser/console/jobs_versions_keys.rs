//! Recovery jobs, versions of a webhook and API keys in a browser: with JavaScript and without, by the keyboard, and for whoever does not
//! see them.

use serde_json::{Value, json};
use thirtyfour::Key;

use super::go;
use crate::accessibility::{assert_no_violation, axe};
use crate::browser::Look;
use crate::harness::{Gate, Journey, Reply, event, eventually, text};
use crate::scenes::{busy_tenant, sign_in};
use crate::tab::Tab;

async fn keys_are_made_and_revoked(look: Look) {
    let j = Journey::start().await;
    let Some(tab) = sign_in(&j, look, "/keys").await else { return };
    tab.wait_for_texts("#keys td.title bdi", &["journey"]).await;
    tab.click("main .top a.button").await;
    tab.wait_for_texts("h1", &["Make a key"]).await;
    tab.one("#k-name").await.send_keys("Loader").await.expect("it is typed");
    tab.click("input[value='events:write']").await;
    tab.click("main button.primary").await;
    tab.wait_for_texts("h1", &["The key is made"]).await;
    let key = tab.text("#new-key").await;
    j.api.with_key(Some(&key)).get("/v1/keys").await.expect_problem(403);
    let copies = "return [...document.querySelectorAll('.copy')].filter((one) => !one.hidden).length";
    assert_eq!(tab.run(copies, vec![]).await, Value::from(usize::from(look.script)));
    tab.click("main .actions a.button").await;
    tab.wait_for_texts("#keys td.title bdi", &["journey", "Loader"]).await;
    tab.click("#keys tbody tr:last-child td[data-head=Revoke] a").await;
    tab.wait_for_text("main h2", "Revoke Loader?").await;
    tab.click("main button.primary").await;
    tab.wait_for_texts("#keys td.title bdi", &["journey"]).await;
    j.api.with_key(Some(&key)).get("/v1/keys").await.expect_problem(401);
    tab.close().await;
}

#[tokio::test]
async fn keys_are_made_and_revoked_with_javascript() {
    keys_are_made_and_revoked(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn keys_are_made_and_revoked_without_javascript() {
    keys_are_made_and_revoked(Look::WITHOUT_SCRIPT).await;
}

async fn a_job_is_found_and_followed(look: Look) {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"title": "Core", "retry": {"delays": []}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let job = json!({"filter": {"status": "failed"}});
    j.api.post("/v1/resends", &job).await.expect_status(202);
    let Some(tab) = sign_in(&j, look, "/").await else { return };
    tab.click(".sections a[href='/resends']").await;
    tab.wait_for_texts("td[data-head=State]", &["Running"]).await;
    tab.click("#jobs td.title a").await;
    tab.wait_for_text("#items td[data-head=Outcome]", "Waiting").await;
    gate.open();
    if !look.script {
        eventually("the outcome", async || {
            tab.driver().refresh().await.ok()?;
            (tab.text("#job h2").await == "Done: 1 of 1 delivery").then_some(())
        })
        .await;
    }
    tab.wait_for_texts("#job h2", &["Done: 1 of 1 delivery"]).await;
    tab.wait_for_texts("#items td[data-head=Outcome]", &["Arrived"]).await;
    tab.click("#items td[data-head='Trace ID'] a").await;
    tab.wait_for_texts(".over", &["Loan 727"]).await;
    tab.close().await;
}

#[tokio::test]
async fn a_job_is_found_and_followed_with_javascript() {
    a_job_is_found_and_followed(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn a_job_is_found_and_followed_without_javascript() {
    a_job_is_found_and_followed(Look::WITHOUT_SCRIPT).await;
}

/// A webhook with three versions: another title, and another template.
async fn versions(j: &Journey) -> String {
    let request = json!({"url": j.receiver.url("/hook"), "payload": "{\n\"a\": 1\n}"});
    let webhook = j.subscribe("/hook", json!({"title": "Core", "request": request})).await;
    let path = format!("/v1/subscriptions/{}", text(&webhook["id"]));
    j.api.patch(&path, &json!({"title": "Core banking"})).await.expect_status(200);
    j.api.patch(&path, &json!({"request": {"payload": "{\n\"a\": 2\n}"}})).await.expect_status(200);
    format!("{}/versions", path.trim_start_matches("/v1"))
}

async fn versions_are_compared(look: Look) {
    let j = Journey::start().await;
    versions(&j).await;
    let Some(tab) = sign_in(&j, look, "/subscriptions").await else { return };
    tab.click("td[data-head=Version] a").await;
    tab.wait_for_texts("h1", &["Versions"]).await;
    tab.click("#versions tbody tr:nth-child(2) a.next-line").await;
    tab.wait_for_texts("#changes td.title", &["Title"]).await;
    tab.click("main p a.button").await;
    tab.wait_for_texts("h1", &["Versions"]).await;
    let from = tab.one("#f-from").await;
    from.clear().await.expect("it is emptied");
    from.send_keys("1").await.expect("it is typed");
    tab.click(".filters button").await;
    tab.wait_for_texts("#changes td.title", &["Title", "Payload"]).await;
    tab.wait_for_text(".diff ins", "\"a\": 2").await;
    tab.close().await;
}

#[tokio::test]
async fn versions_are_compared_with_javascript() {
    versions_are_compared(Look::WITH_SCRIPT).await;
}

#[tokio::test]
async fn versions_are_compared_without_javascript() {
    versions_are_compared(Look::WITHOUT_SCRIPT).await;
}

#[tokio::test]
async fn all_of_it_can_be_done_with_the_keyboard() {
    let j = Journey::start().await;
    let versions = versions(&j).await;
    let Some(tab) = sign_in(&j, Look::WITH_SCRIPT, "/").await else { return };
    tab.tab_to(".sections a[href='/keys']").await;
    tab.press(Key::Enter).await;
    tab.tab_to("main .top a.button").await;
    tab.press(Key::Enter).await;
    tab.tab_to("#k-name").await;
    tab.press("Loader").await;
    tab.tab_to("input[value='history:read']").await;
    tab.press(" ").await;
    tab.tab_to("main button.primary").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("h1", &["The key is made"]).await;
    tab.tab_to(".sections a[href='/keys']").await;
    tab.press(Key::Enter).await;
    tab.tab_to("#keys tbody tr:last-child td[data-head=Revoke] a").await;
    tab.press(Key::Enter).await;
    tab.tab_to("main .actions a.button").await;
    tab.press(Key::Enter).await;
    tab.wait_for_texts("#keys td.title bdi", &["journey", "Loader"]).await;
    go(&tab, &versions).await;
    tab.tab_to("#versions tbody tr:first-child a.next-line").await;
    tab.press(Key::Enter).await;
    // What scrolls is a stop.
    tab.tab_to(".diff").await;
    tab.close().await;
}

#[tokio::test]
async fn none_of_it_breaks_an_accessibility_rule_in_light_or_dark_wide_or_narrow() {
    let Some(axe) = axe() else { return };
    let j = Journey::start().await;
    busy_tenant(&j).await;
    let versions = versions(&j).await;
    let resend = json!({"filter": {"status": "failed", "error": "dns"}});
    j.api.post("/v1/resends", &resend).await.expect_status(202);
    let cancel = json!({"filter": {"status": "pending", "eventName": "Autopay Failed"}});
    let cancel = j.api.post("/v1/cancels", &cancel).await.expect_status(202).json();
    let job = format!("/resends/{}", text(&cancel["id"]));
    j.api.with_new_key("An administrator with a name that is long enough to be broken", &["admin"]).await;
    for (dark, width) in [(false, 1280), (true, 1280), (false, 360), (true, 360)] {
        let Some(tab) = sign_in(&j, Look { dark, width, ..Look::WITH_SCRIPT }, "/resends").await else {
            return;
        };
        for path in [
            "/resends",
            &job,
            &versions,
            &format!("{versions}?from=1&to=3"),
            "/keys",
            "/keys/new",
            "/keys?after=x",
        ] {
            go(&tab, path).await;
            check(&tab, &axe, &format!("{path}, dark: {dark}, {width} wide")).await;
        }
        // What is wrong with a form, the question before a key is revoked, and the key that is shown once.
        go(&tab, "/keys/new").await;
        tab.one("#k-name").await.send_keys("Reader").await.expect("it is typed");
        tab.click("main button.primary").await;
        tab.wait_for_text(".notice.bad", "Scopes").await;
        check(&tab, &axe, "the form with an error").await;
        tab.click("input[value='history:read']").await;
        tab.click("main button.primary").await;
        tab.one("#new-key").await;
        check(&tab, &axe, "the key, once").await;
        go(&tab, "/keys").await;
        tab.click("#keys tbody tr:last-child td[data-head=Revoke] a").await;
        tab.one("main form").await;
        check(&tab, &axe, "the question before a key is revoked").await;
        tab.close().await;
    }
}

async fn check(tab: &Tab, axe: &str, what: &str) {
    assert_no_violation(tab, axe, what).await;
    let fits = tab.run("return document.documentElement.scrollWidth <= innerWidth", vec![]).await;
    assert_eq!(fits, Value::Bool(true), "{what} fits its window");
}
