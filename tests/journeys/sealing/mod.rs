//! Secrets at rest: no byte of a data folder but its key shows one, whatever happens to the process and to the key.

mod at_rest;
mod earlier_version;
mod key_errors;
mod key_sources;
mod rotation;
mod rotation_crashes;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::stored_bytes::{bytes_but_for, holds};
use crate::harness::{Journey, Launch, Reply, Server, event, eventually, subscription_path, text};

/// The one text of the webhooks that is no secret.
const TITLE: &str = "a title that anybody may read";

/// A journey with webhooks that have secrets.
struct Secrets {
    j: Journey,
    webhook: Value,
    /// What the webhook sends now.
    header: String,
    signing_secret: String,
    /// All that were ever given or made.
    all: Vec<String>,
}

impl Secrets {
    /// A webhook whose secrets were changed, another that was deleted, and attempts, retries and resends of both.
    async fn on(server: Arc<Server>) -> Self {
        let j = Journey::on_server(server).await;
        let headers = ["first", "second", "deleted", "of-key"].map(|name| format!("Bearer hush-{name}-4711"));
        let [first, second, deleted, key] = headers.clone();
        let retry = json!({"delays": [1]});
        let request = json!({"headers": {"Authorization": first, "X-Api-Key": key}});
        let changes = json!({"title": TITLE, "request": request, "retry": retry});
        let webhook = j.subscribe("/hook", changes).await;
        let request = json!({"headers": {"Authorization": deleted}});
        let other = j.subscribe("/other", json!({"request": request})).await;
        j.receiver.replies("/hook", [Reply::status(500)]);
        for trace in j.api.send_event(&event("727")).await {
            j.api.ended_delivery(&trace).await;
            j.api.resend(&trace).await;
        }
        let path = subscription_path(&webhook);
        let rotated =
            j.api.post_without_body(&format!("{path}/rotate-secret")).await.expect_status(200).json();
        let changed = json!({"request": {"headers": {"Authorization": second}}});
        j.api.patch(&path, &changed).await.expect_status(200);
        j.api.delete(&subscription_path(&other)).await.expect_status(204);
        let signing = [&webhook, &other, &rotated].map(|shown| text(&shown["signingSecret"]).to_owned());
        let all = headers.iter().chain(&signing).cloned().collect();
        let [_, _, signing_secret] = signing;
        Self { j, webhook, header: second, signing_secret, all }
    }

    fn data(&self) -> &Path {
        self.j.server.data_folder()
    }

    /// An event is delivered with the secrets that the webhook has now.
    async fn assert_sent(&self) {
        let trace = self.j.api.send_one(&event("728")).await;
        let delivery = self.j.api.ended_delivery(&trace).await;
        assert_eq!(delivery["status"], "succeeded", "{delivery}");
        for request in self.j.receiver.requests_of(&trace) {
            assert_eq!(request.header("authorization"), Some(&*self.header));
            assert!(request.is_signed_with(&self.signing_secret));
        }
    }

    /// No byte of the data folder shows a secret, nor does a line of the log.
    #[track_caller]
    fn assert_hidden(&self) {
        assert!(holds(&bytes_but_for(self.data(), &[]), TITLE.as_bytes()), "these are the bytes to search");
        assert_eq!(shown(self.data(), &self.all), Vec::<String>::new());
        let output = self.j.server.output();
        assert!(self.all.iter().all(|secret| !output.contains(secret.as_str())), "{output}");
    }
}

/// Those of the secrets that a byte of a data folder shows, in clear or in base64. Files of keys are left out.
fn shown(data: &Path, secrets: &[String]) -> Vec<String> {
    let bytes = bytes_but_for(data, &["master.key", "master.key.new"]);
    let is_shown = |secret: &&String| {
        let mut forms = vec![secret.as_bytes().to_vec(), STANDARD.encode(secret).into_bytes()];
        forms.push(URL_SAFE_NO_PAD.encode(secret).into_bytes());
        if let Some(encoded) = secret.strip_prefix("whsec_") {
            forms.extend([encoded.as_bytes().to_vec(), STANDARD.decode(encoded).expect("base64")]);
        }
        forms.iter().any(|form| holds(&bytes, form))
    };
    secrets.iter().filter(is_shown).cloned().collect()
}

/// The ID of the key that a data folder is sealed with, and of the one that it is being sealed with anew.
fn keys_of(data: &Path) -> (String, Option<String>) {
    let database = Connection::open(data.join("loanhook.db")).expect("the database");
    database.busy_timeout(std::time::Duration::from_secs(30)).expect("a time-out");
    let keys = database.query_row("SELECT key, next FROM sealing", [], |row| Ok((row.get(0)?, row.get(1)?)));
    keys.expect("the key of the folder")
}

/// Waits until all is sealed with one key, and nothing else is left of what was; gives the ID of the key.
async fn sealed_with(data: &Path) -> String {
    eventually("all is sealed with one key, and the rest is erased", async || {
        let database = Connection::open(data.join("loanhook.db")).ok()?;
        let settled = "SELECT key FROM sealing WHERE next IS NULL AND unsealed = 0 AND unerased = 0";
        database.query_row(settled, [], |row| row.get(0)).ok()
    })
    .await
}

/// Whether any byte of a data folder is sealed with a key.
fn holds_sealed_with(data: &Path, key: &str) -> bool {
    holds(&bytes_but_for(data, &[]), format!("s1.A256GCM.{key}.").as_bytes())
}

/// A launch with further variables of the environment.
fn with_environment(variables: &[(&str, &str)]) -> Launch {
    let mut launch = Launch::default();
    launch
        .environment
        .extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    launch
}

/// A file that only its owner can read, as a key file is to be.
fn private_file(path: PathBuf, text: &str) -> PathBuf {
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    path
}

/// Keys, as an operator makes them.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
