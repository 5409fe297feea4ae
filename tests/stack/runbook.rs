//! Names in `docs/runbook.md` and in alarms: what they name is there: routes of the API, names of the log, metrics, and parameters of the template.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::template::{resources, template};

const RUNBOOK: &str = include_str!("../../docs/runbook.md");
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
/// Files, which look as names of the log do.
const FILES: [&str; 1] = ["loanhook.db"];
/// What Lambda writes into its log by itself.
const OF_LAMBDA: [&str; 1] = ["OutOfMemory"];

/// What stands between backticks.
fn code() -> Vec<&'static str> {
    RUNBOOK.split('`').skip(1).step_by(2).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Whether it has the form of a name of the log: `store.commit_failed`.
fn is_log_name(text: &str) -> bool {
    let words: Vec<_> = text.split('.').collect();
    words.len() == 2 && words.iter().all(|word| is_word(word)) && !FILES.contains(&text)
}

/// The texts of all Rust files of the product, without those of tests.
fn sources() -> String {
    fn add(folder: &Path, all: &mut String) {
        let entries =
            std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                add(&path, all);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                all.push_str(&std::fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    add(&root.join("src"), &mut all);
    for group in ["crates", "functions"] {
        for member in std::fs::read_dir(root.join(group)).expect("members") {
            add(&member.expect("a member").path().join("src"), &mut all);
        }
    }
    all
}

#[test]
fn names_of_the_log_are_written_somewhere() {
    let template = template();
    let descriptions: Vec<_> = resources(&template, "AWS::CloudWatch::Alarm")
        .into_iter()
        .map(|(name, alarm)| alarm["Properties"]["AlarmDescription"].as_str().expect(name))
        .collect();
    let separates = |c: char| c.is_whitespace() || "(),;:".contains(c);
    let words = descriptions.iter().flat_map(|text| text.split(separates));
    // A sentence ends with a dot, and the next begins with a space.
    let named: BTreeSet<&str> = code().into_iter().chain(words).filter(|text| is_log_name(text)).collect();
    assert!(named.len() > 10, "{named:?}");
    let sources = sources();
    for name in named {
        assert!(sources.contains(&format!("\"{name}\"")), "nothing logs {name}");
    }
}

#[test]
fn metrics_that_the_runbook_names_are_written_somewhere() {
    let named: BTreeSet<_> =
        code().into_iter().filter(|text| text.starts_with("loanhook_") && is_word(text)).collect();
    assert!(!named.is_empty());
    let sources = sources();
    for name in named {
        assert!(sources.contains(&format!("\"{name}\"")), "nothing writes {name}");
    }
}

#[test]
fn routes_that_the_runbook_names_are_in_the_api() {
    let document: Value = serde_json::from_str(&loanhook_http::api::openapi::document()).expect("JSON");
    let mut count = 0;
    for text in code() {
        let (method, path) = match text.split_once(' ') {
            Some((method, path)) if METHODS.contains(&method) => (Some(method.to_lowercase()), path),
            None if text.starts_with('/') => (None, text),
            _ => continue,
        };
        let route = &document["paths"][path];
        assert!(route.is_object(), "the API has no {path}");
        assert!(method.is_none_or(|method| route[&method].is_object()), "the API has no {text}");
        count += 1;
    }
    assert!(count >= 3, "{count} routes");
}

#[test]
fn parameters_that_the_runbook_names_are_in_the_template() {
    let template = template();
    let is_name = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_alphabetic())
            && text.bytes().filter(u8::is_ascii_uppercase).count() > 1
            && !OF_LAMBDA.contains(text)
    };
    let named: BTreeSet<_> = code().into_iter().filter(is_name).collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        let is_there = ["Parameters", "Outputs"].iter().any(|part| !template[*part][name].is_null());
        assert!(is_there, "the template has no {name}");
    }
}
