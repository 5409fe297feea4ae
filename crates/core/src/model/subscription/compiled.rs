//! Compiled parts of a subscription: its formulas, templates and event names, read once.
//!
//! They were read when they were saved, too, so that none is wrong; one that this program does not take any more (it was saved by
//! another version) fails at each event, as any formula or template that fails.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{Criteria, Origin, Settings};
use crate::model::event_names::EventNames;
use crate::model::secret_search::SecretSearch;
use crate::model::template::{Target, Template, TemplateError};
use loanhook_formula::{Formula, FormulaError};

pub(in crate::model) struct Compiled {
    /// Of the events that it names, but for `*`.
    pub(in crate::model) events: EventNames,
    pub(in crate::model) trigger: Option<Result<Formula, FormulaError>>,
    pub(in crate::model) restriction: Option<Result<Formula, FormulaError>>,
    pub(in crate::model) url: Result<Template, TemplateError>,
    /// That of the URL; none where it cannot be read.
    pub(in crate::model) origin: Option<Origin>,
    pub(in crate::model) headers: BTreeMap<String, Result<Template, TemplateError>>,
    pub(in crate::model) payload: Option<Result<Template, TemplateError>>,
    /// For the secrets of a request in its answer; made at the first answer.
    secret_search: OnceLock<SecretSearch>,
}

impl Settings {
    /// The search for the secrets of a request in its answer, which is made at its first use.
    pub fn secret_search(&self, make: impl FnOnce() -> SecretSearch) -> &SecretSearch {
        self.compiled.of(self).secret_search.get_or_init(make)
    }
}

/// A place for them, filled at their first use. A copy begins with an empty one, as it may be changed; settings
/// that were used are never changed in place.
#[derive(Default)]
pub struct CompiledCache(OnceLock<Arc<Compiled>>);

impl CompiledCache {
    pub(in crate::model) fn of<'a>(&'a self, settings: &Settings) -> &'a Compiled {
        self.0.get_or_init(|| Arc::new(Compiled::new(settings)))
    }
}

impl Clone for CompiledCache {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for CompiledCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CompiledCache")
    }
}

impl Compiled {
    fn new(settings: &Settings) -> Self {
        let request = &settings.request;
        let trigger = match &settings.criteria {
            Criteria::Events(_) | Criteria::Operational(_) => None,
            Criteria::Trigger { trigger, .. } => Some(Formula::parse(trigger)),
        };
        let header =
            |(name, value): (&String, &String)| (name.clone(), Template::parse(value, Target::Header));
        let events = match &settings.criteria {
            Criteria::Events(names) => names.iter().map(String::as_str).filter(|name| *name != "*").collect(),
            Criteria::Trigger { .. } | Criteria::Operational(_) => Vec::new(),
        };
        Self {
            events: EventNames::of(events.into_iter()),
            trigger,
            restriction: settings.restriction.as_deref().map(Formula::parse),
            url: Template::parse(&request.url, Target::Url),
            origin: Origin::of_template(&request.url),
            headers: request.headers.iter().map(header).collect(),
            payload: request
                .payload
                .as_deref()
                .map(|payload| Template::parse(payload, Target::body(&request.content_type))),
            secret_search: OnceLock::new(),
        }
    }
}
