//! An OpenID provider for tests: the package `oidc-provider` of npm, in a process of its own (`oidc_provider.mjs`), and what a person's
//! browser does there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::launch::Launch;
use super::skips::report_skipped;

/// What the provider knows loanhook by.
pub(crate) const CLIENT_ID: &str = "loanhook";
pub(crate) const CLIENT_SECRET: &str = "the-secret-of-loanhook";
const LISTENING: &str = "the provider is ";

/// A provider; it ends when this is dropped.
pub(crate) struct OidcProvider {
    child: Child,
    pub(crate) issuer: String,
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The script, where it can run. Where `CI` is set it must.
fn script() -> Option<PathBuf> {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    if node && tests.join("node_modules/oidc-provider").is_dir() {
        return Some(tests.join("journeys/harness/oidc_provider.mjs"));
    }
    let missing = "there is no node, or no oidc-provider: `tests/npm.sh` installs it where it can";
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    report_skipped(missing);
    None
}

/// A port that nobody listens on, and that the system gives to nobody who asks for any port.
pub(crate) fn free_port() -> u16 {
    let random = || 20_000 + (Uuid::new_v4().as_u128() % 10_000) as u16;
    let ports = std::iter::repeat_with(random).take(100);
    let mut free = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.next().expect("a free port")
}

impl OidcProvider {
    /// At any port. None where it cannot run here.
    pub(crate) fn start() -> Option<Self> {
        Self::start_at(0)
    }

    pub(crate) fn start_at(port: u16) -> Option<Self> {
        Self::start_with(&[&port.to_string()])
    }

    /// With loanhook as a client that has no secret.
    pub(crate) fn start_for_public_client_at(port: u16) -> Option<Self> {
        Self::start_with(&[&port.to_string(), "public"])
    }

    fn start_with(arguments: &[&str]) -> Option<Self> {
        let mut command = Command::new("node");
        command.arg(script()?).args(arguments);
        // It ends when its standard input does.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("node starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut lines_left = lines.by_ref().map_while(Result::ok);
        let issuer = lines_left.find_map(|line| line.strip_prefix(LISTENING).map(str::to_owned));
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, issuer: issuer.expect("the provider says where it is") })
    }

    /// The settings of a server at which people of this provider sign in, by these rules.
    pub(crate) fn launch(&self, rules: &[&str]) -> Launch {
        launch_with(&self.issuer, rules)
    }

    /// Has it do something from now on: `rotate` its key, `change-tokens` as the body says, give `claims-by-userinfo`,
    /// `change-userinfo` to another `sub` or to fail.
    pub(crate) async fn has_to(&self, what: &str, body: Value) {
        let asked = client().post(format!("{}/control/{what}", self.issuer)).body(body.to_string());
        let answer = asked.send().await.expect("it answers");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}

/// The same for an issuer that need not be there.
pub(crate) fn launch_with(issuer: &str, rules: &[&str]) -> Launch {
    let mut launch = Launch::default();
    launch.environment.push(("LOANHOOK_OIDC_CLIENT_SECRET".to_owned(), CLIENT_SECRET.to_owned()));
    let settings = [("--oidc-issuer", issuer), ("--oidc-client-id", CLIENT_ID)].into_iter();
    for (flag, value) in settings.chain(rules.iter().map(|rule| ("--oidc-grant", *rule))) {
        launch.arguments.extend([flag.to_owned(), value.to_owned()]);
    }
    launch
}

fn client() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

/// What somebody does at the provider's form.
#[derive(Clone, Copy)]
pub(crate) enum Answer<'a> {
    SignIn(&'a str),
    Deny,
}

/// The cookies that a browser has of the provider.
#[derive(Default)]
pub(crate) struct ProviderCookies(BTreeMap<String, String>);

impl ProviderCookies {
    /// Goes to a page of the provider and answers its form, if it shows one; the URL that the browser is then sent to, which is
    /// none of the provider's. Whether the form was shown goes with it.
    pub(crate) async fn go_through(&mut self, url: &str, answer: Answer<'_>) -> (Url, bool) {
        let start = Url::parse(url).expect("a URL");
        let (mut at, mut asked) = (start.clone(), false);
        for _ in 0..20 {
            let mut response = self.request(client().get(at.clone())).await;
            if response.status().is_success() {
                asked = true;
                let form = match answer {
                    Answer::SignIn(name) => format!("login={name}"),
                    Answer::Deny => "deny=1".to_owned(),
                };
                response = self.request(client().post(at.clone()).body(form)).await;
            }
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let location = location.map(str::to_owned);
            let Some(location) = location else {
                panic!("{at} answered {}", response.text().await.unwrap_or_default())
            };
            at = at.join(&location).expect("a URL");
            if at.origin() != start.origin() {
                return (at, asked);
            }
        }
        panic!("the provider never sends the browser back: {at}")
    }

    async fn request(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", pairs.join("; ")).send().await.expect("the provider answers");
        for set in response.headers().get_all("set-cookie") {
            let pair = set.to_str().expect("ASCII").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if value.is_empty() {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }
}
