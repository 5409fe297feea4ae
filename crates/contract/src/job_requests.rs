//! Requests for recovery jobs, and the port: idempotency keys, versions, lists of jobs, tenants.

use futures_util::future::{join_all, try_join_all};
use loanhook_core::model::job::{JobKind, StopReason};
use loanhook_core::ports::{Jobs, StoreResult};
use loanhook_core::recovery::{self, CreateJobError, JobInput, MAX_OPEN_JOBS, SeenLoans};

use crate::delivery_list::{acme, delivery};
use crate::engine::Engine;
use crate::job_scene::{create, create_with, exhausted, items, job, later, of_failed, of_traces, step};
use crate::scene::{DAY, MILLISECOND, tenant};

pub(crate) async fn a_repeated_call_with_a_key_gives_the_same_job<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1", "2"]).await?;
    let body: &[u8] = b"body";
    let made = join_all((0..8).map(|_| create_with(&engine, of_failed(), Some(("a", body))))).await;
    let mut ids: Vec<_> = made.into_iter().map(|job| job.expect("made").id).collect();
    ids.dedup();
    let [id] = ids[..] else { panic!("{ids:?}") };
    step(&engine, id, later()).await?;
    let repeated = create_with(&engine, of_failed(), Some(("a", body))).await.expect("known");
    assert_eq!(repeated, job(&engine, id).await?, "as it is now");
    let refused = create_with(&engine, of_failed(), Some(("a", b"another"))).await;
    assert!(matches!(refused, Err(CreateJobError::KeyReused)), "{refused:?}");
    assert_eq!(engine.ports().jobs(&acme(), JobKind::Resend, None, 10).await?.len(), 1);
    let record = async |now| engine.ports().job_record(&acme(), "a", now).await;
    assert!(record((later() + DAY).minus(MILLISECOND)).await?.is_some());
    assert_eq!(record(later() + DAY).await?, None);
    Ok(())
}

pub(crate) async fn so_many_jobs_of_a_tenant_are_under_way_at_once<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1"]).await?;
    let mut made = Vec::new();
    for _ in 0..MAX_OPEN_JOBS {
        made.push(create(&engine, of_failed()).await.id);
    }
    let refused = create_with(&engine, of_failed(), None).await;
    assert!(matches!(refused, Err(CreateJobError::TooMany)), "{refused:?}");
    let other = tenant("other");
    let of_other = recovery::create(
        engine.ports(),
        &other,
        of_failed().check().expect("it may be asked for"),
        "Servicing".into(),
        None,
        later(),
    );
    of_other.await.expect("another tenant has none");
    recovery::stop(engine.ports(), &acme(), JobKind::Resend, made[0], later()).await?;
    create_with(&engine, of_failed(), None).await.expect("one is over");
    Ok(())
}

pub(crate) async fn of_concurrent_changes_of_a_job_one_is_stored<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, _) = exhausted::<E>(&["1"]).await?;
    let made = create(&engine, of_failed()).await;
    let changes = (0..8).map(|change| {
        let mut changed = made.clone();
        (changed.version, changed.progress.failures_in_a_row) = (2, change);
        engine.ports().save_job(changed, Vec::new())
    });
    let stored = try_join_all(changes).await?;
    assert_eq!(stored.iter().filter(|stored| **stored).count(), 1);
    let winner = stored.iter().position(|stored| *stored).expect("one");
    assert_eq!(job(&engine, made.id).await?.progress.failures_in_a_row as usize, winner);

    // A late one changes nothing, its parts of the list included.
    let mut chunks = engine.ports().job_chunks(&acme(), made.id, &[0]).await?;
    chunks[0].items[0].had_succeeded = true;
    let mut late = made.clone();
    (late.version, late.stopped) = (2, Some(StopReason::Requested));
    assert!(!engine.ports().save_job(late, chunks).await?);
    assert!(!items(&engine, made.id).await?[0].had_succeeded);
    assert_eq!(job(&engine, made.id).await?.stopped, None);
    Ok(())
}

pub(crate) async fn jobs_are_listed_newest_first_by_kind<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1"]).await?;
    let mut expected = Vec::new();
    for number in 0..5 {
        let kind = if number == 2 { JobKind::Cancel } else { JobKind::Resend };
        let made = create(&engine, JobInput { kind, ..of_traces(&traces) }).await;
        assert_eq!(engine.ports().job(&acme(), made.id).await?, Some(made.clone()), "it is kept whole");
        expected.push((kind, made.id));
    }
    expected.sort_unstable_by(|(_, one), (_, other)| other.cmp(one));
    for kind in [JobKind::Cancel, JobKind::Resend] {
        let of_kind: Vec<_> = expected.iter().filter(|(of, _)| *of == kind).map(|(_, id)| *id).collect();
        let (mut before, mut found) = (None, Vec::new());
        loop {
            let page = engine.ports().jobs(&acme(), kind, before, 2).await?;
            found.extend(page.iter().map(|job| job.id));
            before = page.last().map(|job| job.id);
            if page.len() < 2 {
                break;
            }
        }
        assert_eq!(found, of_kind);
    }
    let mut open = engine.ports().open_jobs().await?;
    open.sort_unstable_by(|(_, one), (_, other)| other.cmp(one));
    assert_eq!(open, expected.iter().map(|(_, id)| (acme(), *id)).collect::<Vec<_>>());
    Ok(())
}

pub(crate) async fn another_tenants_jobs_are_not_there<E: Engine>() -> StoreResult<()>
where
    E::Ports: Jobs,
{
    let (engine, traces) = exhausted::<E>(&["1"]).await?;
    let made = create_with(&engine, of_failed(), Some(("a", b"body"))).await.expect("made");
    let (ports, stranger, id) = (engine.ports(), tenant("acme-2"), made.id);
    assert_eq!(ports.job(&stranger, id).await?, None);
    assert_eq!(ports.jobs(&stranger, JobKind::Resend, None, 10).await?, []);
    assert_eq!(ports.job_chunks(&stranger, id, &[0]).await?, []);
    assert_eq!(ports.job_record(&stranger, "a", later()).await?, None);
    assert_eq!(recovery::stop(ports, &stranger, JobKind::Resend, id, later()).await?, None);
    assert_eq!(recovery::advance(ports, &stranger, id, &mut SeenLoans::default(), later()).await?, None);
    let mut forged = made.clone();
    (forged.tenant, forged.version, forged.stopped) = (stranger.clone(), 2, Some(StopReason::Requested));
    assert!(!ports.save_job(forged, Vec::new()).await?);
    assert_eq!(job(&engine, id).await?, made);

    // A job of theirs finds nothing of ours, by filter and by name.
    for input in [of_failed(), of_traces(&traces)] {
        let new = input.check().expect("a job");
        let theirs = recovery::create(ports, &stranger, new, "Stranger".into(), None, later()).await;
        assert_eq!(theirs.expect("made").counts.total, 0);
    }
    assert_eq!(delivery(&engine, traces[0]).await?.history.resends, 0);
    Ok(())
}
