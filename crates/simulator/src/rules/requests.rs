//! A request that leaves: its row stands, it is what was frozen, and nothing of its delivery or its subscription forbids it.

use loanhook_core::model::attempt::{AttemptNumber, AttemptState};
use loanhook_core::model::payload::Payload;
use loanhook_core::ports::WebhookRequest;
use loanhook_memory::State;

use super::{Rule, flow};
use crate::model::SentRequest;
use crate::settings::{CREDENTIAL_HEADER, EVENT_HEADER, credential_of};
use crate::throttles::PermitId;
use crate::world::Inner;

pub(crate) fn check(inner: &mut Inner, (state, permit): (&State, PermitId), request: &WebhookRequest) {
    let checked = checked(inner, state, request).and_then(|()| flow::leaves(inner, permit));
    if let Err((rule, detail)) = checked {
        let (delivery, attempt) =
            (inner.trace.delivery(request.trace_id), inner.trace.attempt(request.attempt_id));
        inner.broken(rule, format!("request {attempt} of {delivery}, number {}: {detail}", request.number));
    }
}

fn checked(inner: &mut Inner, state: &State, request: &WebhookRequest) -> Result<(), (Rule, String)> {
    let broken = |rule, detail: &str| Err((rule, detail.to_owned()));
    let row = state.rows.get(&(request.tenant.clone(), request.attempt_id)).and_then(|row| row.readable());
    match row {
        None => return broken(Rule::RowBeforeRequest, "it has no row"),
        Some(row) if (row.trace_id, row.number) != (request.trace_id, request.number) => {
            return broken(Rule::RowBeforeRequest, "its row is of another attempt");
        }
        Some(row) if !matches!(row.state, AttemptState::Sending { .. }) => {
            return broken(Rule::RowBeforeRequest, &format!("its row is {:?}", row.outcome()));
        }
        Some(_) => {}
    }
    let model = &mut inner.model;
    let Some(seen) = model.deliveries.get_mut(&(request.tenant.clone(), request.trace_id)) else {
        return broken(Rule::RowBeforeRequest, "it is of a delivery that is not stored");
    };
    let snapshot = &seen.snapshot;
    let frozen = &snapshot.request;
    let as_frozen = Payload::of(&request.body) == frozen.payload
        && request.url == frozen.url
        && frozen.headers.all().iter().all(|(name, value)| request.headers.get(name) == Some(value))
        && (&request.content_type, request.method) == (&frozen.content_type, frozen.method)
        && (&request.event_name, &request.loan_id) == (&snapshot.event_name, &snapshot.loan_id)
        && (&request.occurred_at, request.test) == (&snapshot.occurred_at, snapshot.test)
        && request.sequence == snapshot.sequence;
    if !as_frozen {
        return broken(Rule::FrozenBytes, "it is not what was frozen at intake");
    }
    let credentials: Vec<_> =
        request.headers.iter().filter(|(name, _)| !frozen.headers.all().contains_key(*name)).collect();
    if credentials != [(&CREDENTIAL_HEADER.to_owned(), &credential_of(&request.url))] {
        return broken(Rule::OwnCredentials, "it has other credentials than those of its host");
    }
    let number = request.headers.get(EVENT_HEADER).and_then(|number| number.parse().ok());
    let Some(number) = number else {
        return broken(Rule::FrozenBytes, "it does not say of which event it is");
    };
    let event = (request.tenant.clone(), number, snapshot.subscription_id);
    if *model.received.entry(event).or_insert(request.trace_id) != request.trace_id {
        return broken(Rule::DuplicateMakesNothing, "the receiver got this event by another delivery");
    }
    if model.sent.insert(request.attempt_id, SentRequest::default()).is_some() {
        return broken(Rule::OneAttemptPerNumber, "it left before");
    }
    if let AttemptNumber::Auto(number) = request.number {
        if seen.requests.insert(number, request.attempt_id).is_some() {
            return broken(Rule::OneAttemptPerNumber, "another attempt of this number left before");
        }
        if seen.canceled.is_some_and(|in_flight| in_flight != Some(request.attempt_id)) {
            return broken(Rule::CanceledIsFinal, "its delivery was canceled before it was claimed");
        }
    }
    Ok(())
}
