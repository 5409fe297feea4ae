//! The overview: its numbers are those of the report, its pictures say them, and what needs attention is named.

use std::time::SystemTime;

use chrono::TimeDelta;
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::signed_in;
use crate::across::EachKind;
use crate::flow::by_hand;
use crate::harness::{Journey, event_named, eventually, utc};
use crate::portal::visitor::Page;

/// The number of a tile, and what stands beneath it.
fn tile(page: &Page, name: &str) -> (String, String) {
    let names = page.texts(".tiles dt");
    let place = names.iter().position(|of| of == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
    (page.texts(".tiles .number")[place].clone(), page.texts(".tiles dd > .quiet")[place].clone())
}

#[tokio::test]
async fn numbers_and_pictures_say_what_the_report_says() {
    let of = EachKind::new().await;
    let j = &of.j;
    j.api.send_event(&event_named("Nobody wants this", "727")).await;
    let mut visitor = signed_in(j).await;
    for (span, periods) in [("hour", 2), ("day", 24), ("week", 7)] {
        let page = eventually("all is counted", async || {
            let page = visitor.page(&format!("/?span={span}")).await;
            (tile(&page, "Events accepted").0 == "5").then_some(page)
        })
        .await;
        assert_eq!(page.text(".tabs [aria-current]").to_lowercase(), span);
        assert_eq!(tile(&page, "Events accepted").1, "1 event without a webhook");
        assert_eq!(tile(&page, "Deliveries"), ("4".into(), "1 at the first attempt".into()));
        assert_eq!(tile(&page, "Attempts"), ("4".into(), "25.0 % succeeded".into()));
        assert_eq!(tile(&page, "Pending").0, "1");
        assert_eq!(tile(&page, "Exhausted").0, "1");
        let [bars, lag] = &page.all("figure")[..] else { panic!("two pictures") };
        let count = |figure: &scraper::ElementRef<'_>, name: &str, class: &str| {
            figure
                .descendent_elements()
                .filter(|of| of.value().name() == name && of.attr("class") == Some(class))
                .count()
        };
        assert_eq!(count(bars, "a", "period"), periods, "{span}");
        assert_eq!(count(lag, "a", "period"), 1, "only what was attempted has a lag");
        let names: Vec<_> = page
            .all("figure:first-of-type a.period")
            .iter()
            .map(|of| of.attr("aria-label").expect("a name").to_owned())
            .collect();
        let newest = names[periods - 1].as_str();
        assert!(
            newest.ends_with("4 attempts. 1 succeeded, 1 5xx, 2 no answer. Show the deliveries"),
            "{newest}"
        );
        // The same numbers, in a table.
        let cells = page.texts("figure:first-of-type .plain-table tbody tr:last-child td");
        assert_eq!(cells, ["1", "0", "1", "2"]);
        // What a column leads to are the deliveries of its period.
        let href = page.all("figure:first-of-type a.period")[periods - 1]
            .attr("href")
            .expect("an address")
            .to_owned();
        assert_eq!(visitor.page(&href).await.all("#deliveries tbody tr").len(), 4, "{href}");
        for (name, rows) in [("Pending", 1), ("Exhausted", 1), ("Deliveries", 4)] {
            let place = page.texts(".tiles dt").iter().position(|of| of == name).expect("a tile");
            let link = page.all(".tiles > div")[place].descendent_elements().find_map(|of| of.attr("href"));
            let list = visitor.page(link.expect("a link")).await;
            assert_eq!(list.all("#deliveries tbody tr").len(), rows, "{name}");
        }
    }
}

#[tokio::test]
async fn webhooks_that_fail_or_are_held_and_events_without_one_are_named() {
    let of = EachKind::new().await;
    let j = &of.j;
    let held = j.subscribe("/held", json!({"title": "Held", "criteria": {"events": ["Held"]}})).await;
    by_hand(j, &held, "hold").await;
    j.api.send_one(&event_named("Held", "731")).await;
    j.api.send_event(&event_named("Nobody wants this", "727")).await;
    let mut visitor = signed_in(j).await;
    let page = eventually("all is counted", async || {
        let page = visitor.page("/").await;
        (page.all(".attention .looks > li").len() == 3).then_some(page)
    })
    .await;
    let looks = page.texts(".attention .looks > li");
    assert!(
        looks[0].starts_with("Bad Failing 1 of 1 attempt of this hour and the one before failed."),
        "{looks:?}"
    );
    assert!(looks[1].starts_with("Later Failing 2 of 2 attempts"), "{looks:?}");
    assert!(looks[2].starts_with("Held Held Held by journey since 20"), "{looks:?}");
    assert!(looks[2].ends_with("1 delivery waits."), "{looks:?}");
    assert_eq!(page.texts("#unmatched tbody tr > *"), ["Nobody wants this", "1", "1"]);
    for link in page.all(".attention a") {
        visitor.get(link.attr("href").expect("an address")).await.expect_status(200);
    }
}

#[tokio::test]
async fn an_empty_tenant_has_a_calm_overview_and_a_span_that_there_is_not_is_a_day() {
    let j = Journey::start().await;
    let mut visitor = signed_in(&j).await;
    let page = visitor.page("/?span=year").await;
    assert_eq!(page.text(".tabs [aria-current]"), "Day");
    assert_eq!(tile(&page, "Attempts").0, "0");
    assert_eq!(page.texts(".calm").len(), 2);
    assert_eq!(page.all("figure:first-of-type .series").len(), 4, "those of the legend");
}

#[tokio::test]
async fn the_report_is_exported_as_the_api_does() {
    let of = EachKind::new().await;
    let j = &of.j;
    j.subscribe("/hook", json!({"title": "=1+1", "criteria": {"events": ["Formula"]}})).await;
    j.api.ended_delivery(&j.api.send_one(&event_named("Formula", "727")).await).await;
    let mut visitor = signed_in(j).await;
    for (span, by, periods) in [("hour", "hour", 2), ("day", "hour", 24), ("week", "day", 7)] {
        let page = eventually("all is counted", async || {
            let page = visitor.page(&format!("/?span={span}")).await;
            (tile(&page, "Events accepted").0 == "5").then_some(page)
        })
        .await;
        let links: Vec<_> =
            page.all(".exports a").iter().map(|a| a.attr("href").expect("an address").to_owned()).collect();
        for (link, group) in links.iter().zip(["subscription", "event", "none"]) {
            let file = visitor.get(link).await.expect_status(200);
            assert_eq!(file.header("content-type"), "text/csv; charset=utf-8; header=present");
            let name = format!("attachment; filename=\"report-{span}-{group}.csv\"");
            assert_eq!(file.header("content-disposition"), name);
            let length = periods * if by == "hour" { 1 } else { 24 };
            let from = (utc(SystemTime::now()) - TimeDelta::hours(length - 1)).to_rfc3339();
            let query = Serializer::new(String::new())
                .extend_pairs([("from", &*from), ("by", by), ("group", group)])
                .finish();
            let asked =
                j.api.request("GET", &format!("/v1/reports/deliveries?{query}")).header("accept", "text/csv");
            let same = asked.send().await.expect_status(200);
            let [file, same] =
                [&file.body, &same.body].map(|body| String::from_utf8_lossy(body).into_owned());
            assert_eq!(file, same, "{link}");
            assert_eq!(file.contains("'=1+1"), group == "subscription", "a spreadsheet runs no title");
        }
    }
    for query in ["", "?span=day", "?span=year&group=none", "?span=day&group=loan"] {
        visitor.get(&format!("/report{query}")).await.expect_status(404);
    }
    assert_eq!(visitor.get_for("/report?span=day&group=none", "image").await.status, 404);
    let mut nobody = crate::portal::visitor::Visitor::new(j);
    nobody.get("/report?span=day&group=none").await.expect_status(303);
}
