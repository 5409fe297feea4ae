//! Rules of a pace: who counts as prompt, and for how many new deliveries there is room.

use std::time::Duration;

use super::*;

const BOUNDS: ShareBounds = ShareBounds { initial: 16, most: 256 };
const SHARE: usize = 16;

struct Scene {
    pace: Pace,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        let now = Instant::now();
        Self { pace: Pace::new(BOUNDS, now), now }
    }

    fn after(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self
    }

    fn send(&mut self, count: usize) -> &mut Self {
        (0..count).for_each(|_| self.pace.record_sent(self.now));
        self
    }

    fn end(&mut self, answer: Answer, count: usize) -> &mut Self {
        (0..count).for_each(|_| self.pace.record_end(Some(answer), self.pace.sending, self.now));
        self
    }

    /// For how many new deliveries there is room while so many requests are in flight; none where there is no bound.
    fn room(&mut self, in_flight: usize) -> Option<usize> {
        let load = Load { in_flight, has_due: true, is_held_back: false };
        let before = self.pace.being_stored;
        while self.pace.has_room(load, self.now) {
            self.pace.begin_storing();
            if self.pace.being_stored > 1000 {
                self.pace.being_stored = before;
                return None;
            }
        }
        Some(std::mem::replace(&mut self.pace.being_stored, before) - before)
    }
}

#[test]
fn of_a_prompt_receiver_as_many_may_wait_as_may_be_in_flight() {
    let mut scene = Scene::new();
    scene.send(SHARE);
    assert_eq!(scene.room(SHARE), Some(SHARE), "all of its share is in flight");
    (0..10).for_each(|_| scene.pace.add_queued());
    assert_eq!(scene.room(SHARE), Some(SHARE - 10));
    (0..100).for_each(|_| scene.pace.add_queued());
    assert_eq!(scene.room(SHARE), Some(0));
    assert_eq!(scene.room(0), Some(0), "however few are in flight");
    scene.pace.remove_queued(SHARE, false);
    assert_eq!(scene.room(SHARE), Some(0), "of a long queue twice the share was counted");
    scene.pace.remove_queued(1, false);
    assert_eq!(scene.room(SHARE), Some(1), "with each that begins another may be taken in");
    scene.pace.remove_queued(1, true);
    assert_eq!(scene.room(SHARE), Some(SHARE), "none is left");
}

#[test]
fn a_receiver_that_is_slow_fails_or_hangs_holds_nobody_up() {
    let hangs = Scene::new().send(SHARE).after(101).room(SHARE);
    assert_eq!(hangs, None, "no answer came");
    let mut hangs_now = Scene::new();
    for _ in 0..20 {
        hangs_now.send(SHARE).after(10).end(Answer::Prompt, SHARE);
    }
    assert!(hangs_now.send(SHARE).room(SHARE).is_some());
    assert_eq!(hangs_now.after(201).room(SHARE), None, "no answer came any more");
    let mut slow = Scene::new();
    slow.send(SHARE);
    for _ in 0..20 {
        slow.after(30).end(Answer::Moderate, 1).send(1);
    }
    assert_eq!(slow.room(SHARE), None, "its sixteen requests take 480 ms each");
    let fails = Scene::new().send(SHARE).after(1).end(Answer::Poor, 1).send(1).room(SHARE);
    assert_eq!(fails, None, "its share is smaller than at the beginning");
}

#[test]
fn a_receiver_is_prompt_again_once_its_share_is_as_at_the_beginning() {
    let mut scene = Scene::new();
    scene.send(SHARE).after(1).end(Answer::Poor, SHARE).send(8);
    assert_eq!(scene.room(8), None);
    while scene.pace.share(scene.now) < SHARE {
        scene.after(1).end(Answer::Prompt, 8).send(8);
    }
    assert_eq!(scene.room(8), Some(2 * SHARE - 8));
}

#[test]
fn where_nothing_is_under_way_there_is_room() {
    let mut scene = Scene::new();
    (0..100).for_each(|_| scene.pace.add_queued());
    let idle = Load { in_flight: 0, has_due: false, is_held_back: false };
    assert!(scene.pace.has_room(idle, scene.now), "whatever was counted before");
    for load in [Load { in_flight: 1, ..idle }, Load { has_due: true, ..idle }] {
        assert!(!scene.pace.has_room(load, scene.now), "{load:?}");
    }
}

#[test]
fn attempts_that_wait_for_a_limit_or_a_hold_hold_no_event_up() {
    let scene = Scene::new();
    let load = Load { in_flight: 2 * SHARE, has_due: true, is_held_back: false };
    assert!(!scene.pace.has_room(load, scene.now));
    assert!(scene.pace.has_room(Load { is_held_back: true, ..load }, scene.now));
}

#[test]
fn without_an_answer_for_a_second_a_share_is_as_at_the_beginning() {
    let mut scene = Scene::new();
    for _ in 0..20 {
        scene.send(SHARE).after(10).end(Answer::Prompt, SHARE);
    }
    let grown = scene.pace.share(scene.now);
    assert!(grown > SHARE);
    scene.after(5000).send(1).after(1000);
    assert_eq!(scene.pace.share(scene.now), grown, "nothing was sent that could be answered");
    scene.after(1);
    assert_eq!(scene.pace.share(scene.now), SHARE);
    scene.end(Answer::Moderate, 1);
    assert_eq!(scene.pace.share(scene.now), grown);
}

#[test]
fn a_pace_is_forgotten_only_when_nothing_of_it_was_under_way_for_ten_seconds() {
    let mut scene = Scene::new();
    assert!(!scene.pace.is_forgettable(scene.now));
    scene.after(10_001);
    assert!(scene.pace.is_forgettable(scene.now));
    scene.send(1).after(10_001);
    assert!(!scene.pace.is_forgettable(scene.now));
    scene.end(Answer::Prompt, 1);
    assert!(!scene.pace.is_forgettable(scene.now));
    scene.after(10_001);
    assert!(scene.pace.is_forgettable(scene.now));
    scene.pace.begin_storing();
    assert!(!scene.pace.is_forgettable(scene.now));
}
