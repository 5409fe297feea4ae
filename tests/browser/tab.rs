//! A tab of the browser: what a person does with the page and sees of it. Every look waits for what is not there yet.

use serde_json::Value;
use thirtyfour::{By, Key, TypingData, WebDriver, WebElement};

use crate::browser::{Chrome, Look};
use crate::harness::eventually;

pub(crate) struct Tab {
    chrome: Chrome,
}

impl Tab {
    pub(crate) async fn open(look: Look, address: &str) -> Option<Self> {
        let tab = Self { chrome: Chrome::start(look).await? };
        tab.go(address).await;
        Some(tab)
    }

    pub(crate) fn driver(&self) -> &WebDriver {
        &self.chrome.driver
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.chrome.folder.path()
    }

    pub(crate) async fn go(&self, address: &str) {
        self.driver().goto(address).await.expect("the page loads");
    }

    pub(crate) async fn close(self) {
        WebDriver::clone(&self.chrome.driver).quit().await.expect("the browser ends");
    }

    pub(crate) async fn address(&self) -> url::Url {
        self.driver().current_url().await.expect("an address")
    }

    /// The first visible element with this selector.
    pub(crate) async fn one(&self, selector: &str) -> WebElement {
        eventually(&format!("{selector} is seen"), async || {
            for element in self.all(selector).await {
                if element.is_displayed().await.unwrap_or(false) {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    pub(crate) async fn all(&self, selector: &str) -> Vec<WebElement> {
        self.driver().find_all(By::Css(selector)).await.unwrap_or_default()
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.one(selector).await.click().await.expect("it can be clicked");
    }

    /// Types into a field, instead of what is in it.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.one(selector).await;
        field.clear().await.expect("it is emptied");
        field.send_keys(text).await.expect("it is typed");
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        self.one(selector).await.text().await.expect("text")
    }

    /// Waits until the elements with this selector have exactly these texts.
    pub(crate) async fn wait_for_texts(&self, selector: &str, wanted: &[&str]) {
        let mut last = Vec::new();
        eventually(&format!("{selector} reads {wanted:?}"), async || {
            let texts = self.texts(selector).await?;
            if texts != last {
                eprintln!("{selector}: {texts:?}");
                last.clone_from(&texts);
            }
            (texts == wanted).then_some(())
        })
        .await;
    }

    /// The texts of these elements; none where the page changed while it was read.
    async fn texts(&self, selector: &str) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        for element in self.all(selector).await {
            texts.push(element.text().await.ok()?.trim().to_owned());
        }
        Some(texts)
    }

    /// Waits until an element with this selector contains this text.
    pub(crate) async fn wait_for_text(&self, selector: &str, wanted: &str) {
        eventually(&format!("{selector} says {wanted:?}"), async || {
            let texts = self.texts(selector).await?;
            texts.iter().any(|text| text.contains(wanted)).then_some(())
        })
        .await;
    }

    pub(crate) async fn attribute(&self, selector: &str, name: &str) -> String {
        let value = self.one(selector).await.attr(name).await.expect("an attribute");
        value.unwrap_or_else(|| panic!("{selector} has no {name}"))
    }

    /// Presses keys on the focused element.
    pub(crate) async fn press(&self, keys: impl Into<TypingData>) {
        self.driver().action_chain().send_keys(keys).perform().await.expect("keys are pressed");
    }

    /// Presses Tab until the focus is on such an element.
    pub(crate) async fn tab_to(&self, selector: &str) {
        for _ in 0..200 {
            if self.focus_is_on(selector).await {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("the keyboard does not reach {selector}");
    }

    pub(crate) async fn focus_is_on(&self, selector: &str) -> bool {
        let script = "return document.activeElement?.matches(arguments[0]) ?? false";
        self.run(script, vec![selector.into()]).await == Value::Bool(true)
    }

    /// Runs a script of the test, for which the policy of the page does not hold.
    pub(crate) async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let ran = self.driver().execute(script, arguments).await.expect("the script runs");
        ran.json().clone()
    }

    /// Sends the browser a DevTools command.
    pub(crate) async fn devtools(&self, command: &str, arguments: Value) {
        self.chrome.devtools(command, arguments).await;
    }

    pub(crate) async fn screenshot(&self) -> Vec<u8> {
        self.driver().screenshot_as_png().await.expect("a screenshot")
    }
}
