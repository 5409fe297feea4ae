//! Query of a report: its span, its periods, and what its counts are grouped by.

use serde::Deserialize;
use utoipa::IntoParams;

use loanhook_core::model::report::{ReportInput, ReportQuery};
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;

/// What a report is of.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DeliveryReportQuery {
    /// The start; it is rounded down to the start of its hour or day. Default: 24 hours, or 7 days, before the end.
    #[param(format = DateTime)]
    from: Option<String>,
    /// The end, which is exclusive; it is rounded up to the end of its hour or day. Default: now.
    #[param(format = DateTime)]
    to: Option<String>,
    /// How long a period is, in UTC: hour (default; at most 744 of them) or day (at most 400).
    #[param(pattern = "^(hour|day)$")]
    by: Option<String>,
    /// A row for each subscription, for each event name, or for all together (none, the default).
    #[param(pattern = "^(subscription|event|none)$")]
    group: Option<String>,
}

impl DeliveryReportQuery {
    pub(in crate::api) fn check(self, now: Timestamp) -> Result<ReportQuery, ValidationErrors> {
        let Self { from, to, by, group } = self;
        ReportInput { from, to, by, group }.check(now)
    }
}
