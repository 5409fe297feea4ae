//! Regexes: Java's syntax on an engine whose time is linear in the text.
//!
//! A regex is translated to the syntax of the `regex` crate. What Java alone has (look-around, back-references,
//! possessive quantifiers), or what has another meaning in Java, is unsupported. Three differences depend on the text,
//! and are refused when it is searched: a `$` where the text ends in a line break, `(?i)` beyond ASCII, and word
//! boundaries where the text has marks or letters that are numbers. Compiling and searching take steps by the size of
//! the regex.

mod size;
mod translation;

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

use crate::budget::Budget;
use crate::error::{Failure, Result, invalid, limit_exceeded, unsupported};
use size::pattern_size;
use translation::Translation;

/// The longest regex, in bytes.
const MAX_PATTERN_BYTES: usize = 1024;
/// The largest size (see [`pattern_size`]) of all regexes that a formula holds, and of each that it compiles when it is
/// evaluated. A regex takes about 300 bytes of memory for each unit of its size.
const MAX_PATTERN_SIZE: usize = 2_000;
/// How many regexes a formula may hold: each keeps up to 512 KiB to be fast.
const MAX_LITERAL_PATTERNS: usize = 16;
/// Up to this size a regex is searched for by an automaton that looks at each byte once.
const MAX_AUTOMATON_SIZE: usize = 16;
/// What Java takes for the end of a line.
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Characters that are part of a word to the engine and not to Java 17 (`Pattern.Bound`): marks, and letters that are
/// numbers.
static WORD_ONLY_TO_ENGINE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\w&&[^\p{L}\p{Nd}_]]").ok());

/// A compiled regex.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As it was written.
    pub(crate) source: String,
    regex: Regex,
    /// The regex that matches only all of a text: compiled when it is first asked for; none if it is too large.
    full_match: OnceLock<Option<Regex>>,
    translation: Translation,
    size: usize,
}

/// The regexes that a formula holds: how many, and their size.
#[derive(Debug, Default)]
pub(crate) struct LiteralPatterns {
    count: usize,
    size: usize,
}

impl LiteralPatterns {
    /// Compiles one more.
    pub(crate) fn compile(&mut self, source: &str) -> Result<Pattern> {
        let detail = || format!("`{source}` is no regex, or one that is not supported");
        let (translation, size) = translate(source).map_err(|failure| failure.or_detail(detail))?;
        self.count += 1;
        self.size = self.size.saturating_add(size);
        if self.count > MAX_LITERAL_PATTERNS {
            return Err(limit_exceeded(format!("a formula has at most {MAX_LITERAL_PATTERNS} regexes")));
        }
        if self.size > MAX_PATTERN_SIZE {
            return Err(limit_exceeded("the regexes of this formula are too large: they repeat too much"));
        }
        compile(source, translation, size).map_err(|failure| failure.or_detail(detail))
    }
}

/// The translation of a regex, and its size.
fn translate(source: &str) -> Result<(Translation, usize)> {
    if source.len() > MAX_PATTERN_BYTES {
        return Err(limit_exceeded("a regex has at most 1 KiB"));
    }
    let translation = Translation::of(source)?;
    let size = pattern_size(&translation.text, translation.ignores_case, translation.dots_match_all)?;
    Ok((translation, size))
}

fn compile(source: &str, translation: Translation, size: usize) -> Result<Pattern> {
    match compile_regex(&translation.text, &translation) {
        Ok(regex) => {
            Ok(Pattern { source: source.into(), regex, full_match: OnceLock::new(), translation, size })
        }
        Err(regex::Error::CompiledTooBig(_)) => Err(too_large()),
        Err(_) => Err(invalid("")),
    }
}

fn compile_regex(text: &str, translation: &Translation) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(1 << 22).dfa_size_limit(1 << 17).nest_limit(42);
    builder.case_insensitive(translation.ignores_case).dot_matches_new_line(translation.dots_match_all);
    builder.build()
}

fn too_large() -> Failure {
    limit_exceeded("this regex is too large")
}

impl Pattern {
    /// Compiles a string that a formula computed. The error does not quote the string: it may be a variable's.
    pub(crate) fn compile(budget: &mut Budget, source: &str) -> Result<Self> {
        let detail = || "this string is no regex, or one that is not supported".to_owned();
        budget.take_steps(2_000 + source.len() * 50)?;
        let (translation, size) = translate(source).map_err(|failure| failure.with_detail(detail()))?;
        if size > MAX_PATTERN_SIZE {
            return Err(limit_exceeded("this regex is too large: it repeats too much"));
        }
        budget.take_steps(size * 10)?;
        budget.take_bytes((1 << 16) + size * 300)?;
        compile(source, translation, size).map_err(|failure| failure.with_detail(detail()))
    }

    /// Takes the steps of a search through a text; an error where Java might find something else in it.
    fn check_text(&self, budget: &mut Budget, text: &str) -> Result<()> {
        self.take_search_steps(budget, text.len())?;
        if self.translation.has_end && text.ends_with(LINE_BREAKS) {
            return Err(unsupported("`$` in a regex, on a text that ends in a line break, is not supported"));
        }
        if self.translation.ignores_case && !text.is_ascii() {
            return Err(unsupported("`(?i)` is supported for ASCII only"));
        }
        if self.translation.has_boundary
            && !text.is_ascii()
            && WORD_ONLY_TO_ENGINE.as_ref().is_none_or(|regex| regex.is_match(text))
        {
            return Err(unsupported("`\\b` and `\\B` are supported for letters, digits and signs only"));
        }
        Ok(())
    }

    /// Takes the steps of a search through so many bytes. A large regex may look at each byte as many times as it is
    /// large.
    pub(crate) fn take_search_steps(&self, budget: &mut Budget, bytes: usize) -> Result<()> {
        let looks_per_byte = if self.size <= MAX_AUTOMATON_SIZE { 1 } else { self.size };
        budget.take_steps((bytes + 1).saturating_mul(looks_per_byte) / 32)
    }

    /// The regex to search a text with.
    pub(crate) fn search(&self, budget: &mut Budget, text: &str) -> Result<&Regex> {
        self.check_text(budget, text)?;
        Ok(&self.regex)
    }

    /// The regex that matches only all of a text.
    pub(crate) fn full_match(&self, budget: &mut Budget, text: &str) -> Result<&Regex> {
        self.check_text(budget, text)?;
        let translation = &self.translation;
        let compile = || compile_regex(&format!("^(?:{})$", translation.text), translation).ok();
        self.full_match.get_or_init(compile).as_ref().ok_or_else(too_large)
    }
}
