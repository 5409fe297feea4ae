//! Duplicate keys of a map, and duplicate values of a set, as they are written.
//!
//! Clojure's reader refuses them before anything is evaluated.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::form::{Form, FormKind, Literal};

/// The first of the forms that equals one before it.
pub(super) fn first_duplicate<'f>(forms: impl Iterator<Item = &'f Form>) -> Option<&'f Form> {
    let mut seen = HashSet::new();
    forms.into_iter().find(|form| equality_key(form).is_some_and(|key| !seen.insert(key)))
}

/// A text that equal forms have in common; none for a form that equals nothing but itself.
fn equality_key(form: &Form) -> Option<String> {
    let mut key = String::new();
    write(form, &mut key)?;
    Some(key)
}

fn write(form: &Form, out: &mut String) -> Option<()> {
    match &form.kind {
        FormKind::Literal(literal) => return write_literal(literal, out),
        FormKind::Symbol(name) => write!(out, "'{name:?}").ok()?,
        // A list equals a vector.
        FormKind::List(forms) | FormKind::Vector(forms) => {
            out.push('(');
            forms.iter().try_for_each(|form| write(form, out))?;
            out.push(')');
        }
        FormKind::Map(forms) => {
            let entries = forms.chunks(2).map(|entry| {
                let mut text = String::new();
                entry.iter().try_for_each(|form| write(form, &mut text))?;
                Some(text)
            });
            write_unordered(entries.collect::<Option<_>>()?, '{', out);
        }
        FormKind::Set(forms) => {
            write_unordered(forms.iter().map(equality_key).collect::<Option<_>>()?, '#', out)
        }
        FormKind::Quote(quoted) => {
            out.push_str("('\"quote\"");
            write(quoted, out)?;
            out.push(')');
        }
        FormKind::FunctionShorthand(_) => return None,
    }
    Some(())
}

fn write_unordered(mut parts: Vec<String>, open: char, out: &mut String) {
    parts.sort_unstable();
    out.push(open);
    parts.iter().for_each(|part| out.push_str(part));
    out.push('}');
}

fn write_literal(literal: &Literal, out: &mut String) -> Option<()> {
    match literal {
        Literal::Nil => out.push('n'),
        Literal::Bool(bool) => write!(out, "b{bool}").ok()?,
        Literal::Long(long) => write!(out, "i{long}").ok()?,
        Literal::BigInt(big) => write!(out, "i{big}").ok()?,
        Literal::Double(double) if double.is_nan() => return None,
        Literal::Double(double) => write!(out, "d{double:?}").ok()?,
        Literal::Ratio(ratio) => write!(out, "r{ratio}").ok()?,
        Literal::Decimal(decimal) => write!(out, "m{}", decimal.without_trailing_zeros()).ok()?,
        Literal::Char(char) => write!(out, "c{char:?}").ok()?,
        Literal::Str(text) => write!(out, "{text:?}").ok()?,
        Literal::Keyword(name) => write!(out, ":{name:?}").ok()?,
        Literal::Regex(_) => return None,
    }
    Some(())
}
