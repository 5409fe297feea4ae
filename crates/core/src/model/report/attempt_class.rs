//! Class of an attempt that ended: the class of its response code, or the kind of its error.

use crate::model::attempt::Completion;
use crate::model::failure::ErrorKind;

/// What came of an attempt, as reports count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptClass {
    /// Response codes by their first digit, 1 to 5.
    Status(u8),
    /// A response code from 600 to 999, which HTTP does not define.
    OtherStatus,
    Error(ErrorKind),
}

/// How many classes are of response codes.
const STATUS_CLASSES: usize = 6;

impl AttemptClass {
    /// Every class, in the order in which reports list them.
    pub const ALL: [Self; STATUS_CLASSES + ErrorKind::ALL.len()] = {
        let mut all = [Self::OtherStatus; STATUS_CLASSES + ErrorKind::ALL.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = match index {
                0..5 => Self::Status(index as u8 + 1),
                5 => Self::OtherStatus,
                _ => Self::Error(ErrorKind::ALL[index - STATUS_CLASSES]),
            };
            index += 1;
        }
        all
    };

    pub fn of(completion: &Completion) -> Self {
        match &completion.result {
            Ok(status @ 100..=599) => Self::Status((status / 100) as u8),
            Ok(_) => Self::OtherStatus,
            Err(failure) => Self::Error(failure.kind),
        }
    }

    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(2))
    }

    /// Its name in reports: `2xx`, `other`, or the kind of error.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status(1) => "1xx",
            Self::Status(2) => "2xx",
            Self::Status(3) => "3xx",
            Self::Status(4) => "4xx",
            Self::Status(_) => "5xx",
            Self::OtherStatus => "other",
            Self::Error(kind) => kind.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::failure::Failure;
    use crate::model::time::Timestamp;

    #[test]
    fn the_class_of_an_attempt_by_table() {
        let ended = |result| Completion {
            ended_at: Timestamp::from_millis(0),
            response_time_ms: None,
            source_ip: None,
            result,
            response: None,
        };
        let table = [
            (Ok(100), "1xx"),
            (Ok(204), "2xx"),
            (Ok(302), "3xx"),
            (Ok(499), "4xx"),
            (Ok(599), "5xx"),
            (Ok(600), "other"),
            (Err(Failure::new(ErrorKind::Timeout, "")), "timeout"),
            (Err(Failure::new(ErrorKind::Interrupted, "")), "interrupted"),
        ];
        for (result, name) in table {
            assert_eq!(AttemptClass::of(&ended(result.clone())).name(), name, "{result:?}");
        }
    }

    #[test]
    fn each_class_has_a_name_of_its_own() {
        let mut names = AttemptClass::ALL.map(AttemptClass::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), AttemptClass::ALL.len());
    }
}
