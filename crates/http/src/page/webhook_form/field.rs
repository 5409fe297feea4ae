//! One field of a form.

/// How a field is filled in.
#[derive(Debug, Clone, Copy)]
pub(in crate::page) enum Control {
    /// One line.
    Line,
    /// One line that is shown to nobody who looks over a shoulder; what is stored is not shown at all.
    Secret,
    /// A text of several lines, so many of them in sight.
    Text(u8),
    /// A text of several lines; what is stored is not shown.
    SecretText(u8),
    /// One of these values, each with its label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Ticked or not.
    Switch,
}

impl Control {
    /// Whether what is stored is not shown, and is kept unless something is typed.
    pub(in crate::page) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretText(_))
    }
}

/// One field.
#[derive(Debug)]
pub(in crate::page) struct Field {
    pub(in crate::page) name: &'static str,
    pub(in crate::page) label: &'static str,
    pub(in crate::page) hint: &'static str,
    /// The JSON pointer of its setting.
    pub(in crate::page) pointer: &'static str,
    pub(in crate::page) control: Control,
}
