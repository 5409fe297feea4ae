//! Try-out: a formula or a template over a sample context, before it is saved.

use serde_json::value::RawValue;

use crate::model::event::{Event, EventInput};
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::TraceId;
use crate::model::rendering::{sent_header, sent_url};
use crate::model::subscription::{MAX_HEADERS, MAX_URL, url_fault, value_fault};
use crate::model::template::{MAX_BODY, Target, Template, Variables};
use crate::model::time::Timestamp;
use crate::model::validation::ValidationErrors;
use loanhook_formula::{Formula, FormulaValue};

/// A template to be rendered for an event.
#[derive(Debug)]
pub struct Rendering {
    pub template: String,
    pub target: Target,
    pub event: Event,
    pub trace_id: TraceId,
}

const NOT_UNICODE: &str = "has a name that is not Unicode";

/// A formula's value over the variables of a loan; what is wrong is told with its line and column.
pub fn evaluate(
    formula: &str,
    context: Box<RawValue>,
    now: Timestamp,
) -> Result<FormulaValue, ValidationErrors> {
    let wrong = |error| {
        let mut faults = ValidationErrors::default();
        faults.add_formula("/formula", &error);
        faults
    };
    let formula = Formula::parse(formula).map_err(wrong)?;
    let event =
        EventInput { event_name: "Test".into(), loan_id: "1".into(), context, occurred_at: None }.check()?;
    let evaluation = EventEvaluation::new(&event, now);
    let context = evaluation.context().ok_or_else(|| ValidationErrors::one("/context", NOT_UNICODE))?;
    formula.evaluate(context).map_err(wrong)
}

/// What a template comes to for an event, as it would be sent. What could not be saved is refused.
pub fn render(rendering: &Rendering, now: Timestamp) -> Result<String, ValidationErrors> {
    let wrong = |detail, at| {
        let mut faults = ValidationErrors::default();
        faults.add_at("/template", detail, at);
        faults
    };
    let template = Template::parse(&rendering.template, rendering.target)
        .map_err(|error| wrong(error.to_string(), error.at))?;
    let (fault, most) = match rendering.target {
        Target::Url => (url_fault(&rendering.template, &template), MAX_URL),
        Target::Header => (value_fault(&template), MAX_HEADERS),
        Target::Body(_) => (None, MAX_BODY),
    };
    if let Some(fault) = fault {
        return Err(ValidationErrors::one("/template", fault));
    }
    let evaluation = EventEvaluation::new(&rendering.event, now);
    let context = evaluation.context().ok_or_else(|| ValidationErrors::one("/context", NOT_UNICODE))?;
    let variables = Variables::of(&evaluation, context, rendering.trace_id);
    let rendered = template.render(&variables, most).map_err(|error| wrong(error.to_string(), error.at))?;
    let sent = match rendering.target {
        Target::Url => sent_url(rendered),
        Target::Header => sent_header(&rendered),
        Target::Body(_) => Ok(rendered),
    };
    sent.map_err(|fault| ValidationErrors::one("/template", fault))
}
