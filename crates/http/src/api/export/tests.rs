use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::FromRequestParts as _;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::*;

/// A list of so many rows, 0, 1, 2, …, which is read from after a position.
async fn respond(request: Export, rows: usize, text: &'static str) -> Response {
    let read = move |after: Option<usize>, limit: usize| async move {
        let from = after.map_or(0, |after| after + 1);
        let to = rows.min(from + limit);
        let of = |n| (n, json!({"n": n, "text": text}));
        Ok::<_, Problem>(ExportPage { rows: (from..to).map(of).collect(), next: (to < rows).then(|| to - 1) })
    };
    request.respond(None::<usize>, read, |position| position.to_string()).await.expect("an answer")
}

fn request(limit: Option<usize>, bounded: bool) -> Export {
    let uri = "/v1/list?status=a%20b&cursor=old".parse().expect("a URI");
    RequestedExport { format: Some(ExportFormat::Csv), bounded, uri }.of(&["n"], limit).expect("an export")
}

async fn numbers(response: Response) -> (Option<String>, Vec<String>) {
    let link = response.headers().get(header::LINK).map(|link| link.to_str().expect("text").to_owned());
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    (link, text.lines().map(ToOwned::to_owned).collect())
}

fn expected(numbers: std::ops::Range<usize>) -> Vec<String> {
    std::iter::once("n".to_owned()).chain(numbers.map(|n| n.to_string())).collect()
}

#[tokio::test]
async fn a_list_is_streamed_to_its_end() {
    for rows in [0, 1, ROWS_PER_READ, 3 * ROWS_PER_READ + 1] {
        let (link, lines) = numbers(respond(request(None, false), rows, "").await).await;
        assert_eq!((link, lines), (None, expected(0..rows)));
    }
}

#[tokio::test]
async fn an_answer_with_a_limit_names_the_next_part() {
    for bounded in [false, true] {
        let (link, lines) = numbers(respond(request(Some(3), bounded), 4, "").await).await;
        assert_eq!(link.as_deref(), Some("<?status=a+b&cursor=2>; rel=\"next\""));
        assert_eq!(lines, expected(0..3));
        let (link, lines) = numbers(respond(request(Some(3), bounded), 3, "").await).await;
        assert_eq!((link, lines), (None, expected(0..3)));
    }
}

#[tokio::test]
async fn a_bounded_answer_has_at_most_so_many_rows_and_bytes() {
    let (link, lines) = numbers(respond(request(None, true), MAX_ROWS_PER_PART + 1, "").await).await;
    assert!(link.is_some_and(|link| link.contains(&format!("cursor={}>", MAX_ROWS_PER_PART - 1))));
    assert_eq!(lines, expected(0..MAX_ROWS_PER_PART));

    let long = "x".repeat(100_000).leak();
    let mut request = request(None, true);
    request.encoder.format = ExportFormat::Ndjson;
    let (link, lines) = numbers(respond(request, 400, long).await).await;
    let rows = MAX_PART_BYTES.div_ceil(lines[0].len() + 1);
    assert_eq!(lines.len(), rows, "it ends with the row that makes it that long");
    let last: Value = serde_json::from_str(&lines[rows - 1]).expect("whole rows");
    assert!(link.is_some_and(|link| link.contains(&format!("cursor={}>", last["n"]))));
}

#[tokio::test]
async fn an_error_on_the_way_breaks_the_body_off() {
    let reads = Arc::new(AtomicUsize::new(0));
    let read = move |_: Option<usize>, _: usize| {
        let first = reads.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            match first {
                true => Ok(ExportPage { rows: vec![(0, json!({"n": 0}))], next: Some(0) }),
                false => Err(Problem::unavailable()),
            }
        }
    };
    let response = request(None, false).respond(None, read, |position| position.to_string()).await;
    assert!(response.expect("the beginning").into_body().collect().await.is_err());
}

/// Of a filtered list in which little passes.
#[tokio::test]
async fn a_part_ends_with_a_read_that_was_not_full() {
    for (limit, bounded) in [(None, true), (Some(3), false), (Some(3), true)] {
        for found in [0, 1] {
            let reads = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&reads);
            let read = move |_: Option<usize>, _: usize| {
                counted.fetch_add(1, Ordering::Relaxed);
                let rows = (0..found).map(|n| (n, json!({"n": n}))).collect();
                async move { Ok::<_, Problem>(ExportPage { rows, next: Some(5000) }) }
            };
            let answer = request(limit, bounded).respond(None, read, |position| position.to_string()).await;
            let (link, lines) = numbers(answer.expect("an answer")).await;
            assert_eq!(link.as_deref(), Some("<?status=a+b&cursor=5000>; rel=\"next\""));
            assert_eq!((lines, reads.load(Ordering::Relaxed)), (expected(0..found), 1));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_streamed_is_bounded() {
    for (version, extension, bounded) in [
        (http::Version::HTTP_11, false, false),
        (http::Version::HTTP_2, false, false),
        (http::Version::HTTP_11, true, true),
        (http::Version::HTTP_10, false, true),
        (http::Version::HTTP_09, false, true),
    ] {
        let request = http::Request::get("/v1/list").version(version).header("accept", "text/csv");
        let mut request = request.body(()).expect("a request");
        if extension {
            request.extensions_mut().insert(BoundedExports);
        }
        let (mut parts, ()) = request.into_parts();
        let Ok(asked) = RequestedExport::from_request_parts(&mut parts, &()).await;
        let export = asked.of(&["n"], None).expect("an export");
        assert_eq!(export.max_rows, bounded.then_some(MAX_ROWS_PER_PART), "{version:?}");
    }
}
