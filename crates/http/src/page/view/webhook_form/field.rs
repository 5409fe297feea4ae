//! Fields of a form: each with its label, its hint, and what is wrong with it, which its control names.

use maud::{Markup, html};

use crate::page::form::Form;
use crate::page::webhook_form::Faults;
use crate::page::webhook_form::field::{Control, Field};
use crate::page::webhook_form::fields::{Alternatives, label};
use crate::page::webhook_form::rows::{Row, Rows};

/// What fields are shown of.
#[derive(Clone, Copy)]
pub(in crate::page::view) struct Shown<'a> {
    pub(in crate::page::view) form: &'a Form,
    pub(in crate::page::view) faults: &'a Faults,
    /// Whether a secret of this name is stored.
    pub(in crate::page::view) is_stored: &'a dyn Fn(&str) -> bool,
}

/// The ID of a field, to which a summary of faults leads.
pub(in crate::page::view) fn id(name: &str) -> String {
    format!("f-{name}")
}

impl Shown<'_> {
    fn is_wrong(self, name: &str) -> bool {
        self.faults.of(name).next().is_some()
    }

    /// The IDs of what describes a field: its hint, and what is wrong with it.
    pub(in crate::page::view) fn described_by(self, name: &str, has_hint: bool) -> Option<String> {
        let hint = has_hint.then(|| format!("{}-hint", id(name)));
        let fault = self.is_wrong(name).then(|| format!("{}-fault", id(name)));
        let all: Vec<_> = hint.into_iter().chain(fault).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// What is wrong with a field.
    pub(in crate::page::view) fn faults(self, name: &str) -> Markup {
        html! {
            @if self.is_wrong(name) {
                p.fault id={ (id(name)) "-fault" } {
                    @for (index, fault) in self.faults.of(name).enumerate() {
                        @if index > 0 { br; }
                        (sentence(fault))
                    }
                }
            }
        }
    }

    pub(in crate::page::view) fn fields(self, fields: &[Field]) -> Markup {
        html! { @for field in fields { (self.field(field)) } }
    }

    fn field(self, field: &Field) -> Markup {
        let kept = "A value is stored. It is kept unless you type a new one.";
        let is_kept = field.control.is_secret() && (self.is_stored)(field.name);
        let hint = match (is_kept, field.hint) {
            (true, "") => kept.to_owned(),
            (true, hint) => format!("{hint} {kept}"),
            (false, hint) => hint.to_owned(),
        };
        self.one(field.name, field.label, &hint, field.control)
    }

    /// One field that is not of the table, or one that is.
    pub(in crate::page::view) fn one(self, name: &str, label: &str, hint: &str, control: Control) -> Markup {
        let (id, wrong) = (id(name), self.is_wrong(name).then_some("true"));
        let described = self.described_by(name, !hint.is_empty());
        let value = self.form.get(name);
        let hint = html! { @if !hint.is_empty() { p.hint id={ (id) "-hint" } { (hint) } } };
        if let Control::Switch = control {
            return html! {
                div.form-field.switch {
                    input id=(id) type="checkbox" name=(name) value="on" checked[self.form.has(name)]
                        aria-describedby=[described];
                    label for=(id) { (label) }
                    (hint)
                }
            };
        }
        html! {
            div.form-field {
                label for=(id) { (label) }
                (hint)
                @match control {
                    Control::Line | Control::Switch => {
                        input id=(id) type="text" name=(name) value=(value) autocomplete="off" spellcheck="false"
                            aria-invalid=[wrong] aria-describedby=[described];
                    }
                    Control::Secret => {
                        input id=(id) type="password" name=(name) value=(value) autocomplete="new-password"
                            aria-invalid=[wrong] aria-describedby=[described];
                    }
                    Control::Text(rows) | Control::SecretText(rows) => {
                        // A parser leaves out the first line break.
                        textarea id=(id) name=(name) rows=(rows) autocomplete="off" spellcheck="false" dir="ltr"
                            aria-invalid=[wrong] aria-describedby=[described] { "\n" (value) }
                    }
                    Control::Choice(choices) => {
                        select id=(id) name=(name) aria-invalid=[wrong] aria-describedby=[described] {
                            @for (choice, label) in choices {
                                option value=(choice) selected[*choice == value] { (label) }
                            }
                        }
                    }
                }
                (self.faults(name))
            }
        }
    }

    /// A group of which one is chosen; the fields of each are seen while it is. `more` are further fields of one of them.
    pub(in crate::page::view) fn alternatives(
        self,
        name: &str,
        alternatives: Alternatives,
        more: &dyn Fn(&str) -> Markup,
    ) -> Markup {
        let chosen = self.form.get(name);
        let is_known = alternatives.iter().any(|(value, ..)| *value == chosen);
        html! {
            fieldset.alternatives id=(id(name)) tabindex="-1" aria-describedby=[self.described_by(name, false)] {
                legend { (label(name)) }
                (self.faults(name))
                @for (index, (value, text, fields)) in alternatives.iter().enumerate() {
                    @let radio = format!("{}-{value}", id(name));
                    div.alternative {
                        div.switch {
                            input id=(radio) type="radio" name=(name) value=(value)
                                checked[*value == chosen || (!is_known && index == 0)];
                            label for=(radio) { (text) }
                        }
                        @let of_it = html! { (self.fields(fields)) (more(value)) };
                        @if !of_it.0.is_empty() { div.of-it { (of_it) } }
                    }
                }
            }
        }
    }

    /// Rows of names and values, and the button that adds one.
    pub(in crate::page::view) fn rows(self, rows: Rows, hint: &str) -> Markup {
        let (prefix, all) = (rows.prefix(), rows.of(self.form));
        let title = label(prefix);
        html! {
            fieldset.rows id=(id(prefix)) tabindex="-1" aria-describedby=[self.described_by(prefix, true)] {
                legend { (title) }
                p.hint id={ (id(prefix)) "-hint" } { (hint) }
                (self.faults(prefix))
                @for (index, row) in all.iter().enumerate() { (self.row(rows, index, *row)) }
                button type="submit" name="action" value={ "add-" (prefix) } formaction={ "#" (id(prefix)) } {
                    "Add a row" span.unseen { " of " (title) }
                }
            }
        }
    }

    fn row(self, rows: Rows, index: usize, row: Row<'_>) -> Markup {
        let (name, value) = (rows.name_field(index), rows.value_field(index));
        let number = index + 1;
        let wrong = |field: &str| self.is_wrong(field).then_some("true");
        let described = self.described_by(&name, false);
        let value_described: Vec<_> =
            described.iter().cloned().chain(self.described_by(&value, false)).collect();
        let value_described = (!value_described.is_empty()).then(|| value_described.join(" "));
        html! {
            div.row {
                label for=(id(&name)) { "Name" span.unseen { " " (number) } }
                input id=(id(&name)) type="text" name=(name) value=(row.name) autocomplete="off" spellcheck="false"
                    aria-invalid=[wrong(&name)] aria-describedby=[described.as_deref()];
                label for=(id(&value)) {
                    "Value" span.unseen { " " (number) }
                    @if !row.kept.is_empty() && (self.is_stored)(rows.prefix()) { span.kept { ", stored: it is kept unless you type a new one" } }
                }
                input id=(id(&value)) type="text" name=(value) value=(row.value) autocomplete="off" spellcheck="false"
                    aria-invalid=[wrong(&name).or(wrong(&value))] aria-describedby=[value_described];
                input type="hidden" name=(rows.kept_field(index)) value=(row.kept);
                (self.faults(&name))
                (self.faults(&value))
            }
        }
    }
}

/// A fault as a sentence of its own.
pub(in crate::page::view) fn sentence(fault: &str) -> String {
    let mut chars = fault.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
