//! Macros and special forms by name: what is written like a call and is compiled in its own way.

use super::Compiler;
use crate::error::{Position, Result};
use crate::form::Form;
use crate::node::Node;

/// Compiles the arguments of a macro. The last argument is the `tail` of [`Compiler::node`].
pub(super) type MacroCompiler = fn(&mut Compiler, Position, &[Form], bool) -> Result<Node>;

/// How a macro or special form is compiled; none for any other name.
pub(super) fn macro_compiler(name: &str) -> Option<MacroCompiler> {
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
