//! Recovery jobs: each change is one operation of the writer, on top of the version that it began with.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteEngine;
use super::idempotency::{self, KeyScope};
use super::operational::Recorded;
use super::rows::{from_json, text_column, to_json, uuid_column};
use super::unreadable::{none_if_unreadable, read_all, read_up_to};
use super::writer::Priority;
use loanhook_core::model::id::{JobId, TenantId};
use loanhook_core::model::job::{Job, JobChunk, JobCounts, JobKind};
use loanhook_core::model::metrics::HistoryFact;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CreateJobOutcome, IdempotencyKey, JobRecord, Jobs, StoreResult};

pub(super) const NEWEST_FIRST: &str =
    "SELECT id, doc FROM jobs WHERE tenant = ?1 AND kind = ?2 AND id < ?3 ORDER BY id DESC";
const OPEN: &str = "SELECT id, tenant FROM jobs WHERE open = 1";

impl SqliteEngine {
    /// Waits until a job is made: one that was made since this was last ready counts.
    pub async fn job_created(&self) {
        self.0.job_created.notified().await;
    }
}

impl Jobs for SqliteEngine {
    async fn create_job(
        &self,
        job: Job,
        chunks: Vec<JobChunk>,
        key: Option<(IdempotencyKey, JobRecord)>,
        now: Timestamp,
    ) -> StoreResult<CreateJobOutcome> {
        let (counts, recording) = (Arc::clone(&self.0.counts), Arc::clone(&self.0.operational));
        let work = move |connection: &Connection| {
            if let Some((key, record)) = &key
                && let Some(known) =
                    idempotency::put_unless_present(connection, &job.tenant, KeyScope::Job, key, record, now)?
            {
                return Ok((CreateJobOutcome::Duplicate(known), Recorded::default()));
            }
            put_chunks(connection, &job, &chunks)?;
            counts.add_facts([counted(&job, JobCounts::default())]);
            connection
                .prepare_cached(
                    "INSERT INTO jobs (tenant, kind, id, version, open, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    job.tenant.as_str(),
                    job.request.kind.as_str(),
                    job.id.uuid().as_bytes(),
                    job.version,
                    !job.is_over(),
                    to_json(&job)?,
                ])?;
            Ok((CreateJobOutcome::Created, recording.record_job(connection, false, &job)?))
        };
        let engine = self.clone();
        let tell = move |(_, recorded): &mut (CreateJobOutcome, Recorded)| {
            engine.0.job_created.notify_one();
            engine.0.operational.follow(recorded);
        };
        let (outcome, _) = self.0.writer.run(Priority::ExistingWork, work, tell).await?;
        Ok(outcome)
    }

    async fn job_record(
        &self,
        tenant: &TenantId,
        key: &str,
        now: Timestamp,
    ) -> StoreResult<Option<JobRecord>> {
        let (tenant, key) = (tenant.clone(), IdempotencyKey { key: key.to_owned(), until: now });
        self.read(move |connection| idempotency::find(connection, &tenant, KeyScope::Job, &key, now)).await
    }

    async fn job(&self, tenant: &TenantId, id: JobId) -> StoreResult<Option<Job>> {
        let tenant = tenant.clone();
        self.read(move |connection| find(connection, &tenant, id)).await
    }

    async fn jobs(
        &self,
        tenant: &TenantId,
        kind: JobKind,
        before: Option<JobId>,
        limit: usize,
    ) -> StoreResult<Vec<Job>> {
        let tenant = tenant.clone();
        let before = before.map_or([0xff; 16], |before| before.uuid().into_bytes());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(NEWEST_FIRST)?;
            let rows = statement.query(params![tenant.as_str(), kind.as_str(), before])?;
            read_up_to(rows, limit, &format_args!("jobs of {tenant}"), |row| from_json(row, 1))
        })
        .await
    }

    async fn job_chunks(&self, tenant: &TenantId, id: JobId, numbers: &[u32]) -> StoreResult<Vec<JobChunk>> {
        let (tenant, numbers) = (tenant.clone(), numbers.to_vec());
        self.read(move |connection| {
            let mut find = connection.prepare_cached(
                "SELECT doc FROM job_chunks WHERE tenant = ?1 AND job = ?2 AND number = ?3",
            )?;
            let mut chunks = Vec::with_capacity(numbers.len());
            for number in numbers {
                let found = find.query_row(params![tenant.as_str(), id.uuid().as_bytes(), number], |row| {
                    from_json(row, 0)
                });
                chunks.extend(found.optional()?);
            }
            Ok(chunks)
        })
        .await
    }

    async fn save_job(&self, job: Job, chunks: Vec<JobChunk>) -> StoreResult<bool> {
        let (counts, operational) = (Arc::clone(&self.0.counts), Arc::clone(&self.0.operational));
        let recording = Arc::clone(&operational);
        let work = move |connection: &Connection| {
            let was_open = job.is_over() && is_open(connection, &job)?;
            let before = match counts.metrics() {
                Some(_) => none_if_unreadable(
                    find(connection, &job.tenant, job.id),
                    &format_args!("job {}", job.id),
                )?,
                None => None,
            };
            let saved = connection
                .prepare_cached(
                    "UPDATE jobs SET version = ?3, open = ?4, doc = ?5
                     WHERE tenant = ?1 AND id = ?2 AND version = ?3 - 1",
                )?
                .execute(params![
                    job.tenant.as_str(),
                    job.id.uuid().as_bytes(),
                    job.version,
                    !job.is_over(),
                    to_json(&job)?,
                ])?;
            if saved == 0 {
                return Ok((false, Recorded::default()));
            }
            put_chunks(connection, &job, &chunks)?;
            counts.add_facts(before.map(|before| counted(&job, before.counts)));
            Ok((true, recording.record_job(connection, !was_open, &job)?))
        };
        let follow = move |(_, recorded): &mut (bool, Recorded)| operational.follow(recorded);
        let (is_saved, _) = self.0.writer.run(Priority::ExistingWork, work, follow).await?;
        Ok(is_saved)
    }

    async fn open_jobs(&self) -> StoreResult<Vec<(TenantId, JobId)>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(OPEN)?;
            let rows = statement.query([])?;
            let open =
                |row: &rusqlite::Row<'_>| Ok((text_column(row, 1)?, JobId::from_uuid(uuid_column(row, 0)?)));
            read_all(rows, &"open jobs", open)
        })
        .await
    }
}

fn find(connection: &Connection, tenant: &TenantId, id: JobId) -> rusqlite::Result<Option<Job>> {
    connection
        .prepare_cached("SELECT doc FROM jobs WHERE tenant = ?1 AND id = ?2")?
        .query_row(params![tenant.as_str(), id.uuid().as_bytes()], |row| from_json(row, 0))
        .optional()
}

/// Whether a job is stored as one of which something is left to do.
fn is_open(connection: &Connection, job: &Job) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM jobs WHERE tenant = ?1 AND id = ?2 AND open = 1")?
        .exists(params![job.tenant.as_str(), job.id.uuid().as_bytes()])
}

/// What metrics count of a job that is stored now, and had counted this before.
const fn counted(job: &Job, before: JobCounts) -> HistoryFact {
    HistoryFact::JobItems { kind: job.request.kind, before, after: job.counts }
}

fn put_chunks(connection: &Connection, job: &Job, chunks: &[JobChunk]) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO job_chunks (tenant, job, number, doc) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET doc = excluded.doc",
    )?;
    for chunk in chunks {
        put.execute(params![job.tenant.as_str(), job.id.uuid().as_bytes(), chunk.number, to_json(chunk)?])?;
    }
    Ok(())
}
