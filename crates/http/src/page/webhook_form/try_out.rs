//! The try-out of a form: its settings on an event of a loan, or on sample variables, before they are saved. Nothing is stored or sent.

use serde_json::value::RawValue;

use super::faults::Faults;
use super::rows::Rows;
use super::samples;
use crate::page::error_page::ErrorPage;
use crate::page::form::Form;
use loanhook_core::model::event::{Event, EventInput};
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::ledger::LedgerEvent;
use loanhook_core::model::subscription::Settings;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Ledger, Payloads};
use loanhook_core::stored_event;
use loanhook_core::trial::{self, Trial};

/// How many events of a loan are offered.
const MAX_EVENTS: usize = 20;
pub(in crate::page) const LOAN_FIELD: &str = "tryLoan";
/// The loan whose events the form shows.
pub(in crate::page) const SHOWN_LOAN_FIELD: &str = "tryShownLoan";
pub(in crate::page) const EVENT_FIELD: &str = "tryEvent";
pub(in crate::page) const CONTEXT_FIELD: &str = "tryContext";
/// The value of the field of events for the sample variables.
pub(in crate::page) const SAMPLE: &str = "sample";

/// What was tried.
pub(in crate::page) struct TryOut {
    /// The newest events of the loan.
    pub(in crate::page) events: Vec<LedgerEvent>,
    /// The one that was tried; none is a sample.
    pub(in crate::page) event: Option<LedgerEvent>,
    /// The name of the event that was tried.
    pub(in crate::page) event_name: String,
    /// The variables of the sample, if it was tried, as JSON.
    pub(in crate::page) sample: Option<String>,
    /// Why another event was tried than was asked for.
    pub(in crate::page) notice: Option<&'static str>,
    /// None where the sample variables are wrong.
    pub(in crate::page) trial: Option<Trial>,
    /// Names of headers whose stored values are kept: they are shown to nobody.
    pub(in crate::page) kept_headers: Vec<String>,
}

/// Tries settings that keep every rule. What is wrong with the loan or the sample is added to `faults`.
pub(super) async fn try_out<S: Ledger + Payloads>(
    store: &S,
    tenant: &TenantId,
    (form, settings): (&Form, Settings),
    faults: &mut Faults,
) -> Result<TryOut, ErrorPage> {
    let now = Timestamp::now();
    let kept = Rows::Headers.of(form).into_iter().filter(|row| row.keeps_value());
    let mut tried = TryOut {
        events: Vec::new(),
        event: None,
        event_name: String::new(),
        sample: None,
        notice: None,
        trial: None,
        kept_headers: kept.map(|row| row.name.to_owned()).collect(),
    };
    let event = match trial::operational_sample(&settings, tenant, now) {
        Some(sample) => {
            tried.notice = Some("Operational events belong to no loan: a sample of one was tried.");
            Some(sample)
        }
        None => event(store, tenant, (form, &settings), &mut tried, faults).await?,
    };
    if let Some(event) = event {
        tried.event_name.clone_from(&event.name);
        tried.trial = Some(trial::try_settings(settings, tenant, &event, now));
    }
    Ok(tried)
}

/// The event to try: one of the loan, or a sample.
async fn event<S: Ledger + Payloads>(
    store: &S,
    tenant: &TenantId,
    (form, settings): (&Form, &Settings),
    tried: &mut TryOut,
    faults: &mut Faults,
) -> Result<Option<Event>, ErrorPage> {
    let typed = form.get(LOAN_FIELD).trim();
    let loan = match LoanId::try_from(typed.to_owned()) {
        Ok(loan) => Some(loan),
        Err(_) if typed.is_empty() => None,
        Err(fault) => {
            faults.add(LOAN_FIELD, fault);
            return Ok(None);
        }
    };
    if let Some(loan) = &loan {
        tried.events = store.events(tenant, loan, None, None, MAX_EVENTS).await?;
        let asked = if form.get(SHOWN_LOAN_FIELD) == typed { form.get(EVENT_FIELD) } else { "" };
        let chosen = if asked == SAMPLE { None } else { chosen(store, (tenant, loan), asked, tried).await? };
        if let Some(chosen) = chosen {
            match stored_event::event(store, &chosen).await? {
                Some(event) => {
                    tried.event = Some(chosen);
                    return Ok(Some(event));
                }
                None => {
                    tried.notice = Some(
                        "The variables of that event are not kept any more: the sample variables were tried.",
                    );
                }
            }
        } else if tried.events.is_empty() {
            tried.notice = Some("That loan has no event yet: the sample variables were tried.");
        }
    }
    let name = samples::name(&settings.criteria);
    let typed_context = form.get(CONTEXT_FIELD).trim();
    // A sample that was filled in is of the event that was picked then.
    let is_typed = !typed_context.is_empty() && !samples::is_filled_in(typed_context);
    let context = if is_typed { typed_context.to_owned() } else { samples::context(&name) };
    tried.sample = Some(context.clone());
    let loan_id = loan.map_or_else(|| "1".to_owned(), |loan| loan.to_string());
    let input = RawValue::from_string(context)
        .map_err(|error| format!("must be a JSON object of variables: {error}"))
        .map(|context| EventInput { event_name: name, loan_id, context, occurred_at: None })
        .and_then(|input| {
            let sentence = |error: &loanhook_core::model::validation::ValidationError| error.detail.clone();
            input.check().map_err(|errors| errors.0.iter().map(sentence).collect::<Vec<_>>().join("; "))
        });
    Ok(input.map_err(|fault| faults.add(CONTEXT_FIELD, fault)).ok())
}

/// The event of a loan that was asked for, however many came after it; else the newest one, and that this is so.
async fn chosen<S: Ledger>(
    store: &S,
    (tenant, loan): (&TenantId, &LoanId),
    asked: &str,
    tried: &mut TryOut,
) -> Result<Option<LedgerEvent>, ErrorPage> {
    if let Some(listed) = tried.events.iter().find(|event| event.id.to_string() == asked) {
        return Ok(Some(listed.clone()));
    }
    if let Ok(id) = asked.parse() {
        let found = store.event(tenant, id).await?.filter(|event| event.loan_id == *loan);
        match found {
            // It can be chosen again.
            Some(found) => {
                tried.events.push(found.clone());
                return Ok(Some(found));
            }
            None => {
                tried.notice =
                    Some("The event that you chose is not kept any more: the newest one was tried.")
            }
        }
    }
    Ok(tried.events.first().cloned())
}
