//! The errors of the operating system that say that this machine lacks something: descriptors, ports, memory.
//!
//! Such an error is not a failure of the receiver. Nothing was sent, so there is no attempt, and the caller sends the
//! webhook again later.

use std::io;

use loanhook_core::ports::NotSent;

/// What this machine lacks, as the end of the sentence "this machine has no …"; none for errors that say something else.
///
/// `EADDRNOTAVAIL` is not among them, since it has two meanings; `connection::connection_race` tells them apart.
pub(crate) fn exhausted_resource(error: &io::Error) -> Option<&'static str> {
    match error.raw_os_error()? {
        libc::EMFILE => Some("file descriptors left for this process; raise its limit (ulimit -n)"),
        libc::ENFILE => Some("file descriptors left; raise the system's limit (fs.file-max)"),
        libc::ENOBUFS => Some("room left in its network buffers"),
        libc::ENOMEM => Some("memory left for a socket"),
        libc::EAGAIN => Some("port or route entry left for a connection"),
        libc::ENOSPC => {
            Some("room left to watch a socket; raise the system's limit (fs.epoll.max_user_watches)")
        }
        _ => None,
    }
}

/// That nothing was sent, where the error says that this machine lacks something.
pub(crate) fn not_sent(error: &io::Error) -> Option<NotSent> {
    exhausted_resource(error).map(|resource| NotSent(format!("this machine has no {resource}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_exhausted_resources_say_that_nothing_was_sent() {
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::ENOSPC] {
            let error = io::Error::from_raw_os_error(code);
            let NotSent(sentence) = not_sent(&error).expect("an exhausted resource");
            assert!(sentence.starts_with("this machine has no "), "{sentence}");
        }
        for code in [libc::ECONNREFUSED, libc::EHOSTUNREACH, libc::ENETUNREACH, libc::ETIMEDOUT, libc::EACCES]
        {
            assert_eq!(not_sent(&io::Error::from_raw_os_error(code)), None);
        }
        assert_eq!(not_sent(&io::Error::other("no descriptors")), None);
    }
}
