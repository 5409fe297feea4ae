//! The pages in a real browser: Chromium, driven over WebDriver, with JavaScript and without.
//!
//! It needs `chromium` and `chromedriver` (Debian's packages of these names; `make test-browser` installs them
//! where it can) and, for accessibility, axe-core from `tests/package.json`. Where they are missing a test says
//! so and passes; where `CI` is set it fails. The server under test is chosen as for the journeys.

mod accessibility;
mod browser;
mod bulk_resend;
mod console;
mod events;
#[path = "../journeys/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "journeys over HTTP need more of it")]
mod harness;
mod history;
mod hostile_text;
mod keyboard;
mod refresh;
mod resend;
mod scenes;
mod screenshots;
mod sessions;
mod tab;
