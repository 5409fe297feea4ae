//! The names of what is written like a call and is none.

use super::Compiler;
use crate::error::{Position, R};
use crate::form::Form;
use crate::node::Node;

pub(super) type Macro = fn(&mut Compiler, Position, &[Form], bool) -> R<Node>;

/// What is written like a call and is none.
pub(super) fn macro_of(name: &str) -> Option<Macro> {
    Some(match name {
        "if" => Compiler::if_,
        "if-not" => Compiler::if_not,
        "when" => Compiler::when,
        "when-not" => Compiler::when_not,
        "cond" => Compiler::cond,
        "condp" => Compiler::condp,
        "case" => Compiler::case,
        "and" => Compiler::and,
        "or" => Compiler::or,
        "do" => Compiler::do_,
        "let" => Compiler::let_,
        "if-let" => Compiler::if_let,
        "when-let" => Compiler::when_let,
        "if-some" => Compiler::if_some,
        "when-some" => Compiler::when_some,
        "when-first" => Compiler::when_first,
        "fn" | "fn*" => Compiler::fn_,
        "loop" => Compiler::loop_,
        "recur" => Compiler::recur,
        "for" => Compiler::for_,
        "quote" => Compiler::quote,
        "comment" => Compiler::comment,
        "lazy-cat" => Compiler::lazy_cat,
        "->" => Compiler::thread_first,
        "->>" => Compiler::thread_last,
        "some->" => Compiler::some_first,
        "some->>" => Compiler::some_last,
        "cond->" => Compiler::cond_first,
        "cond->>" => Compiler::cond_last,
        "as->" => Compiler::thread_as,
        _ => return None,
    })
}

/// Clojure's special forms: what is called by one of these names is one, whatever a formula binds to the name.
pub(super) const SPECIAL: [&str; 24] = [
    "if",
    "do",
    "recur",
    "quote",
    "fn*",
    "let*",
    "loop*",
    "letfn*",
    "case*",
    "def",
    "var",
    "new",
    ".",
    "throw",
    "try",
    "catch",
    "finally",
    "set!",
    "monitor-enter",
    "monitor-exit",
    "deftype*",
    "reify*",
    "&",
    "clojure.core/import*",
];

/// The names of what [`macro_of`] knows, for suggestions.
pub(crate) const MACROS: [&str; 28] = [
    "if",
    "if-not",
    "when",
    "when-not",
    "cond",
    "condp",
    "case",
    "and",
    "or",
    "do",
    "let",
    "if-let",
    "when-let",
    "if-some",
    "when-some",
    "when-first",
    "fn",
    "loop",
    "recur",
    "for",
    "quote",
    "->",
    "->>",
    "some->",
    "some->>",
    "cond->",
    "cond->>",
    "as->",
];
