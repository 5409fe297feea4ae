//! Regexes: Java's syntax on an engine whose time is linear in the text.
//!
//! What both know alike is translated; what Java alone knows (look-around, back-references, possessive
//! quantifiers) or takes otherwise is unsupported. Two differences show only with the text at hand, and are
//! refused then: a `$` before a line break at the end of the text, and `(?i)` beyond ASCII.

use regex::{Regex, RegexBuilder};

use super::budget::Budget;
use super::error::{R, limit, unsupported, wrong};

const MAX_PATTERN: usize = 1024;
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

#[derive(Debug)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) source: String,
    regex: Regex,
    whole: Regex,
    has_end: bool,
    ignores_case: bool,
}

impl Pattern {
    pub(super) fn new(source: &str) -> R<Self> {
        if source.len() > MAX_PATTERN {
            return Err(limit("a regex has at most 1 KiB"));
        }
        let translated = Translation::of(source)?;
        let build = |text: &str| {
            let mut builder = RegexBuilder::new(text);
            builder.size_limit(1 << 19).dfa_size_limit(1 << 19).nest_limit(40);
            builder.case_insensitive(translated.ignores_case).dot_matches_new_line(translated.dots_match_all);
            builder.build()
        };
        let built = build(&translated.text)
            .and_then(|regex| Ok((regex, build(&format!("^(?:{})$", translated.text))?)));
        match built {
            Ok((regex, whole)) => Ok(Self {
                source: source.into(),
                regex,
                whole,
                has_end: translated.has_end,
                ignores_case: translated.ignores_case,
            }),
            Err(regex::Error::CompiledTooBig(_)) => Err(limit("this regex is too large")),
            Err(_) => Err(wrong(format!("`{source}` is no regex, or one that is not supported"))),
        }
    }

    fn on<'a>(&self, regex: &'a Regex, budget: &mut Budget, text: &str) -> R<&'a Regex> {
        budget.steps(1 + (text.len() / 256 + 1) * (self.source.len() / 16 + 1))?;
        if self.has_end && text.ends_with(LINE_BREAKS) {
            return Err(unsupported("`$` in a regex, on a text that ends in a line break, is not supported"));
        }
        if self.ignores_case && !text.is_ascii() {
            return Err(unsupported("`(?i)` is supported for ASCII only"));
        }
        Ok(regex)
    }

    pub(super) fn search(&self, budget: &mut Budget, text: &str) -> R<&Regex> {
        self.on(&self.regex, budget, text)
    }

    /// The regex that matches all of a text.
    pub(super) fn matches(&self, budget: &mut Budget, text: &str) -> R<&Regex> {
        self.on(&self.whole, budget, text)
    }
}

#[derive(Default)]
struct Translation {
    text: String,
    has_end: bool,
    ignores_case: bool,
    dots_match_all: bool,
}

impl Translation {
    fn of(source: &str) -> R<Self> {
        let mut translation = Self::default();
        let mut rest = source;
        if let Some(flags) =
            source.strip_prefix("(?").and_then(|rest| rest.split_once(')')).map(|(flags, _)| flags)
            && !flags.is_empty()
            && flags.chars().all(|flag| flag == 'i' || flag == 's')
        {
            translation.ignores_case = flags.contains('i');
            translation.dots_match_all = flags.contains('s');
            rest = &source[flags.len() + 3..];
        }
        if translation.ignores_case && !source.is_ascii() {
            return Err(unsupported("`(?i)` is supported for ASCII only"));
        }
        translation.outside(&mut rest.chars().peekable())?;
        Ok(translation)
    }

    fn outside(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> R<()> {
        let mut quantified = false;
        while let Some(next) = chars.next() {
            let quantifier = matches!(next, '*' | '+' | '?') || next == '}';
            match next {
                '\\' => self.escape(chars, false)?,
                '[' => self.class(chars)?,
                '.' if self.dots_match_all => self.text.push('.'),
                '.' => self.text.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"),
                '$' => {
                    self.has_end = true;
                    self.text.push('$');
                }
                '+' if quantified => {
                    return Err(unsupported("possessive quantifiers (`++`, `*+`) are not supported"));
                }
                '*' if quantified => return Err(wrong("a quantifier has nothing before it")),
                '(' if chars.peek() == Some(&'?') => {
                    chars.next();
                    if chars.next() != Some(':') {
                        return Err(unsupported(
                            "of the groups that begin with `(?`, only `(?:…)` is supported, and `(?i)` and `(?s)` at the start",
                        ));
                    }
                    self.text.push_str("(?:");
                }
                '{' if !chars.peek().is_some_and(char::is_ascii_digit) => {
                    return Err(wrong("`{` begins a count, as in `a{2,3}`: write `\\{` for itself"));
                }
                other => self.text.push(other),
            }
            quantified = quantifier;
        }
        Ok(())
    }

    /// A class; its opening bracket was read.
    fn class(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> R<()> {
        self.text.push('[');
        if chars.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut first = true;
        loop {
            let Some(next) = chars.next() else {
                return Err(wrong("a class in this regex is never closed: `]` is missing"));
            };
            match next {
                ']' if !first => break,
                '[' | ']' => {
                    return Err(unsupported("classes in classes are not supported: write `\\[` or `\\]`"));
                }
                '&' if chars.peek() == Some(&'&') => {
                    return Err(unsupported("intersections (`&&`) in classes are not supported"));
                }
                '\\' => self.escape(chars, true)?,
                '&' | '~' | '^' => {
                    self.text.push('\\');
                    self.text.push(next);
                }
                other => self.text.push(other),
            }
            first = false;
        }
        self.text.push(']');
        Ok(())
    }

    fn escape(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, in_class: bool) -> R<()> {
        let Some(next) = chars.next() else { return Err(wrong("a regex cannot end in a backslash")) };
        let translated = match next {
            'd' => {
                if in_class {
                    "0-9"
                } else {
                    "[0-9]"
                }
            }
            'w' => {
                if in_class {
                    "a-zA-Z_0-9"
                } else {
                    "[a-zA-Z_0-9]"
                }
            }
            's' => {
                if in_class {
                    " \\t\\n\\x0B\\f\\r"
                } else {
                    "[ \\t\\n\\x0B\\f\\r]"
                }
            }
            'D' if !in_class => "[^0-9]",
            'W' if !in_class => "[^a-zA-Z_0-9]",
            'S' if !in_class => "[^ \\t\\n\\x0B\\f\\r]",
            'b' if !in_class => "\\b",
            'B' if !in_class => "\\B",
            'A' if !in_class => "\\A",
            'z' if !in_class => "\\z",
            't' => "\\t",
            'n' => "\\n",
            'r' => "\\r",
            'f' => "\\f",
            'u' | 'x' => return self.code(chars, if next == 'u' { 4 } else { 2 }),
            letter if letter.is_ascii_alphanumeric() => {
                return Err(unsupported(format!("`\\{letter}` in a regex is not supported here")));
            }
            other => {
                self.text.push_str(&regex::escape(other.encode_utf8(&mut [0; 4])));
                return Ok(());
            }
        };
        self.text.push_str(translated);
        Ok(())
    }

    fn code(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: usize) -> R<()> {
        let code: String = chars.by_ref().take(digits).collect();
        if code.len() != digits || !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong("a code in a regex is `\\uFFFF` or `\\xFF`"));
        }
        self.text.push_str(&format!("\\x{{{code}}}"));
        Ok(())
    }
}
