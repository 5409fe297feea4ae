//! Cursor over the characters of a formula, with the position of the next one.

use crate::error::Position;

pub(super) struct TextCursor<'a> {
    length: usize,
    rest: std::str::Chars<'a>,
    position: Position,
}

impl<'a> TextCursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { length: text.len(), rest: text.chars(), position: Position::START }
    }

    /// The position of the next character.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Where the next character begins, in bytes from the start of the text.
    pub(super) fn offset(&self) -> usize {
        self.length - self.rest.as_str().len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.position.line += 1;
            self.position.column = 1;
        } else {
            self.position.column += 1;
        }
        Some(next)
    }

    /// Goes to the end of the line.
    pub(super) fn skip_line(&mut self) {
        while self.peek().is_some_and(|next| next != '\n') {
            self.next();
        }
    }
}
