//! Size of a regex, found before it is compiled, so that a large one is never compiled.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::error::{Result, invalid, unsupported};

/// The size of a translated regex: about one for each byte that it may be at, with every repetition written out. The
/// memory of the compiled regex, the time to compile it, and the time for each byte of a text grow with it.
///
/// Fails where the regex repeats what may match nothing: Java and the engine differ there.
pub(super) fn pattern_size(translated: &str, ignores_case: bool, dots_match_all: bool) -> Result<usize> {
    let mut parser = ParserBuilder::new();
    parser.nest_limit(40).case_insensitive(ignores_case).dot_matches_new_line(dots_match_all);
    let syntax = parser.build().parse(translated).map_err(|_| invalid(""))?;
    size_of(&syntax)
}

fn size_of(syntax: &Hir) -> Result<usize> {
    Ok(match syntax.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => 1 + class.ranges().len() / 4,
        HirKind::Class(Class::Unicode(class)) if class.is_ascii() => 1 + class.ranges().len() / 4,
        HirKind::Class(Class::Unicode(class)) => 4 + class.ranges().len() * 2,
        HirKind::Capture(capture) => size_of(&capture.sub)?.saturating_add(2),
        HirKind::Repetition(repetition) => {
            let once = size_of(&repetition.sub)?;
            let at_most_once = repetition.max == Some(1);
            let sub = repetition.sub.properties();
            // The parser turns a repetition of what always matches nothing into one of at most once.
            if !at_most_once && sub.minimum_len() == Some(0) || sub.maximum_len() == Some(0) {
                return Err(unsupported(
                    "repeating what may match nothing, as in `(a*)*`, is not supported in a regex",
                ));
            }
            let times = repetition.max.unwrap_or_else(|| repetition.min.saturating_add(1));
            once.saturating_mul(times.max(1) as usize).saturating_add(1)
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            let mut sum = 1_usize;
            for part in parts {
                sum = sum.saturating_add(size_of(part)?);
            }
            sum
        }
    })
}
