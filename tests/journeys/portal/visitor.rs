//! A visitor: a client of the pages that keeps cookies as a browser does and says where its forms came from.

use std::collections::BTreeMap;

use scraper::{ElementRef, Html, Selector};
use url::form_urlencoded::Serializer;

use crate::harness::{Api, ApiResponse, Journey};

pub(crate) struct Visitor {
    api: Api,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn new(j: &Journey) -> Self {
        Self { api: j.api.with_key(None), cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> ApiResponse {
        let answer = self.api.request("GET", path).header("cookie", &self.cookie_header());
        let answer = answer.header("accept", "text/html,*/*;q=0.8").send().await;
        self.store_cookies(&answer);
        answer
    }

    /// A GET with this `Sec-Fetch-Dest`.
    pub(crate) async fn get_for(&self, path: &str, purpose: &str) -> ApiResponse {
        let asked = self.api.request("GET", path).header("cookie", &self.cookie_header());
        asked.header("sec-fetch-dest", purpose).send().await
    }

    /// Submits a form from a page of the same site.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> ApiResponse {
        self.post_from(path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Submits a form, with these headers that say where it came from.
    pub(crate) async fn post_from(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        from: &[(&str, &str)],
    ) -> ApiResponse {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let asked = self.api.request("POST", path).header("cookie", &self.cookie_header());
        let asked = from.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
        let answer = asked.body(body).send().await;
        self.store_cookies(&answer);
        answer
    }

    /// A page that must be answered with 200.
    pub(crate) async fn page(&mut self, path: &str) -> Page {
        Page::of(&self.get(path).await.expect_status(200))
    }

    fn cookie_header(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn store_cookies(&mut self, answer: &ApiResponse) {
        for cookie in cookies(answer) {
            let (pair, rest) = cookie.split_once(';').expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if rest.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The `Set-Cookie` headers of a response.
pub(crate) fn cookies(answer: &ApiResponse) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().expect("a cookie is ASCII").to_owned()).collect()
}

/// A page, parsed.
pub(crate) struct Page(Html);

impl Page {
    pub(crate) fn of(answer: &ApiResponse) -> Self {
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{answer:?}");
        Self(Html::parse_document(std::str::from_utf8(&answer.body).expect("a page is UTF-8")))
    }

    pub(crate) fn all(&self, selector: &str) -> Vec<ElementRef<'_>> {
        let selector = Selector::parse(selector).expect("a selector");
        self.0.root_element().descendent_elements().filter(|element| selector.matches(element)).collect()
    }

    #[track_caller]
    pub(crate) fn one(&self, selector: &str) -> ElementRef<'_> {
        let mut all = self.all(selector);
        assert_eq!(all.len(), 1, "one {selector} in {}", self.0.html());
        all.remove(0)
    }

    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        self.all(selector).into_iter().map(text_of).collect()
    }

    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        text_of(self.one(selector))
    }

    /// An attribute of the only element with this selector.
    #[track_caller]
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> String {
        let value = self.one(selector).attr(name);
        value.unwrap_or_else(|| panic!("{selector} has no {name}")).to_owned()
    }

    /// The IDs of the rows, in their order.
    pub(crate) fn rows(&self) -> Vec<String> {
        let rows = self.all("#webhooks > tbody > tr[data-id]");
        rows.iter().map(|row| row.attr("data-id").expect("an ID").to_owned()).collect()
    }

    /// The value of a field of the open row.
    #[track_caller]
    pub(crate) fn fact(&self, name: &str) -> String {
        let facts = self.all(".facts > div");
        let dt = Selector::parse("dt").expect("a selector");
        let dd = Selector::parse("dd").expect("a selector");
        let named = |fact: &&ElementRef<'_>| fact.select(&dt).any(|dt| text_of(dt) == name);
        let fact = facts.iter().find(named).unwrap_or_else(|| panic!("there is no {name}"));
        text_of(fact.select(&dd).next().expect("a fact has a value"))
    }
}

fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
