//! A form as a browser without JavaScript sends it: read from a page, changed as a person would, and sent.

use scraper::{ElementRef, Selector};

use crate::harness::ApiResponse;
use crate::portal::visitor::{Page, Visitor};

/// The fields of the form of a webhook, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filled(Vec<(String, String)>);

impl Filled {
    /// What a browser would send of the form of this page, whichever button is pressed.
    pub(crate) fn of(page: &Page) -> Self {
        let form = page.one("form.settings");
        let fields = Selector::parse("input, textarea, select").expect("a selector");
        Self(form.select(&fields).filter_map(field).collect())
    }

    /// With one value in a field, instead of those that it has.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some(field) => value.clone_into(&mut field.1),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// With these values in these fields.
    pub(crate) fn with(self, fields: &[(&str, &str)]) -> Self {
        fields.iter().fold(self, |filled, (name, value)| filled.set(name, value))
    }

    /// With this box ticked too.
    pub(crate) fn tick(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The fields by name: what a page shows may be in another order.
    pub(crate) fn sorted(&self) -> Vec<(String, String)> {
        let mut fields = self.0.clone();
        fields.sort();
        fields
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Presses a button of the form. Line breaks leave as browsers send them.
    pub(crate) async fn press(&self, visitor: &mut Visitor, path: &str, action: &str) -> ApiResponse {
        let broken = |text: &str| text.replace("\r\n", "\n").replace('\n', "\r\n");
        let fields: Vec<_> = self.0.iter().map(|(name, value)| (name.clone(), broken(value))).collect();
        let mut fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        fields.push(("action", action));
        visitor.post(path, &fields).await
    }
}

/// The name and the value of a field, if a browser sends it.
fn field(element: ElementRef<'_>) -> Option<(String, String)> {
    let attribute = |name| element.attr(name).map(str::to_owned);
    let name = attribute("name")?;
    let value = match (element.value().name(), element.attr("type")) {
        ("textarea", _) => element.text().collect(),
        ("select", _) => {
            let options = Selector::parse("option").expect("a selector");
            let chosen = element.select(&options).find(|option| option.attr("selected").is_some());
            chosen.or_else(|| element.select(&options).next())?.attr("value")?.to_owned()
        }
        (_, Some("checkbox" | "radio")) if element.attr("checked").is_none() => return None,
        _ => attribute("value").unwrap_or_default(),
    };
    Some((name, value))
}
