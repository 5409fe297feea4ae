//! Checks over the listener of metrics.

use std::time::Duration;

use super::report::Report;

const TIMEOUT: Duration = Duration::from_secs(10);
/// With less there is something to do.
const MIN_FREE_BYTES: f64 = (1_u64 << 30) as f64;
const MAX_LATENESS_SECONDS: f64 = 60.0;

/// Reads the metrics at an address and checks what they say.
pub(super) async fn check(url: &str, report: &mut Report) {
    match read(url).await {
        Ok(text) if text.contains("\nloanhook_build_info{") => {
            report.well("metrics", "they can be read");
            check_values(&text, report);
        }
        Ok(_) => report.to_do("metrics", "what is there is not written by loanhook"),
        Err(why) => report.to_do("metrics", why),
    }
}

/// The key of loanhook is not sent.
async fn read(url: &str) -> Result<String, String> {
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
    let answer = client.map_err(|error| error.to_string())?.get(url).send().await;
    let answer = answer.map_err(|_| format!("nothing answers at {url}"))?;
    match answer.status().as_u16() {
        200 => answer.text().await.map_err(|_| format!("the answer of {url} broke off")),
        status => Err(format!("{url} answered {status}")),
    }
}

fn check_values(text: &str, report: &mut Report) {
    match value(text, "loanhook_oldest_due_seconds{reason=\"none\"}") {
        Some(seconds) if seconds > MAX_LATENESS_SECONDS => {
            report.to_do(
                "oldest due",
                format!("due for {seconds:.0} s, and it waits for nothing but a sender"),
            );
        }
        Some(seconds) => report.well("oldest due", format!("{seconds:.0} s")),
        None => report.unknown("oldest due", "the metrics do not say"),
    }
    match value(text, "loanhook_disk_free_bytes") {
        Some(bytes) if bytes < MIN_FREE_BYTES => {
            report.to_do("disk", format!("only {} are free", mebibytes(bytes)))
        }
        Some(bytes) => report.well("disk", format!("{} are free", mebibytes(bytes))),
        None => report.unknown("disk", "the metrics do not say"),
    }
    match value(text, "loanhook_writer_failed_commits_total") {
        Some(failed) if failed > 0.0 => {
            report.to_do("commits", format!("{failed} failed since its start: the log says why"));
        }
        Some(_) => report.well("commits", "none failed since its start"),
        None => report.unknown("commits", "the metrics do not say"),
    }
}

/// The value of one series.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.0} MiB", bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_table() {
        let text = "# HELP loanhook_disk_free_bytes Free.\nloanhook_disk_free_bytes 12\nloanhook_oldest_due_seconds{reason=\"hold\"} 3\nloanhook_oldest_due_seconds{reason=\"none\"} 0.5\n";
        for (series, expected) in [
            ("loanhook_disk_free_bytes", Some(12.0)),
            ("loanhook_oldest_due_seconds{reason=\"none\"}", Some(0.5)),
            ("loanhook_oldest_due_seconds", None),
            ("loanhook_disk", None),
        ] {
            assert_eq!(value(text, series), expected, "{series}");
        }
    }
}
