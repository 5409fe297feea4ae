//! Process of Clojure that evaluates formulas, as Debian's package `clojure` installs it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::CONTEXT;

const JAR: &str = "/usr/share/java/clojure.jar";

/// The Java 17 of those that Debian installs beside each other: later ones print some doubles in another way.
fn java() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/jvm").ok()?.flatten();
    let java_17 = installed.filter(|one| one.file_name().to_string_lossy().starts_with("java-17-"));
    java_17.map(|one| one.path().join("bin/java")).find(|java| java.exists())
}

/// Why Clojure cannot be run here; none if it can. In CI it must be installed.
pub(crate) fn missing() -> Option<&'static str> {
    let there = Path::new(JAR).exists() && java().is_some();
    let packages = "install the packages `clojure` and `openjdk-17-jre-headless`";
    assert!(there || std::env::var_os("CI").is_none(), "{packages}");
    (!there).then_some("formulas were not held against Clojure: install the packages `clojure` and `openjdk-17-jre-headless`")
}

/// What Clojure prints for each formula, or `!` where it fails. One process evaluates all.
pub(crate) fn answers(formulas: &[String]) -> Vec<String> {
    let context = edn(&serde_json::from_str(CONTEXT).expect("JSON"), true);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formulas/evaluate.clj");
    let classpath = format!("{JAR}:/usr/share/java/spec.alpha.jar:/usr/share/java/core.specs.alpha.jar");
    let mut process = Command::new(java().expect("Java"))
        .args(["-cp", &classpath, "-Dfile.encoding=UTF-8", "clojure.main", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("java");
    let mut stdin = process.stdin.take().expect("its standard input");
    let lines: String = formulas
        .iter()
        .map(|formula| format!("[{} {context}]\n", edn(&formula.as_str().into(), false)))
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = process.wait_with_output().expect("Clojure's answers");
    writer.join().expect("the formulas").expect("were taken");
    let answers = String::from_utf8(output.stdout).expect("UTF-8");
    let answers: Vec<_> = answers
        .lines()
        .map(|line| line.strip_prefix("= ").map_or_else(|| "!".to_owned(), str::to_owned))
        .collect();
    assert_eq!(answers.len(), formulas.len(), "each formula is answered");
    answers
}

/// A value of JSON as Clojure reads it. The names of members are keywords, those of `variables` strings.
fn edn(value: &Value, variables: bool) -> String {
    match value {
        Value::Null => "nil".into(),
        Value::String(text) => {
            let escaped: String = text
                .chars()
                .map(|char| match char {
                    '"' | '\\' => format!("\\{char}"),
                    '\n' => "\\n".into(),
                    '\r' => "\\r".into(),
                    other => other.to_string(),
                })
                .collect();
            format!("\"{escaped}\"")
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| edn(item, false)).collect::<Vec<_>>().join(" "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let name = if variables { format!("\"{name}\"") } else { format!(":{name}") };
                format!("{name} {}", edn(value, false))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
