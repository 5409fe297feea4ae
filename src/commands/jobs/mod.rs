//! `loanhook jobs [ID]`: recovery jobs, one of them as it goes on, and its stop.

mod follow_job;
mod job_table;

use clap::Args;
use reqwest::Method;
use serde_json::value::RawValue;

use crate::client::{ApiClient, Call, ConnectionArgs, Job, Page, decode};
use crate::error::{CommandError, CommandResult};
use crate::terminal::{output, table};
pub(super) use follow_job::follow;

/// The kinds of jobs by the paths of their lists.
const KINDS: [JobKind; 2] =
    [JobKind { path: "resends", name: "resend" }, JobKind { path: "cancels", name: "cancel" }];

/// A kind of jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct JobKind {
    pub(super) path: &'static str,
    name: &'static str,
}

/// Bulk resends.
pub(super) const RESENDS: JobKind = KINDS[0];

#[derive(Debug, Args)]
pub(crate) struct JobsArgs {
    /// The ID of a job: follows it to its end; Ctrl-C leaves it running
    id: Option<String>,
    /// Stop the job: nothing more is sent, what is done stays done
    #[arg(long, requires = "id")]
    stop: bool,
    /// How many jobs are listed (1 to 200)
    #[arg(long, value_name = "N", default_value = "50", conflicts_with = "id")]
    limit: u32,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(crate) async fn run(args: JobsArgs) -> CommandResult {
    let client = ApiClient::from_args(&args.connection)?;
    let Some(id) = &args.id else { return list(&client, &args).await };
    let (kind, body) = find(&client, id).await?;
    if args.stop {
        let body = client.send(&Call::new(Method::DELETE, &["v1", kind.path, id])).await?;
        return match args.connection.json {
            true => output::json(&body),
            false => table::details(job_table::details(kind, &decode(&body)?)),
        };
    }
    if args.connection.json {
        return output::json(&body);
    }
    let job: Job = decode(&body)?;
    table::details(job_table::details(kind, &job))?;
    if job.is_over() {
        return follow_job::verdict(&job);
    }
    follow(&client, kind, id).await.map(|_| ())
}

/// The kind of a job, and the job as it came.
async fn find(client: &ApiClient, id: &str) -> CommandResult<(JobKind, bytes::Bytes)> {
    let [resends, cancels] = KINDS;
    match client.send(&Call::get(&["v1", resends.path, id])).await {
        Ok(body) => Ok((resends, body)),
        Err(CommandError::Refused { status: 404, .. }) => {
            let body = client.send(&Call::get(&["v1", cancels.path, id])).await?;
            Ok((cancels, body))
        }
        Err(error) => Err(error),
    }
}

/// The newest jobs of all kinds.
async fn list(client: &ApiClient, args: &JobsArgs) -> CommandResult {
    let mut jobs: Vec<(JobKind, Job, Box<RawValue>)> = Vec::new();
    for kind in KINDS {
        let call = Call::get(&["v1", kind.path]).query("limit", Some(args.limit));
        for item in client.fetch::<Page>(&call).await?.items {
            jobs.push((kind, decode(item.get().as_bytes())?, item));
        }
    }
    jobs.sort_by(|(_, one, _), (_, other, _)| other.created_at.cmp(&one.created_at));
    jobs.truncate(args.limit as usize);
    if args.connection.json {
        return output::json_list(&jobs.into_iter().map(|(.., item)| item).collect::<Vec<_>>());
    }
    if jobs.is_empty() {
        output::note(format_args!("there is no job: `loanhook recover` makes one"));
        return Ok(());
    }
    table::print(&job_table::table(jobs.iter().map(|(kind, job, _)| (*kind, job))))
}
