//! Names of symbols and keywords, with or without a namespace.

/// The beginning of names that the compiler uses itself: the reader refuses them.
pub(crate) const INTERNAL_NAMESPACE: &str = "loanhook/";

/// The namespace of a name, and its own part: `a/b` is `(Some("a"), "b")`. The symbol `/` has no namespace.
pub(crate) fn split_name(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((namespace, own)) if name != "/" => (Some(namespace), own),
        _ => (None, name),
    }
}
