//! `loanhook recover`: resends everything that matches, at a set pace, after it has shown the plan and asked.

use std::io::{self, BufRead as _, Write as _};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::HumanDuration;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::ERROR_KINDS;
use super::deliveries::{STATUSES, delivery_table};
use super::jobs::{self, RESENDS};
use crate::client::{ApiClient, Call, ConnectionArgs, Job, JobPlan, decode};
use crate::error::CommandResult;
use crate::since;
use crate::terminal::format::{clean, count};
use crate::terminal::output;

#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    filters: RecoverFilters,
    /// Where to: the URL that was rendered at intake, or the one that the subscription has now
    #[arg(long, value_name = "WHICH", value_parser = PossibleValuesParser::new(["original", "current"]))]
    to: Option<String>,
    /// Of each loan and subscription only the newest delivery
    #[arg(long)]
    newest_per_loan: bool,
    /// How many deliveries a second are resent at most (0.1 to 1000)
    #[arg(long, value_name = "N", default_value = "10")]
    per_second: f64,
    /// Stop after so many failures in a row
    #[arg(long, value_name = "N")]
    stop_after_failures: Option<u32>,
    /// Resend also what succeeds by itself meanwhile
    #[arg(long)]
    force: bool,
    /// Begin without asking
    #[arg(long)]
    yes: bool,
    /// Show the plan alone
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
struct RecoverFilters {
    /// What became of a delivery; `failed` is one whose schedule ran out
    #[arg(long, default_value = "failed", value_parser = PossibleValuesParser::new(STATUSES))]
    status: String,
    /// The ID of the subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// The name of the event
    #[arg(long, visible_alias = "event-name", value_name = "NAME")]
    event: Option<String>,
    /// The loan
    #[arg(long, value_name = "LOAN")]
    loan: Option<String>,
    /// The response code of its newest attempt, or a class of them: 503, 5xx
    #[arg(long, value_name = "CODE")]
    response_code: Option<String>,
    /// What went wrong at its newest attempt, where there is no response code
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(ERROR_KINDS))]
    error: Option<String>,
    /// Accepted at or after this time
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = since::parse, long_help = since_help())]
    since: Option<String>,
    /// Accepted before this time
    #[arg(long, value_name = "TIME", value_parser = since::parse)]
    until: Option<String>,
}

fn since_help() -> String {
    format!("Accepted at or after this time: {}", since::FORMS)
}

impl RecoverArgs {
    /// The body of the call that makes the job.
    fn body(&self) -> Value {
        let of = &self.filters;
        let filters = [
            ("status", Some(&of.status)),
            ("subscriptionId", of.subscription.as_ref()),
            ("eventName", of.event.as_ref()),
            ("loanId", of.loan.as_ref()),
            ("responseCode", of.response_code.as_ref()),
            ("error", of.error.as_ref()),
            ("from", of.since.as_ref()),
            ("to", of.until.as_ref()),
        ];
        let filter: Map<String, Value> =
            filters.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect();
        json!({
            "filter": filter,
            "to": self.to,
            "perSecond": self.per_second,
            "newestPerLoan": self.newest_per_loan,
            "stopAfterFailures": self.stop_after_failures,
            "force": self.force,
        })
    }
}

pub(crate) async fn run(args: RecoverArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let mut body = args.body();
    body["dryRun"] = json!(true);
    let call = |body: &Value| Call::post(&["v1", RESENDS.path]).body(body.to_string());
    let planned = client.send_with_retries(&call(&body)).await?;
    if args.dry_run && args.connection.json {
        return output::json(&planned);
    }
    let plan: JobPlan = decode(&planned)?;
    if !args.connection.json {
        print_plan(&args, &plan)?;
    }
    if args.dry_run || plan.count == 0 {
        return Ok(());
    }
    if !args.yes && args.connection.json {
        return Err("nothing was resent: with --json, give --yes or --dry-run".to_owned().into());
    }
    if !args.yes && !confirmed()? {
        output::note(format_args!("nothing was resent"));
        return Ok(());
    }
    body["dryRun"] = json!(false);
    // The same job where the first answer was lost.
    let made = call(&body).idempotency_key(Uuid::new_v4().to_string());
    let job: Job = decode(&client.send_with_retries(&made).await?)?;
    output::note(format_args!("job {}", clean(&job.id)));
    match jobs::follow(&client, RESENDS, &job.id).await? {
        Some(body) if args.connection.json => output::json(&body),
        _ => Ok(()),
    }
}

fn print_plan(args: &RecoverArgs, plan: &JobPlan) -> CommandResult {
    let more = if plan.more { "more than " } else { "" };
    let deliveries = count_of(plan.count, "delivery", "deliveries");
    let loans = count_of(plan.loans, "loan", "loans");
    output::line(format_args!("{more}{deliveries} of {loans} to resend, oldest first"))?;
    if plan.superseded > 0 {
        output::line(format_args!("{} older ones of the same loans are left out", plan.superseded))?;
    }
    if plan.count == 0 {
        return Ok(());
    }
    let duration = HumanDuration(Duration::from_secs_f64(plan.seconds.ceil().max(1.0)));
    output::line(format_args!("at {} a second: at least {duration}\n", args.per_second))?;
    output::line(delivery_table::with_head(&plan.deliveries, false))?;
    let others = plan.count - plan.deliveries.len() as u64;
    if others > 0 {
        output::line(format_args!("… and {others} more"))?;
    }
    Ok(())
}

fn count_of(number: u64, singular: &str, plural: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), singular, plural)
}

/// Asks whether to begin; no answer is a no.
fn confirmed() -> CommandResult<bool> {
    let _ = write!(io::stderr(), "Resend them? [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.map_err(|error| format!("cannot read the answer: {error}"))? == 0 {
        return Err("nothing was resent: there is no answer on the standard input; give --yes"
            .to_owned()
            .into());
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
