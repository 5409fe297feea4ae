//! Pages of the history of a loan and of the attempts of a delivery.

use serde_json::{Value, json};

use crate::harness::{
    Journey, Launch, Reply, Server, attempts_of, event, event_named, eventually, instant, items_of, row_ids,
    text,
};

async fn page(j: &Journey, query: &str) -> (Vec<Value>, Option<String>) {
    let page = j.api.get(&format!("/v1/loans/727/webhooks{query}")).await.expect_status(200).json();
    let items = items_of(&page).clone();
    assert!(page.as_object().expect("an object").contains_key("next"), "{page}");
    (items, page["next"].as_str().map(str::to_owned))
}

/// Sends `count` events one after the other and returns the IDs of their rows, newest first.
async fn deliver(j: &Journey, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
        ids.insert(0, text(&delivery["attempts"][0]["id"]).to_owned());
    }
    ids
}

#[tokio::test]
async fn a_loans_history_is_newest_first() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let newest_first = deliver(&j, 5).await;
    let rows = j.api.rows("727", "").await;
    assert_eq!(row_ids(&rows), newest_first);
    assert!(rows.windows(2).all(|two| instant(&two[0]["sentAt"]) >= instant(&two[1]["sentAt"])));
}

#[tokio::test]
async fn pages_have_no_gap_and_no_repeat_while_new_rows_are_added() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let newest_first = deliver(&j, 7).await;

    let (mut read, mut next) = page(&j, "?limit=3").await;
    assert_eq!(read.len(), 3);
    while let Some(cursor) = next {
        deliver(&j, 1).await;
        let (items, following) = page(&j, &format!("?limit=3&cursor={cursor}")).await;
        assert!(!items.is_empty() || following.is_none(), "a page before the last is not empty");
        read.extend(items);
        next = following;
    }

    assert_eq!(
        row_ids(&read),
        newest_first,
        "what came after the first page was asked for is not among them"
    );
}

#[tokio::test]
async fn a_page_has_50_rows_by_default_and_at_most_200() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for events in [100, 100, 10] {
        j.api.send_batch(vec![event("727"); events]).await;
    }
    for _ in 0..210 {
        j.receiver.next_request().await;
    }
    assert_eq!(page(&j, "").await.0.len(), 50);
    assert_eq!(page(&j, "?limit=1").await.0.len(), 1);
    let (rows, next) = page(&j, "?limit=200").await;
    assert_eq!(rows.len(), 200);
    let (rest, end) = page(&j, &format!("?limit=200&cursor={}", next.expect("ten more"))).await;
    assert_eq!((rest.len(), end), (10, None));
    assert_eq!(page(&j, "?limit=200&outcome=succeeded").await.0.len(), 200, "a filtered page is full too");
    for limit in ["0", "201", "-1", "many", "1.5", ""] {
        j.api.get(&format!("/v1/loans/727/webhooks?limit={limit}")).await.expect_problem(422);
    }
}

#[tokio::test]
async fn a_filtered_page_is_full_even_if_few_rows_match() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let mut events = vec![event_named("Common", "727"); 90];
    for place in [80, 60, 40, 20, 0] {
        events.insert(place, event_named("Rare", "727"));
    }
    j.api.send_batch(events).await;
    for _ in 0..95 {
        j.receiver.next_request().await;
    }
    let (first, next) = page(&j, "?eventName=Rare&limit=3").await;
    assert_eq!(first.len(), 3);
    let (second, _) = page(&j, &format!("?eventName=Rare&limit=3&cursor={}", next.expect("two more"))).await;
    assert_eq!(second.len(), 2);
    assert!(first.iter().chain(&second).all(|row| row["eventName"] == "Rare"));
}

#[tokio::test]
async fn a_filtered_page_examines_at_most_5000_rows_and_the_next_page_goes_on() {
    let Some(server) =
        Server::own_process_with(Launch { allowed_networks: Vec::new(), ..Launch::default() }).await
    else {
        return;
    };
    let j = Journey::on_server(server).await;
    // Blocked at once, so that thousands of rows cost little.
    j.subscribe("/hook", json!({})).await;
    let post = async |events: Vec<Value>| drop(j.api.send_batch(events).await);
    post(vec![event_named("Rare", "727")]).await;
    eventually("the first row", async || (j.api.rows("727", "").await.len() == 1).then_some(())).await;
    for _ in 0..51 {
        post(vec![event_named("Common", "727"); 100]).await;
    }
    let all = async |query: &str| {
        let (mut found, mut pages, mut next) = (0, 0, Some(String::new()));
        while let Some(cursor) = next {
            let (rows, following) = page(&j, &format!("?limit=200{query}{cursor}")).await;
            (found, pages) = (found + rows.len(), pages + 1);
            next = following.map(|next| format!("&cursor={next}"));
        }
        (found, pages)
    };
    eventually("5,101 rows", async || (all("").await.0 == 5_101).then_some(())).await;

    let (found, pages) = all("&eventName=Rare").await;

    assert_eq!(found, 1);
    assert!(pages <= 3, "5,000 rows are examined for a page: {pages}");
}

#[tokio::test]
async fn the_attempts_of_a_delivery_are_paged() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let headers: Vec<_> = (0..20).map(|n| format!("x-{n}")).collect();
    let long = "h".repeat(700);
    let headers: Vec<_> = headers.iter().map(|name| (name.as_str(), long.as_str())).collect();
    j.receiver.always("/hook", Reply::with(200, &headers, b"ok"));
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    for _ in 0..105 {
        j.api.resend(&trace).await;
    }
    let page =
        async |query: &str| j.api.get(&format!("/v1/webhooks/{trace}{query}")).await.expect_status(200);
    let all = eventually("every resend has ended", async || {
        let page = page("?limit=200").await.json();
        attempts_of(&page).iter().all(|row| row["outcome"] == "succeeded").then_some(page)
    })
    .await;
    assert_eq!((attempts_of(&all).len(), &all["next"]), (106, &json!(null)));
    assert!(
        attempts_of(&all).windows(2).all(|two| text(&two[0]["id"]) < text(&two[1]["id"])),
        "oldest first"
    );

    let first = page("").await;
    assert!(first.body.len() < 1 << 18, "{} bytes, without the headers of the answers", first.body.len());
    let first = first.json();
    assert_eq!(attempts_of(&first), &attempts_of(&all)[..100]);
    let rest = page(&format!("?cursor={}", text(&first["next"]))).await.json();
    assert_eq!((attempts_of(&rest), &rest["next"]), (&attempts_of(&all)[100..].to_vec(), &json!(null)));
    for field in ["status", "traceId", "eventId"] {
        assert_eq!(rest[field], all[field], "every page says what the delivery is");
    }
    let (mut read, mut next) = (Vec::new(), Some(String::new()));
    while let Some(cursor) = next {
        let page = page(&format!("?limit=40{cursor}")).await.json();
        read.extend(attempts_of(&page).clone());
        next = page["next"].as_str().map(|next| format!("&cursor={next}"));
    }
    assert_eq!(&read, attempts_of(&all));
    for wrong in ["limit=0", "limit=201", "limit=", "cursor=x", "outcome=failed"] {
        j.api.get(&format!("/v1/webhooks/{trace}?{wrong}")).await.expect_problem(422);
    }
    // Its first attempt is named among them, and its last.
    let again =
        j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/1")).await.expect_status(202).json();
    let row = j.api.rows("727", "").await.into_iter().find(|row| row["id"] == again["id"]).expect("its row");
    assert_eq!((&row["resendOf"], &row["resends"]), (&attempts_of(&all)[0]["id"], &json!(106)));
}
