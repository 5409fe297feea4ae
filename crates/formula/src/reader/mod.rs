//! Text to forms, as Clojure's reader does.

use super::budget::{MAX_FORM_DEPTH, MAX_FORMULA};
use super::duplicates;
use super::error::{Fail, Position, R, limit, unsupported, wrong};
use super::form::{Form, Literal, What};
use super::pattern::Patterns;
use super::reader_token as token;

/// The one form of a formula.
pub(super) fn read(text: &str) -> R<Form> {
    if text.len() > MAX_FORMULA {
        return Err(limit("a formula has at most 16 KiB"));
    }
    let mut reader = Reader {
        rest: text.chars(),
        at: Position { line: 1, column: 1 },
        depth: 0,
        short: false,
        patterns: Patterns::default(),
    };
    let form = match reader.form()? {
        Some(Item::Form(form)) => form,
        Some(Item::Close(close, at)) => return Err(wrong(format!("`{close}` closes nothing")).at(at)),
        None => return Err(wrong("a formula is one form, and this is none").at(reader.at)),
    };
    match reader.form()? {
        None => Ok(form),
        Some(Item::Close(close, at)) => Err(wrong(format!("`{close}` closes nothing")).at(at)),
        Some(Item::Form(second)) => {
            Err(wrong("a formula is one form, and here begins a second: put both in `(do …)`").at(second.at))
        }
    }
}

pub(super) struct Reader<'a> {
    rest: std::str::Chars<'a>,
    pub(super) at: Position,
    depth: usize,
    /// In a `#(…)`.
    short: bool,
    patterns: Patterns,
}

enum Item {
    Form(Form),
    Close(char, Position),
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(next)
    }

    /// The next form, or what closes the one around it; none at the end.
    fn form(&mut self) -> R<Option<Item>> {
        loop {
            let at = self.at;
            let Some(first) = self.next() else { return Ok(None) };
            let what = match first {
                ',' => continue,
                space if space.is_whitespace() => continue,
                ';' => {
                    self.line();
                    continue;
                }
                ')' | ']' | '}' => return Ok(Some(Item::Close(first, at))),
                '#' if self.peek() == Some('_') => {
                    self.next();
                    self.nested(at, "`#_` is to skip a form, and none follows")?;
                    continue;
                }
                '#' if self.peek() == Some('!') => {
                    self.line();
                    continue;
                }
                _ => self.what(first, at).map_err(|fail| fail.at(at))?,
            };
            return Ok(Some(Item::Form(Form::new(at, what))));
        }
    }

    fn line(&mut self) {
        while self.peek().is_some_and(|next| next != '\n') {
            self.next();
        }
    }

    /// The form that must follow here.
    fn nested(&mut self, at: Position, missing: &str) -> R<Form> {
        self.deeper(at)?;
        let item = self.form()?;
        self.depth -= 1;
        match item {
            Some(Item::Form(form)) => Ok(form),
            Some(Item::Close(..)) | None => Err(wrong(missing).at(at)),
        }
    }

    fn deeper(&mut self, at: Position) -> R<()> {
        if self.depth >= MAX_FORM_DEPTH {
            return Err(limit(format!("forms nest at most {MAX_FORM_DEPTH} deep")).at(at));
        }
        self.depth += 1;
        Ok(())
    }

    fn what(&mut self, first: char, at: Position) -> R<What> {
        match first {
            '(' => self.until(')', at).map(What::List),
            '[' => self.until(']', at).map(What::Vector),
            '{' => self.map(at),
            '"' => token::string(self, at).map(|text| What::Literal(Literal::Str(text.into()))),
            '\\' => token::character(self).map(|char| What::Literal(Literal::Char(char))),
            '\'' => Ok(What::Quote(Box::new(self.nested(at, "`'` quotes a form, and none follows")?))),
            '#' => self.dispatch(at),
            '@' => Err(unsupported("`@` is not supported: a formula has no state to look at")),
            '^' => Err(unsupported("metadata (`^`) is not supported")),
            '`' | '~' => Err(unsupported(format!("`{first}` is not supported: a formula defines no macros"))),
            _ => token::token(self, first),
        }
    }

    fn map(&mut self, at: Position) -> R<What> {
        let forms = self.until('}', at)?;
        if !forms.len().is_multiple_of(2) {
            return Err(wrong("a map has a value for each key, and here the last key has none"));
        }
        match duplicates::first(forms.iter().step_by(2)) {
            Some(twice) => Err(wrong("this key is in the map twice").at(twice.at)),
            None => Ok(What::Map(forms)),
        }
    }

    fn set(&mut self, at: Position) -> R<What> {
        let forms = self.until('}', at)?;
        match duplicates::first(forms.iter()) {
            Some(twice) => Err(wrong("this value is in the set twice").at(twice.at)),
            None => Ok(What::Set(forms)),
        }
    }

    fn dispatch(&mut self, at: Position) -> R<What> {
        match self.next() {
            Some('{') => self.set(at),
            Some('(') if self.short => {
                Err(wrong("`#(…)` cannot stand in another `#(…)`: write `(fn […] …)`"))
            }
            Some('(') => {
                self.short = true;
                let forms = self.until(')', at);
                self.short = false;
                forms.map(What::Short)
            }
            Some('"') => {
                let text = token::regex(self, at)?;
                self.patterns.written(&text).map(|pattern| What::Literal(Literal::Regex(pattern.into())))
            }
            Some('#') => token::symbolic(self),
            Some('\'') => Err(unsupported("vars (`#'`) are not supported")),
            Some('?') => Err(unsupported("reader conditionals (`#?`) are not supported")),
            Some(':') => Err(unsupported("namespaced maps (`#:`) are not supported")),
            Some('^') => Err(unsupported("metadata (`#^`) is not supported")),
            Some('=') => Err(unsupported("`#=` is not supported: nothing is evaluated while reading")),
            Some(other) => Err(unsupported(format!("tagged literals (`#{other}…`) are not supported"))),
            None => Err(wrong("`#` is followed by nothing")),
        }
    }

    fn until(&mut self, close: char, opened: Position) -> R<Vec<Form>> {
        self.deeper(opened)?;
        let mut forms = Vec::new();
        loop {
            match self.form()? {
                Some(Item::Form(form)) => forms.push(form),
                Some(Item::Close(found, _)) if found == close => break,
                Some(Item::Close(found, at)) => {
                    let detail =
                        format!("`{found}` stands where `{close}` must close what opened at {opened}");
                    return Err(wrong(detail).at(at));
                }
                None => return Err(unclosed(close, opened)),
            }
        }
        self.depth -= 1;
        Ok(forms)
    }
}

fn unclosed(close: char, opened: Position) -> Fail {
    wrong(format!("what opens here is never closed: `{close}` is missing")).at(opened)
}
