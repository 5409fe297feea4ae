//! Recovery jobs of a tenant: the list of both kinds, the page of each with its items, and who may see them.

use serde_json::json;

use super::{signed_in, signed_in_as};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, text};
use crate::portal::visitor::Page;
use crate::recovery::{ended_job, failed, id, make_job};

#[tokio::test]
async fn both_kinds_are_listed_the_newest_first_with_their_filter_in_words_and_their_progress() {
    let (j, traces) = failed(&["727", "728"]).await;
    let resend = make_job(
        &j.api,
        "resends",
        &json!({"filter": {"status": "failed", "loanId": "727", "to": "2100-01-01T00:00:00Z"}, "perSecond": 50}),
    )
    .await;
    ended_job(&j.api, "resends", id(&resend)).await;
    let cancel = make_job(&j.api, "cancels", &json!({"filter": {"traceIds": traces}})).await;
    ended_job(&j.api, "cancels", id(&cancel)).await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page("/resends").await;
    let column = |head: &str| page.texts(&format!("#jobs td[data-head='{head}']"));
    assert_eq!(page.attribute(".sections a[aria-current=page]", "href"), "/resends");
    assert_eq!(column("Job"), ["Bulk cancel", "Bulk resend"]);
    assert_eq!(
        column("Which deliveries"),
        [
            "Deliveries that were named by their trace IDs.",
            "It failed, and no automatic retry is left.It is of loan 727.It was accepted before \
             2100-01-01T00:00:00Z.",
        ]
    );
    assert_eq!(column("State"), ["Done", "Done"]);
    assert_eq!(column("Progress"), ["2 of 2 2 left out", "1 of 1 1 arrived"]);
    for asked in column("Asked for") {
        assert!(asked.starts_with("journey 20"), "{asked}");
    }
    // Each has a page with its items and their links.
    let links: Vec<_> =
        page.all("#jobs td.title a").iter().map(|a| a.attr("href").expect("an address").to_owned()).collect();
    assert_eq!(links, [format!("/resends/{}", id(&cancel)), format!("/resends/{}", id(&resend))]);
    let page = visitor.page(&links[0]).await;
    assert_eq!(
        (page.text("h1"), page.text("#job h2")),
        ("Bulk cancel".into(), "Done: 2 of 2 deliveries".into())
    );
    assert_eq!(page.texts("#items td[data-head=Loan]"), ["728", "727"]);
    for outcome in page.texts("#items td[data-head=Outcome]") {
        assert_eq!(outcome, "Left out it had no automatic attempt to cancel");
    }
    let page = visitor.page(&links[1]).await;
    assert_eq!(page.texts("#items td[data-head=Outcome]"), ["Arrived"]);
    let resent = j.api.delivery(&traces[0]).await;
    let attempt = text(&attempts_of(&resent)[1]["id"]).to_owned();
    let link = page.attribute("#items td[data-head='Trace ID'] a", "href");
    assert_eq!(link, format!("/loans/727/webhooks?traceId={}&open={attempt}#a-{attempt}", traces[0]));
    let address = link.split('#').next().expect("an address");
    assert_eq!(visitor.page(address).await.fact("ID"), attempt);
}

#[tokio::test]
async fn what_was_asked_for_and_each_outcome_stand_on_the_page_of_a_job() {
    let (j, _) = failed(&["727", "727", "728"]).await;
    j.receiver.always("/hook", Reply::status(503));
    let asked = json!({
        "filter": {"status": "failed"}, "to": "current", "newestPerLoan": true, "stopAfterFailures": 7,
        "force": true, "perSecond": 20,
    });
    let job = make_job(&j.api, "resends", &asked).await;
    ended_job(&j.api, "resends", id(&job)).await;
    let mut visitor = signed_in(&j).await;
    let path = format!("/resends/{}", id(&job));
    let page = visitor.page(&path).await;
    assert_eq!(
        page.texts(".bulk > ul li"),
        [
            "It failed, and no automatic retry is left.",
            "At most 20 a second",
            "To the address that the webhook has now",
            "Only the newest of each loan and webhook",
            "Also what has arrived meanwhile",
            "It stops after 7 failures in a row",
        ]
    );
    let tabs = "nav[aria-label='Which of them'] a";
    assert_eq!(page.texts(tabs), ["All (3)", "Failed again (2)", "A newer one is sent (1)"]);
    let of = |page: &Page| page.texts("#items td[data-head=Outcome]");
    assert_eq!(of(&page), ["Failed again", "Failed again", "A newer one is sent"]);
    let failed = page.all(tabs)[1].attr("href").expect("an address").to_owned();
    assert_eq!(of(&visitor.page(&failed).await), ["Failed again"; 2]);
    let none = visitor.page(&format!("{path}?outcome=succeeded")).await;
    assert_eq!(none.text(".empty h2"), "There is none");
    // What is no outcome, no number or beyond the end shows no error.
    assert_eq!(of(&visitor.page(&format!("{path}?outcome=lost&item=x")).await).len(), 3);
    let beyond = visitor.page(&format!("{path}?item=4294967295")).await;
    assert_eq!(beyond.texts(".pages a"), ["First"]);
}

#[tokio::test]
async fn items_and_jobs_have_pages() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for loan in 0..51 {
        let trace = j.api.send_one(&event(&format!("L{loan}"))).await;
        j.api.ended_delivery(&trace).await;
    }
    let mut ids = Vec::new();
    for _ in 0..26 {
        let job = make_job(&j.api, "cancels", &json!({"filter": {"test": true}})).await;
        ids.push(id(&job).to_owned());
    }
    let job = make_job(&j.api, "resends", &json!({"filter": {"test": false}, "perSecond": 100})).await;
    ids.push(id(&job).to_owned());
    ended_job(&j.api, "resends", id(&job)).await;
    ids.reverse();
    let mut visitor = signed_in(&j).await;
    let (mut seen, mut path) = (Vec::new(), "/resends".to_owned());
    loop {
        let page = visitor.page(&path).await;
        seen.extend(page.all("#jobs td.title a").iter().map(|a| {
            a.attr("href").and_then(|href| href.strip_prefix("/resends/")).expect("an address").to_owned()
        }));
        match page.all(".pages a[rel=next]").first() {
            Some(next) => path = next.attr("href").expect("an address").to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let first = visitor.page(&format!("/resends/{}", ids[0])).await;
    assert_eq!((first.all("#items tbody tr").len(), first.texts(".pages a").len()), (50, 1));
    let second = visitor.page(&first.attribute(".pages a", "href")).await;
    assert_eq!(second.texts("#items td[data-head=Loan]"), ["L0"]);
}

#[tokio::test]
async fn a_bulk_cancel_is_stopped_by_its_page() {
    let j = Journey::start().await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    j.subscribe("/hook", json!({})).await;
    for loan in ["727", "728", "729"] {
        j.api.send_one(&event(loan)).await;
    }
    let asked = json!({"filter": {"status": "pending"}, "perSecond": 0.1});
    let job = make_job(&j.api, "cancels", &asked).await;
    let path = format!("/resends/{}", id(&job));
    let mut visitor = signed_in(&j).await;
    let page = visitor.page(&path).await;
    let csrf = page.attribute("#job input[name=csrf]", "value");
    assert_eq!(page.text("#job form button"), "Stop canceling");
    let stop = page.attribute("#job form", "action");
    visitor.post(&stop, &[("csrf", &csrf)]).await.expect_status(303);
    let ended = ended_job(&j.api, "cancels", id(&job)).await;
    assert_eq!(ended["status"], "stopped");
    let page = visitor.page(&path).await;
    assert!(page.text("#job h2").starts_with("Stopped:"), "{}", page.text("#job h2"));
    assert!(page.text("#job").contains("Somebody stopped it."));
    gate.open();
}

#[tokio::test]
async fn jobs_are_not_offered_without_the_scope_and_belong_to_their_tenant() {
    let (j, _) = failed(&["727"]).await;
    let job = make_job(&j.api, "resends", &json!({"filter": {"status": "failed"}})).await;
    let path = format!("/resends/{}", id(&job));
    let reader = j.api.with_new_key("Reader", &["history:read", "subscriptions:write", "admin"]).await;
    let mut visitor = signed_in_as(&j, &reader).await;
    assert!(visitor.page("/").await.all(".sections a[href='/resends']").is_empty());
    for path in ["/resends", &path] {
        let refused = Page::of(&visitor.get(path).await.expect_status(403));
        assert!(
            refused
                .text("main p:first-of-type")
                .contains("the scope webhooks:resend: ask whoever gave you access")
        );
    }
    let stranger = j.other_tenant().await;
    let mut other = signed_in_as(&j, &stranger).await;
    assert_eq!(other.page("/resends").await.text(".empty h2"), "There is no job yet");
    other.get(&path).await.expect_status(404);
}
