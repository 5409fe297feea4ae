//! Translation of Java's regex syntax to that of the engine (`regex`).
//!
//! What both have with the same meaning is translated; everything else is refused.

use crate::error::{Result, invalid, unsupported};

type Chars<'s> = std::iter::Peekable<std::str::Chars<'s>>;

/// What stands before the next character of a regex, which a quantifier would repeat.
#[derive(Clone, Copy)]
enum Previous {
    Nothing,
    Atom,
    Quantifier,
    /// A quantifier with a `?` after it.
    LazyQuantifier,
}

/// A regex in the engine's syntax, and what must be known to run it as Java would.
#[derive(Debug, Default)]
pub(super) struct Translation {
    pub(super) text: String,
    /// Whether it has a `$`.
    pub(super) has_end: bool,
    /// Whether it has a `\b` or `\B`.
    pub(super) has_boundary: bool,
    /// The flag `(?i)`.
    pub(super) ignores_case: bool,
    /// The flag `(?s)`.
    pub(super) dots_match_all: bool,
}

impl Translation {
    pub(super) fn of(source: &str) -> Result<Self> {
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
        translation.sequence(&mut rest.chars().peekable())?;
        Ok(translation)
    }

    /// What stands outside of classes.
    fn sequence(&mut self, chars: &mut Chars<'_>) -> Result<()> {
        let mut previous = Previous::Nothing;
        while let Some(next) = chars.next() {
            previous = match (next, previous) {
                ('*' | '+' | '?', Previous::Nothing)
                | ('*', Previous::Quantifier)
                | ('*' | '+' | '?', Previous::LazyQuantifier) => {
                    return Err(invalid("a quantifier has nothing before it"));
                }
                ('+', Previous::Quantifier) => {
                    return Err(unsupported("possessive quantifiers (`++`, `*+`) are not supported"));
                }
                ('{', Previous::Nothing | Previous::Quantifier | Previous::LazyQuantifier) => {
                    return Err(unsupported(
                        "a count with nothing before it, or after another quantifier, is not supported in a regex",
                    ));
                }
                ('?', Previous::Quantifier) => {
                    self.text.push('?');
                    Previous::LazyQuantifier
                }
                ('*' | '+' | '?', Previous::Atom) => {
                    self.text.push(next);
                    Previous::Quantifier
                }
                ('{', Previous::Atom) => {
                    self.count(chars)?;
                    Previous::Quantifier
                }
                ('|', _) => {
                    self.text.push('|');
                    Previous::Nothing
                }
                ('(', _) => {
                    self.group_start(chars)?;
                    Previous::Nothing
                }
                _ => {
                    self.atom(next, chars)?;
                    Previous::Atom
                }
            };
        }
        Ok(())
    }

    fn atom(&mut self, first: char, chars: &mut Chars<'_>) -> Result<()> {
        match first {
            '\\' => return self.escape(chars, false),
            '[' => return self.class(chars),
            '.' if self.dots_match_all => self.text.push('.'),
            '.' => self.text.push_str("[^\\n\\r\\x{85}\\x{2028}\\x{2029}]"),
            '$' => {
                self.has_end = true;
                self.text.push('$');
            }
            '}' => self.text.push_str("\\}"),
            other => self.text.push(other),
        }
        Ok(())
    }

    /// The beginning of a group. Its opening bracket was read.
    fn group_start(&mut self, chars: &mut Chars<'_>) -> Result<()> {
        self.text.push('(');
        if chars.next_if_eq(&'?').is_some() {
            if chars.next() != Some(':') {
                return Err(unsupported(
                    "of the groups that begin with `(?`, only `(?:…)` is supported, and `(?i)` and `(?s)` at the start",
                ));
            }
            self.text.push_str("?:");
        }
        Ok(())
    }

    /// The count of a repetition. Its opening bracket was read.
    fn count(&mut self, chars: &mut Chars<'_>) -> Result<()> {
        if !chars.peek().is_some_and(char::is_ascii_digit) {
            return Err(invalid("`{` begins a count, as in `a{2,3}`: write `\\{` for itself"));
        }
        self.text.push('{');
        while let Some(digit) = chars.next_if(|next| next.is_ascii_digit() || *next == ',') {
            self.text.push(digit);
        }
        if chars.next() != Some('}') {
            return Err(invalid("a count in a regex is written `{2}`, `{2,}` or `{2,3}`"));
        }
        self.text.push('}');
        Ok(())
    }

    /// A class. Its opening bracket was read.
    fn class(&mut self, chars: &mut Chars<'_>) -> Result<()> {
        self.text.push('[');
        if chars.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut first = true;
        loop {
            let Some(next) = chars.next() else {
                return Err(invalid("a class in this regex is never closed: `]` is missing"));
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
                // A range to or from a hyphen: Java and the engine read it differently.
                '-' if chars.peek() == Some(&'-') => {
                    return Err(unsupported("`--` in a class is not supported: write `\\-`"));
                }
                // Java reads `[+-\d]` as a range that ends in no character.
                '-' if class_escape_follows(chars) => {
                    return Err(unsupported(
                        "in a class, `-` before `\\d`, `\\w` or `\\s` is not supported: write `\\-`",
                    ));
                }
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

    /// An escape. Its backslash was read.
    fn escape(&mut self, chars: &mut Chars<'_>, in_class: bool) -> Result<()> {
        let Some(next) = chars.next() else { return Err(invalid("a regex cannot end in a backslash")) };
        self.has_boundary |= matches!(next, 'b' | 'B');
        let translated = match next {
            'd' if in_class => "0-9",
            'd' => "[0-9]",
            'w' if in_class => "a-zA-Z_0-9",
            'w' => "[a-zA-Z_0-9]",
            's' if in_class => " \\t\\n\\x0B\\f\\r",
            's' => "[ \\t\\n\\x0B\\f\\r]",
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

    /// A character by its code, of so many hexadecimal digits.
    fn code(&mut self, chars: &mut Chars<'_>, digits: usize) -> Result<()> {
        let code: String = chars.by_ref().take(digits).collect();
        if code.len() != digits || !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid("a code in a regex is `\\uFFFF` or `\\xFF`"));
        }
        self.text.push_str(&format!("\\x{{{code}}}"));
        Ok(())
    }
}

/// Whether `\d` or another escape that stands for a class follows.
fn class_escape_follows(chars: &Chars<'_>) -> bool {
    let mut ahead = chars.clone();
    ahead.next() == Some('\\') && matches!(ahead.next(), Some('d' | 'w' | 's' | 'D' | 'W' | 'S'))
}
