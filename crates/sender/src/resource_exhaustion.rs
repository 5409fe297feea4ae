//! Errors that say that this machine lacks something: descriptors, ports, memory.
//!
//! Such an error is no failure of the receiver. Nothing was sent, so there is no attempt, and the webhook is tried again
//! later.

use std::io;

use loanhook_core::ports::NotSent;

/// What is missing, as the sentence's end after "this machine has no …"; none for errors that say something else.
///
/// `EADDRNOTAVAIL` is not judged here, since it has two meanings; see [`super::connect`].
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

/// That nothing left because of an error that says that something is missing.
pub(crate) fn not_sent(error: &io::Error) -> Option<NotSent> {
    exhausted_resource(error).map(|what| NotSent(format!("this machine has no {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_machine_lacks_is_told_from_what_the_network_says() {
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::ENOSPC] {
            let error = io::Error::from_raw_os_error(code);
            let NotSent(sentence) = not_sent(&error).expect("a lack");
            assert!(sentence.starts_with("this machine has no "), "{sentence}");
        }
        for code in [libc::ECONNREFUSED, libc::EHOSTUNREACH, libc::ENETUNREACH, libc::ETIMEDOUT, libc::EACCES]
        {
            assert_eq!(not_sent(&io::Error::from_raw_os_error(code)), None);
        }
        assert_eq!(not_sent(&io::Error::other("no descriptors")), None);
    }
}
