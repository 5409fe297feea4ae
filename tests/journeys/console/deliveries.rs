//! Deliveries across loans: what a row says, every filter, older pages, and the export.

use serde_json::{Value, json};

use super::signed_in;
use crate::across::EachKind;
use crate::flow::by_hand;
use crate::harness::{Journey, event, event_named, text};
use crate::portal::visitor::{Page, Visitor};

/// The traces of the rows, in their order.
fn traces(page: &Page) -> Vec<String> {
    let rows = page.all("#deliveries tbody tr");
    rows.iter().map(|row| row.attr("data-trace").expect("a trace").to_owned()).collect()
}

#[tokio::test]
async fn a_row_says_what_became_of_a_delivery_and_leads_to_its_row_on_the_loans_page() {
    let of = EachKind::new().await;
    let mut visitor = signed_in(&of.j).await;
    let page = visitor.page("/webhooks").await;
    assert_eq!(traces(&page), of.all(), "the newest first");
    let column = |head: &str| page.texts(&format!("td[data-head='{head}']"));
    assert_eq!(column("Loan"), ["730", "729", "728", "727"]);
    assert_eq!(column("Webhook"), ["Later", "Later", "Bad", "Good"]);
    assert_eq!(column("Event"), ["Later", "Later", "Bad", "Good"]);
    let statuses = column("Status");
    assert!(statuses[0].starts_with("Pending next attempt 20"), "{statuses:?}");
    assert_eq!(statuses[1..], ["Canceled", "Failed", "Succeeded"]);
    let newest = column("Newest attempt");
    assert!(newest[2].starts_with("503") && newest[3].starts_with("200"), "{newest:?}");

    let failed = &page.all("#deliveries tbody tr")[2];
    let link =
        failed.descendent_elements().find(|of| of.attr("title").is_some_and(|title| title.contains("story")));
    let href = link.and_then(|of| of.attr("href")).expect("a link").to_owned();
    let loan = visitor.page(href.split('#').next().expect("an address")).await;
    assert_eq!(loan.text(".over"), "Loan 728");
    assert!(loan.fact("Destination").ends_with("/bad"));
    assert_eq!(loan.attribute("tr.details", "id"), format!("d-{}", href.split("#a-").nth(1).expect("a row")));
}

#[tokio::test]
async fn every_filter_is_a_field_a_chip_and_a_part_of_the_address() {
    let of = EachKind::new().await;
    let mut visitor = signed_in(&of.j).await;
    let delivery = of.j.api.delivery(&of.failed).await;
    let bad = text(&delivery["subscriptionId"]).to_owned();
    let accepted = text(&delivery["acceptedAt"]).to_owned();
    let only_failed = vec![of.failed.as_str()];
    let all = of.all().to_vec();
    for (query, expected, chip) in [
        ("status=failed", only_failed.clone(), "Status Failed"),
        (&*format!("subscriptionId={bad}"), only_failed.clone(), "Subscription Bad"),
        ("eventName=Bad", only_failed.clone(), "Event Bad"),
        ("loanId=728", only_failed.clone(), "Loan 728"),
        ("responseCode=5xx", only_failed.clone(), "Response code 5xx"),
        ("error=protocol", vec![&*of.pending, &*of.canceled], "Error Broken response"),
        ("status=succeeded", vec![&*of.succeeded], "Status Succeeded"),
        ("test=true", vec![], "Tests Only tests"),
        ("waiting=hold", vec![], "Waiting For a hold"),
        (&*format!("from={accepted}&to={accepted}"), only_failed, ""),
        ("test=false&limit=100", all, "Tests No tests"),
    ] {
        let page = visitor.page(&format!("/webhooks?{query}")).await;
        assert_eq!(traces(&page), expected, "{query}");
        let chips = page.texts(".chips li");
        assert!(chip.is_empty() || chips[0].starts_with(chip), "{query}: {chips:?}");
        for pair in query.split('&') {
            let (name, _) = pair.split_once('=').expect("a pair");
            assert!(!page.all(&format!("#filters [name={name}]")).is_empty(), "{name} has a field");
        }
    }
    let nothing = visitor.page("/webhooks?test=true").await;
    assert_eq!(nothing.text(".empty h2"), "No delivery matches these filters");
    for (query, label) in
        [("status=lost", "Status"), ("limit=0", "Rows a page"), ("before=x", "before"), ("to=soon", "To")]
    {
        let wrong = Page::of(&visitor.get(&format!("/webhooks?{query}")).await.expect_status(422));
        assert!(wrong.text("[role=alert]").starts_with(label), "{}", wrong.text("[role=alert]"));
        assert!(!wrong.all(".filters[open]").is_empty());
    }
}

#[tokio::test]
async fn older_pages_have_each_delivery_once() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    assert_eq!(visitor.page("/webhooks").await.text(".empty h2"), "Nothing was sent yet");
    j.subscribe("/hook", json!({})).await;
    let mut sent = Vec::new();
    for number in 0..5 {
        sent.push(j.api.send_one(&event(&format!("L{number}"))).await);
    }
    sent.reverse();
    let (mut found, mut path) = (Vec::new(), "/webhooks?limit=2".to_owned());
    loop {
        let page = visitor.page(&path).await;
        found.extend(traces(&page));
        let Some(next) =
            page.all("nav.pages a[rel=next]").first().map(|a| a.attr("href").expect("an address").to_owned())
        else {
            break;
        };
        path = next;
    }
    assert_eq!(found, sent);
}

#[tokio::test]
async fn a_delivery_says_for_what_it_waits_and_a_test_that_it_is_one() {
    let j = Journey::start().await;
    let held = j.subscribe("/hook", json!({})).await;
    by_hand(&j, &held, "hold").await;
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    j.api.delivery_when(&trace, |delivery| delivery["waiting"]["reason"] == "hold").await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page("/webhooks?waiting=hold").await;
    assert_eq!(traces(&page), [trace]);
    assert!(page.text("td[data-head=Status]").starts_with("Pending waits: the webhook is held since 20"));
    assert_eq!(page.text("td[data-head='Newest attempt']"), "none yet");
    // Before its first attempt it leads to its event.
    let href = page.attribute("td[data-head='Trace ID'] a", "href");
    let opened = visitor.page(href.split('#').next().expect("an address")).await;
    assert!(opened.text(".event-head h2").contains("Waits"));

    let id = text(&held["id"]);
    j.api.post(&format!("/v1/subscriptions/{id}/test"), &json!({"loanId": "T"})).await.expect_status(202);
    let page = visitor.page("/webhooks?test=true").await;
    assert_eq!(page.text(".test"), "test");
}

#[tokio::test]
async fn an_export_has_what_the_filters_let_pass_and_is_saved_as_a_file() {
    let of = EachKind::new().await;
    let mut visitor = signed_in(&of.j).await;
    let page = visitor.page("/webhooks?status=failed&limit=100").await;
    let links: Vec<_> =
        page.all(".exports a").iter().map(|a| a.attr("href").expect("an address").to_owned()).collect();
    for (link, format) in links.iter().zip(["text/csv", "application/x-ndjson"]) {
        let path = link.replace("&limit=100", "");
        let by_api =
            of.j.api.request("GET", "/v1/webhooks?status=failed").header("accept", format).send().await;
        let file = saved(&mut visitor, link).await;
        assert_eq!(file.1, by_api.expect_status(200).body, "{link}");
        assert_eq!(saved(&mut visitor, &path).await.1, file.1);
        assert!(file.0.starts_with("attachment; filename=\"deliveries."), "{}", file.0);
    }
    let line: Value =
        serde_json::from_slice(&saved(&mut visitor, &links[1]).await.1).expect("one line of JSON");
    assert_eq!(line["traceId"], of.failed.as_str());
    for wrong in
        ["/webhooks/export", "/webhooks/export?format=xml", "/webhooks/export?format=csv&status=lost"]
    {
        visitor.get(wrong).await.expect_status(404);
    }
    for purpose in ["script", "style", "image"] {
        let refused = visitor.get_for("/webhooks/export?format=csv", purpose).await;
        refused.expect_status(404);
    }
}

/// The `Content-Disposition` and the bytes of a file.
async fn saved(visitor: &mut Visitor, path: &str) -> (String, Vec<u8>) {
    let file = visitor.get(path).await.expect_status(200);
    assert_eq!(file.header("cache-control"), "no-store");
    (file.header("content-disposition").to_owned(), file.body.to_vec())
}
