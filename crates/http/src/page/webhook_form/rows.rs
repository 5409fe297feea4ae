//! Rows of a form, each with a name and a value: headers, and parameters of a token. A row of something that is stored names what it was
//! (`kept`): where its value is left empty, the stored one is kept,
//! unless the row has another name now.

use crate::page::form::Form;

/// The most rows of headers, or of parameters, that are read.
const MAX_ROWS: usize = 500;
/// Rows that a new form has.
const FIRST_ROWS: usize = 2;

/// Rows of names and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::page) enum Rows {
    Headers,
    Parameters,
}

impl Rows {
    /// What the names of its fields begin with.
    pub(in crate::page) const fn prefix(self) -> &'static str {
        match self {
            Self::Headers => "header",
            Self::Parameters => "parameter",
        }
    }

    fn field(self, part: &str, index: usize) -> String {
        format!("{}-{part}-{index}", self.prefix())
    }

    pub(in crate::page) fn name_field(self, index: usize) -> String {
        self.field("name", index)
    }

    pub(in crate::page) fn value_field(self, index: usize) -> String {
        self.field("value", index)
    }

    pub(in crate::page) fn kept_field(self, index: usize) -> String {
        self.field("kept", index)
    }

    /// The rows of a form, the empty ones too.
    pub(in crate::page) fn of(self, form: &Form) -> Vec<Row<'_>> {
        let row = |index| {
            let name_field = self.name_field(index);
            form.has(&name_field).then(|| Row {
                name: form.get(&name_field),
                value: form.get(&self.value_field(index)),
                kept: form.get(&self.kept_field(index)),
                any_case: self == Self::Headers,
            })
        };
        (0..MAX_ROWS).map_while(row).collect()
    }

    /// Adds an empty row.
    pub(super) fn add(self, form: &mut Form) {
        let next = self.of(form).len();
        if next < MAX_ROWS {
            form.set(&self.name_field(next), String::new());
        }
    }

    /// Puts rows for what is stored under these names, and empty ones.
    pub(super) fn put<'a>(self, form: &mut Form, stored: impl IntoIterator<Item = &'a String>) {
        for (index, name) in stored.into_iter().enumerate() {
            form.set(&self.name_field(index), name.clone());
            form.set(&self.kept_field(index), name.clone());
        }
        (0..FIRST_ROWS).for_each(|_| self.add(form));
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) struct Row<'a> {
    pub(in crate::page) name: &'a str,
    pub(in crate::page) value: &'a str,
    /// The name of the stored row that it was; empty where it is a new one.
    pub(in crate::page) kept: &'a str,
    /// Whether two names are one that differ in the case of letters alone, as with headers.
    any_case: bool,
}

impl Row<'_> {
    const fn was_stored(&self) -> bool {
        self.value.is_empty() && !self.kept.is_empty()
    }

    fn has_its_name(&self) -> bool {
        self.kept == self.name || self.any_case && self.kept.eq_ignore_ascii_case(self.name)
    }

    /// Whether it keeps a stored value: only under the name that the value is stored under.
    pub(in crate::page) fn keeps_value(&self) -> bool {
        self.was_stored() && self.has_its_name()
    }

    /// Whether it has another name than what is stored, and no value of its own.
    pub(super) fn lacks_value(&self) -> bool {
        self.was_stored() && !self.has_its_name()
    }
}
