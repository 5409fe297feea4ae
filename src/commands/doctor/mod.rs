//! `loanhook doctor`: checks a running loanhook from outside, and says what there is to do.
//!
//! It changes nothing: what a key may do is found out by calls that are refused for their body. `api` and `deliveries` ask the HTTP interface,
//! `metrics` the listener of metrics, where its address is given; `report` is what they found.

mod api;
mod deliveries;
mod metrics;
mod report;

use clap::Args;

use crate::client::{ApiClient, ConnectionArgs};
use crate::error::{CommandError, CommandResult};
use crate::terminal::output;
use report::Report;

/// The exit code where loanhook could not be asked.
const COULD_NOT_ASK: u8 = 2;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Where its metrics are, such as http://127.0.0.1:9464/metrics: they say more of the disk and of what is due
    #[arg(long, value_name = "URL", env = "LOANHOOK_METRICS_URL")]
    metrics: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: DoctorArgs) -> CommandResult {
    match examine(&args).await {
        Ok(report) => {
            report.print(args.connection.json)?;
            match report.all_is_well() {
                true => Ok(()),
                false => Err(CommandError::ExitCode(1)),
            }
        }
        Err(error) => {
            output::note(format_args!("error: {error}"));
            Err(CommandError::ExitCode(COULD_NOT_ASK))
        }
    }
}

/// # Errors
///
/// There is no key or no address, or nothing there answers as loanhook does.
async fn examine(args: &DoctorArgs) -> CommandResult<Report> {
    let client = ApiClient::from_args(&args.connection)?;
    let mut report = Report::default();
    api::check_process(&client, &mut report).await?;
    if api::check_key(&client, &mut report).await? {
        api::check_egress(&client, &mut report).await?;
        api::check_webhooks(&client, &mut report).await?;
        deliveries::check(&client, &mut report).await?;
    }
    match &args.metrics {
        Some(url) => metrics::check(url, &mut report).await,
        None => report
            .unknown("metrics", "not asked: with --metrics URL the disk and what is due are checked too"),
    }
    Ok(report)
}
