//! The filter of the log: which entries are written.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

/// The filter that an operator asked for, limited: below `info`, only our own entries are written, whatever the filter
/// says. Libraries of HTTP and TLS log URLs, headers and bytes there, and tokens and payloads with them.
pub(crate) fn limited<S>(asked: EnvFilter) -> impl Filter<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    asked.and(filter_fn(may_be_written))
}

fn may_be_written(entry: &Metadata<'_>) -> bool {
    let target = entry.target();
    // A crate of ours is `loanhook` or begins with `loanhook_`.
    let library = target.split("::").next().unwrap_or(target);
    let ours = library.strip_prefix("loanhook").is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    ours || *entry.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Written {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn written(asked: &str) -> String {
        let written = Written::default();
        let log = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(written.clone());
        let filter = EnvFilter::try_new(asked).expect("a filter");
        let subscriber = tracing_subscriber::registry().with(log.with_filter(limited(filter)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "hyper::client", "library-trace");
            tracing::debug!(target: "loanhooklike", "library-debug");
            tracing::info!(target: "rustls", "library-info");
            tracing::trace!(target: "loanhook_http::api", "own-trace");
            tracing::warn!(target: "loanhook", "own-warning");
        });
        let bytes = written.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn libraries_say_nothing_below_info_whatever_is_asked_for() {
        for asked in
            ["trace", "hyper=trace,hyper::client=trace,loanhooklike=debug,rustls=info,loanhook=trace"]
        {
            let log = written(asked);
            assert!(
                log.contains("library-info") && log.contains("own-trace") && log.contains("own-warning"),
                "{log}"
            );
            assert!(!log.contains("library-trace") && !log.contains("library-debug"), "{log}");
        }
        let log = written("warn");
        assert!(
            log.contains("own-warning") && !log.contains("own-trace") && !log.contains("library-info"),
            "{log}"
        );
    }
}
