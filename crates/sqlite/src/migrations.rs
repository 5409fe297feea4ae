//! Migrations: the tables of the file, as each version made them.

/// One migration a version; a migration, once released, never changes.
///
/// A message's ID is never given again (`AUTOINCREMENT`): a claim deletes its message while its
/// ID may still be in use, and the next message must not pass for that one.
pub(super) const MIGRATIONS: [&str; 16] = [
    "CREATE TABLE deliveries (
         trace BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         frozen TEXT NOT NULL,
         progress TEXT NOT NULL
     );
     CREATE TABLE attempts (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         id BLOB NOT NULL,
         trace BLOB NOT NULL,
         sending INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, loan, id)
     ) WITHOUT ROWID;
     CREATE INDEX attempts_by_trace ON attempts (trace, id);
     CREATE INDEX attempts_sending ON attempts (sending) WHERE sending = 1;
     CREATE TABLE queue (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         subscription BLOB NOT NULL,
         due INTEGER NOT NULL,
         tenant TEXT NOT NULL,
         trace BLOB NOT NULL,
         number INTEGER,
         loan TEXT,
         attempt BLOB
     );
     CREATE INDEX queue_by_subscription ON queue (subscription, number IS NOT NULL, due, id);
     CREATE INDEX queue_by_trace ON queue (trace);
     CREATE TABLE payloads (
         tenant TEXT NOT NULL,
         key BLOB NOT NULL,
         bytes BLOB NOT NULL,
         PRIMARY KEY (tenant, key)
     );
     CREATE TABLE idempotency (
         tenant TEXT NOT NULL,
         kind TEXT NOT NULL,
         key TEXT NOT NULL,
         until INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, kind, key)
     ) WITHOUT ROWID;
     CREATE INDEX idempotency_by_end ON idempotency (until);
     CREATE TABLE subscriptions (
         tenant TEXT NOT NULL,
         id BLOB NOT NULL,
         version INTEGER NOT NULL,
         current INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, id, version)
     ) WITHOUT ROWID;
     CREATE TABLE keys (
         hash BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         id BLOB NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX keys_by_tenant ON keys (tenant, id);
     CREATE TABLE egress (
         address TEXT PRIMARY KEY,
         seen INTEGER NOT NULL
     ) WITHOUT ROWID;",
    "CREATE TABLE grants (
         hash BLOB PRIMARY KEY,
         until INTEGER NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX grants_by_end ON grants (until);",
    "CREATE TABLE memories (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, loan)
     ) WITHOUT ROWID;
     CREATE TABLE troubles (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         count INTEGER NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, subscription)
     ) WITHOUT ROWID;",
    // What is written again and again stands together: rows in the order in which they came, and in the indexes
    // only what a look-up needs. A delivery knows its first attempt; a message is found by when it is due.
    "ALTER TABLE deliveries ADD COLUMN first BLOB;
     CREATE TABLE rows (
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         id BLOB NOT NULL,
         trace BLOB NOT NULL,
         later INTEGER NOT NULL,
         sending INTEGER NOT NULL,
         doc TEXT NOT NULL
     );
     INSERT INTO rows SELECT tenant, loan, id, trace, 1, sending, doc FROM attempts;
     DROP TABLE attempts;
     ALTER TABLE rows RENAME TO attempts;
     CREATE UNIQUE INDEX attempts_by_loan ON attempts (tenant, loan, id);
     CREATE INDEX attempts_by_trace ON attempts (trace, id) WHERE later = 1;
     CREATE INDEX attempts_sending ON attempts (sending) WHERE sending = 1;
     DROP INDEX queue_by_trace;
     DROP INDEX queue_by_subscription;
     CREATE INDEX queue_by_lane ON queue (subscription, number IS NOT NULL, due, trace);",
    // The beginning of the hour in which a key was last used, in milliseconds; and the keys that were deleted, which the
    // environment may still name.
    "ALTER TABLE keys ADD COLUMN used INTEGER;
     CREATE TABLE deleted_keys (hash BLOB PRIMARY KEY) WITHOUT ROWID;",
    // The ledger. Events stand in the order of their IDs, which is that of their acceptance.
    "CREATE TABLE events (
         id BLOB PRIMARY KEY,
         tenant TEXT NOT NULL,
         loan TEXT NOT NULL,
         doc TEXT NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX events_by_loan ON events (tenant, loan, id);",
    // Lists across loans. Deliveries are found by tenant and trace, in place of trace alone, so that they stand in the order of
    // such a list. Those that are in a file already say their time apart, as the traces of most do not begin with it; all of
    // them were accepted before `since`.
    "CREATE TABLE moved (
         tenant TEXT NOT NULL,
         trace BLOB NOT NULL,
         frozen TEXT NOT NULL,
         progress TEXT NOT NULL,
         first BLOB,
         accepted INTEGER,
         attention INTEGER
     );
     INSERT INTO moved SELECT tenant, trace, frozen, progress, first,
         time,
         CASE WHEN status = 'failed' OR status = 'pending' AND number > 1 THEN time END
     FROM (
         SELECT *,
             CASE WHEN json_valid(frozen)
                 THEN CAST(round(unixepoch(json_extract(frozen, '$.accepted_at'), 'subsec') * 1000) AS INTEGER)
             END AS time,
             CASE WHEN json_valid(progress) THEN json_extract(progress, '$.status') END AS status,
             CASE WHEN json_valid(progress) THEN json_extract(progress, '$.next.number') END AS number
         FROM deliveries
     );
     CREATE TABLE timed_traces (since INTEGER);
     INSERT INTO timed_traces
         SELECT CASE WHEN EXISTS (SELECT 1 FROM deliveries) THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END;
     DROP TABLE deliveries;
     ALTER TABLE moved RENAME TO deliveries;
     CREATE UNIQUE INDEX deliveries_by_trace ON deliveries (tenant, trace);
     CREATE INDEX deliveries_of_random_traces ON deliveries (tenant, accepted, trace) WHERE accepted IS NOT NULL;
     CREATE INDEX deliveries_needing_attention ON deliveries (tenant, attention, trace) WHERE attention IS NOT NULL;",
    // Counts of reports: a row for each group (of tenant, subscription and event name) in each hour (`period` 0) and day (1).
    // The subscription is empty for what belongs to none. What is in a file already was not counted: it is counted from now
    // on, in milliseconds.
    "CREATE TABLE counts (
         id INTEGER PRIMARY KEY,
         tenant TEXT NOT NULL,
         period INTEGER NOT NULL,
         start INTEGER NOT NULL,
         subscription BLOB NOT NULL,
         event TEXT NOT NULL,
         doc BLOB NOT NULL
     );
     CREATE UNIQUE INDEX counts_by_start ON counts (tenant, period, start, subscription, event);
     CREATE TABLE counting (since INTEGER);
     INSERT INTO counting
         SELECT CASE WHEN EXISTS (SELECT 1 FROM deliveries) OR EXISTS (SELECT 1 FROM events)
             THEN CAST(unixepoch('subsec') * 1000 AS INTEGER) END;",
    // What commits add to counts, in a row each, until it is folded into the rows of counts.
    "CREATE TABLE count_changes (id INTEGER PRIMARY KEY, doc BLOB NOT NULL);",
    // The failures in a row and the hold of a subscription.
    "CREATE TABLE flow_states (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, subscription)
     ) WITHOUT ROWID;",
    // Recovery jobs, and their lists in parts. `open` is 1 while something of a job is left to do.
    "CREATE TABLE jobs (
         tenant TEXT NOT NULL,
         kind TEXT NOT NULL,
         id BLOB NOT NULL,
         version INTEGER NOT NULL,
         open INTEGER NOT NULL,
         doc TEXT NOT NULL
     );
     CREATE UNIQUE INDEX jobs_by_id ON jobs (tenant, id);
     CREATE INDEX jobs_by_kind ON jobs (tenant, kind, id);
     CREATE INDEX jobs_open ON jobs (open) WHERE open = 1;
     CREATE TABLE job_chunks (
         tenant TEXT NOT NULL,
         job BLOB NOT NULL,
         number INTEGER NOT NULL,
         doc TEXT NOT NULL
     );
     CREATE UNIQUE INDEX job_chunks_by_number ON job_chunks (tenant, job, number);",
    // The order of deliveries. Subscriptions that keep one, with the milliseconds after which a delivery that fails steps aside; the
    // last number that was given for each loan; and the deliveries with a number that have not ended: when their first attempt is due,
    // when it failed, whether it waits for an earlier delivery, and when that steps aside, for which a message is in the queue then.
    "CREATE TABLE orders (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         step_aside INTEGER,
         PRIMARY KEY (tenant, subscription)
     ) WITHOUT ROWID;
     CREATE TABLE sequences (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         loan TEXT NOT NULL,
         last INTEGER NOT NULL,
         PRIMARY KEY (tenant, subscription, loan)
     ) WITHOUT ROWID;
     CREATE TABLE ordered (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         loan TEXT NOT NULL,
         sequence INTEGER NOT NULL,
         trace BLOB NOT NULL,
         due INTEGER NOT NULL,
         failed INTEGER,
         waits INTEGER NOT NULL,
         wakes INTEGER,
         PRIMARY KEY (tenant, subscription, loan, sequence)
     ) WITHOUT ROWID;",
    // Deliveries whose stored headers may hold credentials, by their row IDs: those after `done`, up to `last`. Without a row
    // there are none.
    "CREATE TABLE stored_credentials (done INTEGER NOT NULL, last INTEGER NOT NULL);
     INSERT INTO stored_credentials
         SELECT 0, last FROM (SELECT max(rowid) AS last FROM deliveries) WHERE last IS NOT NULL;",
    // The master key that seals secrets, by its ID: one row from the first start on. During a rotation `next` is the ID of the key that
    // everything is sealed anew with, and `old_sealed` the key before, sealed with it. `file` has the newest key, where a rotation
    // named it. `unsealed` is 1 while a document may not be sealed with the newest key, `unerased` while the file may hold what it no
    // longer stores. And the rotations that were asked for: `file` has the new key; `ended` is 1 once it is in use.
    "CREATE TABLE sealing (
         key TEXT NOT NULL,
         next TEXT,
         file TEXT,
         old_sealed TEXT,
         unsealed INTEGER NOT NULL,
         unerased INTEGER NOT NULL
     );
     CREATE TABLE rotation_requests (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         file TEXT,
         ended INTEGER NOT NULL DEFAULT 0,
         refused TEXT
     );",
    // The operational states of subscriptions, and the operational events that are to be taken in.
    "CREATE TABLE operational_states (
         tenant TEXT NOT NULL,
         subscription BLOB NOT NULL,
         doc TEXT NOT NULL,
         PRIMARY KEY (tenant, subscription)
     ) WITHOUT ROWID;
     CREATE TABLE outbox (
         number INTEGER PRIMARY KEY,
         id BLOB NOT NULL UNIQUE,
         tenant TEXT NOT NULL,
         doc TEXT NOT NULL
     );",
    // The column `attention` also had deliveries that are pending after a failure: a list of those that failed read them all.
    "ALTER TABLE deliveries RENAME COLUMN attention TO failed;
     UPDATE deliveries SET failed = NULL
         WHERE failed IS NOT NULL AND json_valid(progress) AND json_extract(progress, '$.status') <> 'failed';
     DROP INDEX deliveries_needing_attention;
     CREATE INDEX deliveries_that_failed ON deliveries (tenant, failed, trace) WHERE failed IS NOT NULL;",
];
