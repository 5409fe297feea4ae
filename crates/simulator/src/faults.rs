//! Faults: what can go wrong, and how often it does in one run.

use std::collections::BTreeSet;

use fastrand::Rng;

use crate::Options;

/// Something that goes wrong. To add one: name it here with its probability, ask `Inner::fault` where it can happen, and
/// do there what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A step is not made, and the call fails.
    StoreRefuses,
    /// A call was done, and fails all the same.
    AnswerLost,
    /// A step takes so long that a lease may be over.
    StoreStalls,
    /// A worker crashes between two steps, or with its request under way.
    WorkerCrashes,
    /// The process that serves the API crashes in the middle of a call.
    ServerCrashes,
    /// A message is there twice.
    MessageDuplicated,
    /// A message comes late.
    MessageDelayed,
    /// A message comes before it is due.
    MessageEarly,
    /// A message is lost, and comes again hours later.
    MessageLost,
    /// A message that was handled comes again.
    AcknowledgementLost,
    /// No request can leave, since this machine lacks something.
    ResourceMissing,
    /// The receiver takes the request and says nothing until the timeout.
    ReceiverHangs,
    /// The connection was closed before a byte of an answer came.
    ConnectionClosed,
    /// The destination is refused: a failure that is not repeated.
    DestinationBlocked,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 14] = [
        Self::StoreRefuses,
        Self::AnswerLost,
        Self::StoreStalls,
        Self::WorkerCrashes,
        Self::ServerCrashes,
        Self::MessageDuplicated,
        Self::MessageDelayed,
        Self::MessageEarly,
        Self::MessageLost,
        Self::AcknowledgementLost,
        Self::ResourceMissing,
        Self::ReceiverHangs,
        Self::ConnectionClosed,
        Self::DestinationBlocked,
    ];

    /// How often it happens where it can, in a run in which it is common.
    const fn probability(self) -> f64 {
        match self {
            Self::StoreRefuses => 0.01,
            Self::StoreStalls => 0.015,
            Self::AnswerLost | Self::ServerCrashes => 0.02,
            Self::WorkerCrashes => 0.03,
            Self::MessageDuplicated | Self::MessageDelayed => 0.15,
            Self::MessageEarly | Self::MessageLost | Self::AcknowledgementLost => 0.1,
            Self::ResourceMissing | Self::ReceiverHangs | Self::ConnectionClosed => 0.1,
            Self::DestinationBlocked => 0.02,
        }
    }
}

/// The faults of one run.
#[derive(Debug)]
pub(crate) struct Faults {
    /// How common each fault is in this run; 0 for none of it.
    factors: [f64; Fault::ALL.len()],
    excluded: BTreeSet<Fault>,
    /// How many more may happen.
    left: usize,
    /// At the end of a run nothing goes wrong any more.
    over: bool,
}

impl Faults {
    /// Each run has some of the faults, so that no fault hides what another would show.
    pub(crate) fn new(rng: &mut Rng, options: &Options) -> Self {
        let factors = Fault::ALL.map(|_| [0.0, 0.0, 0.3, 1.0, 2.0][rng.usize(..5)]);
        Self { factors, excluded: options.excluded.clone(), left: options.max_faults, over: false }
    }

    /// Nothing goes wrong.
    pub(crate) fn none() -> Self {
        Self { factors: [0.0; Fault::ALL.len()], excluded: BTreeSet::new(), left: 0, over: true }
    }

    /// Draws whether a fault happens; the same number is drawn whether it may or not.
    pub(crate) fn happens(&mut self, rng: &mut Rng, fault: Fault) -> bool {
        let drawn = rng.f64() < fault.probability() * self.factors[fault as usize];
        let happens = drawn && !self.over && self.left > 0 && !self.excluded.contains(&fault);
        self.left -= usize::from(happens);
        happens
    }

    pub(crate) fn end(&mut self) {
        self.over = true;
    }
}
