//! What a regex comes to, before it is built: how large it is, and whether Java would take it otherwise.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::error::{R, unsupported, wrong};

/// How large a regex becomes: about one for each byte it may be at, with every repetition written out. Its
/// memory, the time to build it and the time for each byte of a text grow with it.
pub(super) fn size(translated: &str, ignores_case: bool, dots_match_all: bool) -> R<usize> {
    let mut parser = ParserBuilder::new();
    parser.nest_limit(40).case_insensitive(ignores_case).dot_matches_new_line(dots_match_all);
    let shape = parser.build().parse(translated).map_err(|_| wrong(""))?;
    of(&shape)
}

fn of(shape: &Hir) -> R<usize> {
    Ok(match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => 1 + class.ranges().len() / 4,
        HirKind::Class(Class::Unicode(class)) if class.is_ascii() => 1 + class.ranges().len() / 4,
        HirKind::Class(Class::Unicode(class)) => 4 + class.ranges().len() * 2,
        HirKind::Capture(capture) => of(&capture.sub)?.saturating_add(2),
        HirKind::Repetition(repetition) => {
            let once = of(&repetition.sub)?;
            let at_most_once = repetition.max == Some(1);
            let sub = repetition.sub.properties();
            // Of what is always nothing the parser makes once at most.
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
                sum = sum.saturating_add(of(part)?);
            }
            sum
        }
    })
}
