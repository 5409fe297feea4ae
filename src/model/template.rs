//! Templates: `[[v('variable-name')]]` placeholders in a payload, a URL or a header value.
//!
//! They are not rendered yet. Text that holds a placeholder is refused when it is saved, so that none
//! is ever sent as it stands.

/// What a setting that is still to come answers.
pub const NOT_SUPPORTED_YET: &str = "is not supported yet";

/// Whether the text would be a template.
pub fn is_template(text: &str) -> bool {
    text.contains("[[")
}
