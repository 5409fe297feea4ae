//! Columns of exports in CSV: every field that a row of the list can have, in the order in which a person reads them.

/// Of the attempts of a loan.
pub(in crate::api) const ATTEMPT_COLUMNS: &[&str] = &[
    "id",
    "traceId",
    "loanId",
    "eventTitle",
    "eventName",
    "subscriptionId",
    "subscriptionVersion",
    "method",
    "destination",
    "attemptNumber",
    "manual",
    "requestedBy",
    "resendOf",
    "resends",
    "occurredAt",
    "test",
    "outcome",
    "responseCode",
    "error.kind",
    "error.phase",
    "error.detail",
    "sentAt",
    "responseTimeMs",
    "sourceIp",
    "nextAttemptAt",
    "source.bytes",
    "source.contentType",
    "source.href",
    "response.bytes",
    "response.contentType",
    "response.truncated",
    "response.headersDropped",
    "response.href",
];

/// Of deliveries across loans.
pub(in crate::api) const DELIVERY_COLUMNS: &[&str] = &[
    "traceId",
    "loanId",
    "eventTitle",
    "eventName",
    "subscriptionId",
    "eventId",
    "occurredAt",
    "acceptedAt",
    "test",
    "sequence",
    "status",
    "waiting.reason",
    "waiting.since",
    "nextAttemptAt",
    "newestAttempt.id",
    "newestAttempt.traceId",
    "newestAttempt.loanId",
    "newestAttempt.eventTitle",
    "newestAttempt.eventName",
    "newestAttempt.subscriptionId",
    "newestAttempt.subscriptionVersion",
    "newestAttempt.method",
    "newestAttempt.destination",
    "newestAttempt.attemptNumber",
    "newestAttempt.manual",
    "newestAttempt.requestedBy",
    "newestAttempt.resendOf",
    "newestAttempt.resends",
    "newestAttempt.occurredAt",
    "newestAttempt.test",
    "newestAttempt.outcome",
    "newestAttempt.responseCode",
    "newestAttempt.error.kind",
    "newestAttempt.error.phase",
    "newestAttempt.error.detail",
    "newestAttempt.sentAt",
    "newestAttempt.responseTimeMs",
    "newestAttempt.sourceIp",
    "newestAttempt.nextAttemptAt",
    "newestAttempt.source.bytes",
    "newestAttempt.source.contentType",
    "newestAttempt.source.href",
    "newestAttempt.response.bytes",
    "newestAttempt.response.contentType",
    "newestAttempt.response.truncated",
    "newestAttempt.response.headersDropped",
    "newestAttempt.response.href",
];

/// Of the events of a loan.
pub(in crate::api) const EVENT_COLUMNS: &[&str] = &[
    "eventId",
    "loanId",
    "eventName",
    "occurredAt",
    "acceptedAt",
    "test",
    "context.bytes",
    "context.href",
    "verdicts",
];

/// Of the list of a job.
pub(in crate::api) const JOB_ITEM_COLUMNS: &[&str] =
    &["traceId", "loanId", "subscriptionId", "outcome", "reason", "attemptId"];

/// Of a report.
pub(in crate::api) const REPORT_COLUMNS: &[&str] = &[
    "period",
    "subscriptionId",
    "title",
    "eventName",
    "eventsAccepted",
    "eventsUnmatched",
    "deliveriesAccepted",
    "succeededFirst",
    "succeededLater",
    "pending",
    "exhausted",
    "canceled",
    "resends",
    "attempts.1xx",
    "attempts.2xx",
    "attempts.3xx",
    "attempts.4xx",
    "attempts.5xx",
    "attempts.other",
    "attempts.dns",
    "attempts.connect",
    "attempts.tls",
    "attempts.timeout",
    "attempts.protocol",
    "attempts.blocked",
    "attempts.template",
    "attempts.auth",
    "attempts.interrupted",
    "responseTimeMs.p50",
    "responseTimeMs.p95",
    "responseTimeMs.p99",
    "firstAttemptMs.p50",
    "firstAttemptMs.p95",
    "firstAttemptMs.p99",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::api::openapi;

    /// What only a row by itself has.
    const NOT_IN_LISTS: [&str; 2] = ["headers", "headersTruncated"];

    /// The names of all values of a schema, with dots between nested ones.
    fn leaves(document: &Value, schema: &Value, before: &str, found: &mut BTreeSet<String>) {
        let schema = resolved(document, schema);
        if let Some(parts) = schema["allOf"].as_array() {
            for part in parts {
                leaves(document, part, before, found);
            }
            return;
        }
        let Some(properties) = schema["properties"].as_object() else {
            found.insert(before.to_owned());
            return;
        };
        for (name, property) in properties {
            if !NOT_IN_LISTS.contains(&name.as_str()) {
                let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
                leaves(document, property, &path, found);
            }
        }
    }

    /// The schema that a reference names, or that is the one beside null.
    fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
        let either = ["oneOf", "anyOf"].iter().find_map(|of| schema[*of].as_array());
        let chosen = either.and_then(|all| all.iter().find(|one| one.get("$ref").is_some()));
        match chosen.unwrap_or(schema)["$ref"].as_str() {
            Some(reference) => {
                resolved(document, document.pointer(&reference[1..]).expect("a schema of the document"))
            }
            None => schema,
        }
    }

    #[test]
    fn a_list_has_a_column_for_every_field_of_its_rows() {
        let document: Value = serde_json::from_str(&openapi::document()).expect("JSON");
        for (name, columns) in [
            ("Attempt", ATTEMPT_COLUMNS),
            ("ListedDelivery", DELIVERY_COLUMNS),
            ("LedgerEvent", EVENT_COLUMNS),
            ("JobItem", JOB_ITEM_COLUMNS),
            ("DeliveryReportRow", REPORT_COLUMNS),
        ] {
            let schema = &document["components"]["schemas"][name];
            let mut found = BTreeSet::new();
            leaves(&document, schema, "", &mut found);
            let columns: BTreeSet<_> = columns.iter().map(ToString::to_string).collect();
            assert_eq!(columns, found, "{name}");
        }
    }
}
