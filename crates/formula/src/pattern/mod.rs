//! Regexes: Java's syntax on an engine whose time is linear in the text.
//!
//! What both know alike is translated; what Java alone knows (look-around, back-references, possessive
//! quantifiers) or takes otherwise is unsupported. Three differences show only with the text at hand, and are
//! refused then: a `$` before a line break at the end of the text, `(?i)` beyond ASCII, and the bounds of words
//! where the text has marks or numeral letters.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};

use super::budget::Budget;
use super::error::{Fail, R, limit, unsupported, wrong};
use super::pattern_shape;
use super::pattern_syntax::Translation;

const MAX_PATTERN: usize = 1024;
/// How large the regexes of a formula may be together, and each that is made while it runs: about 300 bytes
/// for each of it.
const MAX_SIZE: usize = 2_000;
/// How many regexes a formula may hold: each keeps up to half a mebibyte to be quick.
const MAX_REGEXES: usize = 16;
/// Up to which size a regex is small.
const SMALL: usize = 16;
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// What is part of a word here, and of none in Java 17 (`Pattern.Bound`): marks, and letters that are numbers.
static NO_WORD_IN_JAVA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\w&&[^\p{L}\p{Nd}_]]").ok());

#[derive(Debug)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) source: String,
    regex: Regex,
    /// What matches all of a text: made for the first that asks. None where it is too large.
    whole: OnceLock<Option<Regex>>,
    translation: Translation,
    /// How large it is, as [`pattern_shape::size`] reckons.
    size: usize,
}

/// What the regexes of one formula take.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    count: usize,
    size: usize,
}

impl Patterns {
    /// One more, as it was written.
    pub(super) fn written(&mut self, source: &str) -> R<Pattern> {
        let told = || format!("`{source}` is no regex, or one that is not supported");
        let (translated, size) = read(source).map_err(|fail| fail.or_told(told))?;
        self.count += 1;
        self.size = self.size.saturating_add(size);
        if self.count > MAX_REGEXES {
            return Err(limit(format!("a formula has at most {MAX_REGEXES} regexes")));
        }
        if self.size > MAX_SIZE {
            return Err(limit("the regexes of this formula are too large: they repeat too much"));
        }
        build(source, translated, size).map_err(|fail| fail.or_told(told))
    }
}

fn read(source: &str) -> R<(Translation, usize)> {
    if source.len() > MAX_PATTERN {
        return Err(limit("a regex has at most 1 KiB"));
    }
    let translated = Translation::of(source)?;
    let size = pattern_shape::size(&translated.text, translated.ignores_case, translated.dots_match_all)?;
    Ok((translated, size))
}

fn build(source: &str, translation: Translation, size: usize) -> R<Pattern> {
    match engine(&translation.text, &translation) {
        Ok(regex) => Ok(Pattern { source: source.into(), regex, whole: OnceLock::new(), translation, size }),
        Err(regex::Error::CompiledTooBig(_)) => Err(too_large()),
        Err(_) => Err(wrong("")),
    }
}

fn engine(text: &str, translation: &Translation) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(1 << 22).dfa_size_limit(1 << 17).nest_limit(42);
    builder.case_insensitive(translation.ignores_case).dot_matches_new_line(translation.dots_match_all);
    builder.build()
}

fn too_large() -> Fail {
    limit("this regex is too large")
}

impl Pattern {
    /// Of a string that a formula came to. What is wrong with it is not told: it may be a variable's.
    pub(super) fn made(budget: &mut Budget, source: &str) -> R<Self> {
        let told = || "this string is no regex, or one that is not supported".to_owned();
        budget.steps(2_000 + source.len() * 50)?;
        let (translated, size) = read(source).map_err(|fail| fail.told(told()))?;
        if size > MAX_SIZE {
            return Err(limit("this regex is too large: it repeats too much"));
        }
        budget.steps(size * 10)?;
        budget.bytes((1 << 16) + size * 300)?;
        build(source, translated, size).map_err(|fail| fail.told(told()))
    }

    /// Pays for a look through a text, unless Java would see another in it.
    fn look(&self, budget: &mut Budget, text: &str) -> R<()> {
        self.scan(budget, text.len())?;
        if self.translation.has_end && text.ends_with(LINE_BREAKS) {
            return Err(unsupported("`$` in a regex, on a text that ends in a line break, is not supported"));
        }
        if self.translation.ignores_case && !text.is_ascii() {
            return Err(unsupported("`(?i)` is supported for ASCII only"));
        }
        if self.translation.has_boundary
            && !text.is_ascii()
            && NO_WORD_IN_JAVA.as_ref().is_none_or(|regex| regex.is_match(text))
        {
            return Err(unsupported("`\\b` and `\\B` are supported for letters, digits and signs only"));
        }
        Ok(())
    }

    /// Takes what it takes to look through so many bytes: a small regex is an automaton that looks at each byte
    /// once; of a large one all places may be looked at, for each byte.
    pub(super) fn scan(&self, budget: &mut Budget, bytes: usize) -> R<()> {
        let looks = if self.size <= SMALL { 1 } else { self.size };
        budget.steps((bytes + 1).saturating_mul(looks) / 32)
    }

    pub(super) fn search(&self, budget: &mut Budget, text: &str) -> R<&Regex> {
        self.look(budget, text)?;
        Ok(&self.regex)
    }

    /// The regex that matches all of a text.
    pub(super) fn matches(&self, budget: &mut Budget, text: &str) -> R<&Regex> {
        self.look(budget, text)?;
        let translation = &self.translation;
        let whole = || engine(&format!("^(?:{})$", translation.text), translation).ok();
        self.whole.get_or_init(whole).as_ref().ok_or_else(too_large)
    }
}
