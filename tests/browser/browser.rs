//! The browser of a test: a chromedriver on a port of its own, and a session with a fresh profile.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, WebDriver};

/// The settings of a session.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) script: bool,
    pub(crate) dark: bool,
    /// In CSS pixels.
    pub(crate) width: u32,
}

impl Look {
    pub(crate) const WITH_SCRIPT: Self = Self { script: true, dark: false, width: 1280 };
    pub(crate) const WITHOUT_SCRIPT: Self = Self { script: false, ..Self::WITH_SCRIPT };
}

/// The process of chromedriver; it ends, and the browser with it, when this is dropped, also by a test that fails.
struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Has it end its browsers and itself. Where it is killed, its browsers run on.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        connection.read_to_end(&mut Vec::new()).map(|_| ())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.shut_down();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) struct Chrome {
    /// It is not dropped: that would wait two minutes for the end of the session where a test fails. chromedriver ends the session.
    pub(crate) driver: ManuallyDrop<WebDriver>,
    /// The folder of downloads and of the profile.
    pub(crate) folder: TempDir,
    _process: Driver,
}

/// Why there is no browser here. Where `CI` is set that is a failure.
fn missing() -> Option<String> {
    let on_path = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    let missing = ["chromium", "chromedriver"].into_iter().find(|name| !on_path(name))?;
    let missing = format!("there is no {missing} on the PATH: `make test-browser` installs it where it can");
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    Some(missing)
}

impl Chrome {
    /// None where there is no browser.
    pub(crate) async fn start(look: Look) -> Option<Self> {
        if let Some(missing) = missing() {
            // Not captured by the test runner.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for the profile");
        let process = chromedriver();
        let address = format!("http://127.0.0.1:{}", process.port);
        let driver = WebDriver::new(address, capabilities(folder.path(), look)).await.expect("a session");
        let chrome = Self { driver: ManuallyDrop::new(driver), folder, _process: process };
        let scheme = if look.dark { "dark" } else { "light" };
        let media = serde_json::json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            // No animation is seen half done.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        chrome.devtools("Emulation.setEmulatedMedia", media).await;
        let size =
            serde_json::json!({"width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        chrome.devtools("Emulation.setDeviceMetricsOverride", size).await;
        Some(chrome)
    }

    pub(crate) async fn devtools(&self, command: &str, arguments: serde_json::Value) {
        self.driver.cdp().send_raw(command, arguments).await.expect("the browser obeys");
    }
}

/// A chromedriver that listens. It takes any free port of IPv4, and ends if that port of IPv6 is taken.
fn chromedriver() -> Driver {
    (0..10).find_map(|_| start_chromedriver()).expect("chromedriver says its port")
}

fn start_chromedriver() -> Option<Driver> {
    const STARTED: &str = "started successfully on port ";
    let mut command = Command::new("chromedriver");
    command.args(["--port=0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut process = command.spawn().expect("chromedriver starts");
    let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
    let started = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once(STARTED).map(|(_, port)| port.trim_end_matches('.').to_owned()));
    let Some(port) = started.and_then(|port| port.parse().ok()) else {
        let _ = process.kill();
        let _ = process.wait();
        return None;
    };
    // Later output is read and dropped, so that it never blocks.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Driver { process, port })
}

fn capabilities(folder: &Path, look: Look) -> ChromeCapabilities {
    let mut chrome = ChromeCapabilities::new();
    for argument in [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en-US",
        &format!("--user-data-dir={}", folder.join("profile").display()),
    ] {
        chrome.add_arg(argument).expect("an argument");
    }
    let script = if look.script { 1 } else { 2 };
    let settings = serde_json::json!({
        "download.default_directory": folder,
        "download.prompt_for_download": false,
        "profile.managed_default_content_settings.javascript": script,
    });
    chrome.add_experimental_option("prefs", settings).expect("settings");
    chrome
}
