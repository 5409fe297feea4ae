//! Status of a job.

/// Whether a job goes on, by the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    Running,
    /// Its list was worked off.
    Done,
    Stopped,
}

impl JobStatus {
    /// Its word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }
}
