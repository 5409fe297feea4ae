//! Histories: every row once, in order, of one loan.

use std::collections::BTreeSet;

use loanhook_core::history;
use loanhook_core::model::attempt::Attempt;
use loanhook_core::model::filter::HistoryFilter;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::progress::Status;
use loanhook_core::ports::{AttemptRange, Attempts, Deliveries, StoreResult};
use uuid::Uuid;

use crate::engine::Engine;
use crate::scene::{MILLISECOND, SECOND, START, Scene, accept, attempt_message, ended, loan};

/// A delivery of loan 727 with one failed attempt, and so many resends after it, some in the same
/// millisecond.
pub(crate) async fn resent<E: Engine>(times: u32) -> StoreResult<Scene<E>> {
    let scene = Scene::<E>::new(&[]).await?;
    scene.attempt(Ok(500), START).await?;
    for i in 0..times {
        scene.resend(None, START + SECOND + (i / 2) * MILLISECOND).await?;
    }
    Ok(scene)
}

pub(crate) fn ids(rows: &[Attempt]) -> Vec<AttemptId> {
    rows.iter().map(|row| row.id).collect()
}

fn newest_first(rows: &[Attempt]) -> Vec<AttemptId> {
    let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids
}

pub(crate) async fn a_cursor_passes_every_row_once_while_newer_ones_arrive<E: Engine>() -> StoreResult<()> {
    let scene = resent::<E>(12).await?;
    let loan = loan("727");
    for limit in [1, 2, 5, 13, 14] {
        let before = newest_first(&scene.rows().await?);
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let filter = HistoryFilter::default();
            let of = (scene.tenant(), &loan);
            let page = history::page(scene.ports(), of, &filter, cursor, limit, START).await?;
            assert!(page.rows.len() == limit || page.next.is_none());
            seen.extend(page.rows.iter().map(|row| row.attempt.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            scene.resend(None, START + 60 * SECOND).await?;
        }
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{limit} a page");
        seen.retain(|id| before.contains(id));
        assert_eq!(seen, before, "{limit} a page");
    }
    Ok(())
}

pub(crate) async fn rows_are_bounded_from_the_oldest_to_before_the_cursor<E: Engine>() -> StoreResult<()> {
    let scene = resent::<E>(5).await?;
    let all = newest_first(&scene.rows().await?);
    for (newest, oldest) in [(0_usize, 5), (1, 4), (2, 2)] {
        for limit in [1, 2, 10] {
            let (from, before) = (Some(all[oldest]), newest.checked_sub(1).map(|above| all[above]));
            let rows = scene.ports().rows(scene.tenant(), &loan("727"), from, before, limit).await?;
            let expected: Vec<_> = all[newest..=oldest].iter().copied().take(limit).collect();
            assert_eq!(ids(&rows), expected);
        }
    }
    let unbounded = scene.ports().rows(scene.tenant(), &loan("727"), None, None, 100).await?;
    assert_eq!(ids(&unbounded), all);
    // Every row counts all resends of its delivery.
    let counted = scene.ports().history_rows(scene.tenant(), unbounded.clone()).await?;
    let version = scene.accepted.snapshot.subscription_version;
    assert!(counted.iter().all(|row| row.resends == 5 && row.subscription_version == Some(version)));
    assert_eq!(counted.into_iter().map(|row| row.attempt).collect::<Vec<_>>(), unbounded);
    let none = scene.ports().rows(scene.tenant(), &loan("727"), None, Some(all[5]), 100).await?;
    assert!(none.is_empty());
    Ok(())
}

pub(crate) async fn the_attempts_of_a_delivery_are_its_own_the_oldest_first<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[10, 10]).await?;
    let other = accept(&scene.engine, &scene.subscription, "727", START).await?;
    scene.ports().claim(&attempt_message(&other, 1, START), 1, Uuid::new_v4(), START).await?;
    let mut expected = Vec::new();
    for i in 0..3 {
        let now = START + i * 20 * SECOND;
        let claim = scene.claim(now).await?;
        let (resend, _) = scene.resend(None, now + SECOND).await?;
        expected.extend([claim.row.id, resend.id]);
        let row = ended(claim.row, Ok(500), now + 2 * SECOND);
        assert!(scene.ports().complete(&claim.delivery, claim.token, row, None).await?);
    }
    let rows = scene.rows().await?;
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), expected);
    assert!(rows.iter().all(|row| row.trace_id == scene.trace()));
    assert_eq!(scene.rows_of(&other).await?.len(), 1);
    Ok(())
}

pub(crate) async fn the_attempts_of_a_delivery_are_read_in_pages_from_either_end<E: Engine>()
-> StoreResult<()> {
    let scene = resent::<E>(6).await?;
    let all = ids(&scene.rows().await?);
    let read = async |span, limit| {
        let story = scene.ports().delivery_with_attempts(scene.tenant(), scene.trace(), span, limit).await?;
        let (delivery, attempts) = story.expect("the delivery");
        assert_eq!((delivery.history.resends, delivery.progress.status()), (6, Status::Failed));
        StoreResult::Ok(ids(&attempts))
    };
    for limit in [1, 3, 7, 8] {
        let (mut after, mut before) = (None, None);
        let (mut oldest_first, mut newest_first) = (Vec::new(), Vec::new());
        // One time more than there are parts: beyond the last there is nothing.
        for _ in 0..=all.len().div_ceil(limit) {
            let part = read(AttemptRange::OldestFirst { after }, limit).await?;
            after = part.last().copied().or(after);
            oldest_first.push(part);
            let part = read(AttemptRange::NewestFirst { before }, limit).await?;
            before = part.last().copied().or(before);
            newest_first.push(part);
        }
        let mut expected: Vec<_> = all.chunks(limit).map(<[_]>::to_vec).collect();
        expected.push(Vec::new());
        assert_eq!(oldest_first, expected, "{limit} at once");
        let from_newest: Vec<_> = all.iter().rev().copied().collect();
        let mut expected: Vec<_> = from_newest.chunks(limit).map(<[_]>::to_vec).collect();
        expected.push(Vec::new());
        assert_eq!(newest_first, expected, "{limit} at once");
    }
    Ok(())
}

pub(crate) async fn a_row_is_read_by_its_loan_and_id<E: Engine>() -> StoreResult<()> {
    let scene = resent::<E>(4).await?;
    for attempt in scene.rows().await? {
        let row = scene.ports().row(scene.tenant(), &loan("727"), attempt.id).await?.expect("the row");
        assert_eq!((row.attempt.clone(), row.resends), (attempt, 4));
        let elsewhere = scene.ports().row(scene.tenant(), &loan("728"), row.attempt.id).await?;
        assert!(elsewhere.is_none());
    }
    let unknown = scene.ports().row(scene.tenant(), &loan("727"), AttemptId::at(START)).await?;
    assert!(unknown.is_none());
    Ok(())
}

pub(crate) async fn loans_of_similar_names_have_separate_histories<E: Engine>() -> StoreResult<()> {
    let scene = Scene::<E>::new(&[]).await?;
    let names = ["7", "72", "7 2", "Loan", "loan", "ü", "u\u{308}", "_", "*"];
    let mut own = Vec::new();
    for name in names {
        let delivery = accept(&scene.engine, &scene.subscription, name, START).await?;
        scene.ports().claim(&attempt_message(&delivery, 1, START), 1, Uuid::new_v4(), START).await?;
        own.push(scene.rows_of(&delivery).await?[0].id);
    }
    assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), names.len());
    for (name, id) in names.into_iter().zip(own) {
        let rows = scene.ports().rows(scene.tenant(), &loan(name), None, None, 100).await?;
        assert_eq!(ids(&rows), [id], "{name}");
    }
    Ok(())
}
