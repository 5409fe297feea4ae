//! Reader: the text of a formula as a form, by the rules of Clojure's reader (`LispReader`).
//!
//! It refuses what Clojure's reader refuses, and what is outside of the subset, each with its position. It also holds
//! the limits on the text: its length, how deep its forms nest, and the regexes in it. Names are not looked up here:
//! that is the compiler's work.

mod cursor;
mod duplicates;
mod number;
mod token;

use std::collections::HashMap;
use std::ops::Range;

use crate::budget::{MAX_FORM_DEPTH, MAX_FORMULA_BYTES};
use crate::error::{Failure, Position, Result, invalid, limit_exceeded, unsupported};
use crate::form::{Form, FormKind, Literal};
use crate::pattern::LiteralPatterns;
use cursor::TextCursor;

/// Where the forms of a text are: the bytes of each, by the position of its first character.
pub(crate) type SourceRanges = HashMap<Position, Range<usize>>;

/// The one form of a formula.
pub(crate) fn read(text: &str) -> Result<Form> {
    Reader::new(text).formula(text)
}

/// The same, and where it and the forms in it are.
pub(crate) fn read_with_ranges(text: &str) -> Result<(Form, SourceRanges)> {
    let mut reader = Reader { ranges: Some(SourceRanges::new()), ..Reader::new(text) };
    let form = reader.formula(text)?;
    Ok((form, reader.ranges.unwrap_or_default()))
}

struct Reader<'a> {
    cursor: TextCursor<'a>,
    depth: usize,
    /// Whether it is inside of a `#(…)`.
    in_shorthand: bool,
    patterns: LiteralPatterns,
    /// Where the forms are, if somebody asks for it.
    ranges: Option<SourceRanges>,
}

enum Item {
    Form(Form),
    /// A closing bracket, and where it stands.
    Close(char, Position),
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            cursor: TextCursor::new(text),
            depth: 0,
            in_shorthand: false,
            patterns: LiteralPatterns::default(),
            ranges: None,
        }
    }

    fn formula(&mut self, text: &str) -> Result<Form> {
        if text.len() > MAX_FORMULA_BYTES {
            return Err(limit_exceeded("a formula has at most 16 KiB"));
        }
        let form = match self.item()? {
            Some(Item::Form(form)) => form,
            Some(Item::Close(close, at)) => return Err(invalid(format!("`{close}` closes nothing")).at(at)),
            None => {
                return Err(invalid("a formula is one form, and this is none").at(self.cursor.position()));
            }
        };
        match self.item()? {
            None => Ok(form),
            Some(Item::Close(close, at)) => Err(invalid(format!("`{close}` closes nothing")).at(at)),
            Some(Item::Form(second)) => {
                let detail = "a formula is one form, and here begins a second: put both in `(do …)`";
                Err(invalid(detail).at(second.position))
            }
        }
    }

    /// The next form, or the bracket that closes the form around it; none at the end of the text.
    fn item(&mut self) -> Result<Option<Item>> {
        loop {
            let (position, start) = (self.cursor.position(), self.cursor.offset());
            let Some(first) = self.cursor.next() else { return Ok(None) };
            let kind = match first {
                ',' => continue,
                space if space.is_whitespace() => continue,
                ';' => {
                    self.cursor.skip_line();
                    continue;
                }
                ')' | ']' | '}' => return Ok(Some(Item::Close(first, position))),
                '#' if self.cursor.peek() == Some('_') => {
                    self.cursor.next();
                    self.following_form(position, "`#_` is to skip a form, and none follows")?;
                    continue;
                }
                '#' if self.cursor.peek() == Some('!') => {
                    self.cursor.skip_line();
                    continue;
                }
                _ => self.form_kind(first, position).map_err(|failure| failure.at(position))?,
            };
            if let Some(ranges) = &mut self.ranges {
                ranges.insert(position, start..self.cursor.offset());
            }
            return Ok(Some(Item::Form(Form::new(position, kind))));
        }
    }

    /// The form that must follow here.
    fn following_form(&mut self, position: Position, missing: &str) -> Result<Form> {
        self.enter_form(position)?;
        let item = self.item()?;
        self.depth -= 1;
        match item {
            Some(Item::Form(form)) => Ok(form),
            Some(Item::Close(..)) | None => Err(invalid(missing).at(position)),
        }
    }

    fn enter_form(&mut self, position: Position) -> Result<()> {
        if self.depth >= MAX_FORM_DEPTH {
            return Err(limit_exceeded(format!("forms nest at most {MAX_FORM_DEPTH} deep")).at(position));
        }
        self.depth += 1;
        Ok(())
    }

    /// The form that begins with this character.
    fn form_kind(&mut self, first: char, position: Position) -> Result<FormKind> {
        match first {
            '(' => self.forms_until(')', position).map(FormKind::List),
            '[' => self.forms_until(']', position).map(FormKind::Vector),
            '{' => self.map(position),
            '"' => token::string(&mut self.cursor, position)
                .map(|text| FormKind::Literal(Literal::Str(text.into()))),
            '\\' => token::character(&mut self.cursor).map(|char| FormKind::Literal(Literal::Char(char))),
            '\'' => {
                let quoted = self.following_form(position, "`'` quotes a form, and none follows")?;
                Ok(FormKind::Quote(Box::new(quoted)))
            }
            '#' => self.dispatch(position),
            '@' => Err(unsupported("`@` is not supported: a formula has no state to look at")),
            '^' => Err(unsupported("metadata (`^`) is not supported")),
            '`' | '~' => Err(unsupported(format!("`{first}` is not supported: a formula defines no macros"))),
            _ => token::token(&mut self.cursor, first),
        }
    }

    fn map(&mut self, opened: Position) -> Result<FormKind> {
        let forms = self.forms_until('}', opened)?;
        if !forms.len().is_multiple_of(2) {
            return Err(invalid("a map has a value for each key, and here the last key has none"));
        }
        match duplicates::first_duplicate(forms.iter().step_by(2)) {
            Some(duplicate) => Err(invalid("this key is in the map twice").at(duplicate.position)),
            None => Ok(FormKind::Map(forms)),
        }
    }

    fn set(&mut self, opened: Position) -> Result<FormKind> {
        let forms = self.forms_until('}', opened)?;
        match duplicates::first_duplicate(forms.iter()) {
            Some(duplicate) => Err(invalid("this value is in the set twice").at(duplicate.position)),
            None => Ok(FormKind::Set(forms)),
        }
    }

    /// What follows a `#`.
    fn dispatch(&mut self, position: Position) -> Result<FormKind> {
        match self.cursor.next() {
            Some('{') => self.set(position),
            Some('(') if self.in_shorthand => {
                Err(invalid("`#(…)` cannot stand in another `#(…)`: write `(fn […] …)`"))
            }
            Some('(') => {
                self.in_shorthand = true;
                let forms = self.forms_until(')', position);
                self.in_shorthand = false;
                forms.map(FormKind::FunctionShorthand)
            }
            Some('"') => {
                let source = token::regex(&mut self.cursor, position)?;
                let pattern = self.patterns.compile(&source)?;
                Ok(FormKind::Literal(Literal::Regex(pattern.into())))
            }
            Some('#') => token::symbolic_double(&mut self.cursor),
            Some('\'') => Err(unsupported("vars (`#'`) are not supported")),
            Some('?') => Err(unsupported("reader conditionals (`#?`) are not supported")),
            Some(':') => Err(unsupported("namespaced maps (`#:`) are not supported")),
            Some('^') => Err(unsupported("metadata (`#^`) is not supported")),
            Some('=') => Err(unsupported("`#=` is not supported: nothing is evaluated while reading")),
            Some(other) => Err(unsupported(format!("tagged literals (`#{other}…`) are not supported"))),
            None => Err(invalid("`#` is followed by nothing")),
        }
    }

    /// The forms up to a closing bracket.
    fn forms_until(&mut self, close: char, opened: Position) -> Result<Vec<Form>> {
        self.enter_form(opened)?;
        let mut forms = Vec::new();
        loop {
            match self.item()? {
                Some(Item::Form(form)) => forms.push(form),
                Some(Item::Close(found, _)) if found == close => break,
                Some(Item::Close(found, at)) => {
                    let detail =
                        format!("`{found}` stands where `{close}` must close what opened at {opened}");
                    return Err(invalid(detail).at(at));
                }
                None => return Err(unclosed(close, opened)),
            }
        }
        self.depth -= 1;
        Ok(forms)
    }
}

fn unclosed(close: char, opened: Position) -> Failure {
    invalid(format!("what opens here is never closed: `{close}` is missing")).at(opened)
}
