//! The filter of the log: which entries are written.

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::Filter;
use tracing_subscriber::registry::LookupSpan;

/// The operator's filter, limited: below `info` only entries of our own crates are written. Libraries for HTTP and TLS log
/// URLs, headers and bytes there, and so tokens and payloads.
pub(crate) fn limited<S>(filter: Targets) -> impl Filter<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    filter.and(filter_fn(is_allowed))
}

fn is_allowed(entry: &Metadata<'_>) -> bool {
    let target = entry.target();
    // Our crates are `loanhook` and those whose names begin with `loanhook_`.
    let name = target.split("::").next().unwrap_or(target);
    let ours = name.strip_prefix("loanhook").is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    ours || *entry.level() <= Level::INFO
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

    use super::*;

    /// Output that keeps what is written to it.
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

    fn log_with(filter: &str) -> String {
        let written = Written::default();
        let log = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(written.clone());
        let filter: Targets = filter.parse().expect("a filter");
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
    fn libraries_log_nothing_below_info_whatever_the_filter() {
        for filter in
            ["trace", "hyper=trace,hyper::client=trace,loanhooklike=debug,rustls=info,loanhook=trace"]
        {
            let log = log_with(filter);
            assert!(
                log.contains("library-info") && log.contains("own-trace") && log.contains("own-warning"),
                "{log}"
            );
            assert!(!log.contains("library-trace") && !log.contains("library-debug"), "{log}");
        }
        let log = log_with("warn");
        assert!(
            log.contains("own-warning") && !log.contains("own-trace") && !log.contains("library-info"),
            "{log}"
        );
    }
}
