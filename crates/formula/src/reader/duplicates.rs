//! What a literal map or set has twice: Clojure's reader refuses that, before anything runs.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::form::{Form, Literal, What};

/// The first of the forms that equals one before it.
pub(super) fn first<'f>(forms: impl Iterator<Item = &'f Form>) -> Option<&'f Form> {
    let mut seen = HashSet::new();
    forms.into_iter().find(|form| key(form).is_some_and(|key| !seen.insert(key)))
}

/// Text that forms have in common if they are equal; none for what equals nothing but itself.
fn key(form: &Form) -> Option<String> {
    let mut key = String::new();
    write(form, &mut key)?;
    Some(key)
}

fn write(form: &Form, out: &mut String) -> Option<()> {
    match &form.what {
        What::Literal(literal) => return write_literal(literal, out),
        What::Symbol(name) => write!(out, "'{name:?}").ok()?,
        // A list equals a vector.
        What::List(forms) | What::Vector(forms) => {
            out.push('(');
            forms.iter().try_for_each(|form| write(form, out))?;
            out.push(')');
        }
        What::Map(forms) => {
            let entries = forms.chunks(2).map(|entry| {
                let mut text = String::new();
                entry.iter().try_for_each(|form| write(form, &mut text))?;
                Some(text)
            });
            unordered(entries.collect::<Option<_>>()?, '{', out);
        }
        What::Set(forms) => unordered(forms.iter().map(key).collect::<Option<_>>()?, '#', out),
        What::Quote(quoted) => {
            out.push_str("('\"quote\"");
            write(quoted, out)?;
            out.push(')');
        }
        What::Short(_) => return None,
    }
    Some(())
}

fn unordered(mut parts: Vec<String>, open: char, out: &mut String) {
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
        Literal::Big(big) => write!(out, "i{big}").ok()?,
        Literal::Double(double) if double.is_nan() => return None,
        Literal::Double(double) => write!(out, "d{double:?}").ok()?,
        Literal::Ratio(ratio) => write!(out, "r{ratio}").ok()?,
        Literal::Decimal(decimal) => write!(out, "m{}", decimal.stripped()).ok()?,
        Literal::Char(char) => write!(out, "c{char:?}").ok()?,
        Literal::Str(text) => write!(out, "{text:?}").ok()?,
        Literal::Keyword(name) => write!(out, ":{name:?}").ok()?,
        Literal::Regex(_) => return None,
    }
    Some(())
}
