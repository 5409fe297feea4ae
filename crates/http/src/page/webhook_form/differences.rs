//! Differences between what somebody typed and what another stored in the meantime.

use super::summary::{self, Setting};
use super::typed::of_settings;
use crate::page::form::Form;
use loanhook_core::model::subscription::Settings;

/// One setting that is not the same in all three: as the form began, as it is stored now, and as it was typed. An empty text is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::page) struct Difference {
    pub(in crate::page) label: String,
    pub(in crate::page) before: String,
    pub(in crate::page) stored: String,
    pub(in crate::page) typed: String,
    /// Whether the stored one changed since the form began.
    pub(in crate::page) they_changed: bool,
    /// Whether it was changed in the form.
    pub(in crate::page) you_changed: bool,
}

/// What differs. `before` are the settings that the form began with.
pub(super) fn differences(before: &Settings, stored: &Settings, typed: &Form) -> Vec<Difference> {
    let of = |settings: &Settings| summary::settings(&of_settings(settings), Some(settings));
    let (before_list, stored_list) = (of(before), of(stored));
    let typed_list = summary::settings(typed, Some(before));
    let mut labels: Vec<&str> = Vec::new();
    for setting in before_list.iter().chain(&stored_list).chain(&typed_list) {
        if !labels.contains(&&*setting.label) {
            labels.push(&setting.label);
        }
    }
    let difference = |label: &str| {
        let find = |list: &[Setting]| list.iter().find(|setting| setting.label == label).cloned();
        let (before, stored, typed) = (find(&before_list), find(&stored_list), find(&typed_list));
        let they_changed = before != stored;
        let you_changed = before != typed;
        let text = |setting: Option<&Setting>, is_changed: bool| match setting {
            // Nothing of it is shown, so it is said.
            Some(of) if is_changed && before.as_ref().is_some_and(|before| before.text == of.text) => {
                format!("{} (another value)", of.text)
            }
            Some(of) => of.text.clone(),
            None => String::new(),
        };
        Difference {
            label: label.to_owned(),
            before: text(before.as_ref(), false),
            stored: text(stored.as_ref(), they_changed),
            typed: text(typed.as_ref(), you_changed),
            they_changed,
            you_changed,
        }
    };
    labels.into_iter().map(difference).filter(|of| of.they_changed || of.you_changed).collect()
}
