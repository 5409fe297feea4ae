//! Predicates: what kind of value it is, and `compare` and `hash`.

use super::sorting::compare;
use crate::value::Value;
use crate::value::equality::equal;
use crate::value::function::{ANY_COUNT, Builtin};
use crate::value::hash::hash;
use crate::value::number::{NumberKind, conversion, number_kind};

macro_rules! predicate {
    ($name:literal, $pattern:pat $(if $guard:expr)?) => {
        Builtin::new($name, (1, 1), |_, args| Ok(Value::Bool(matches!(&args[0], $pattern $(if $guard)?))))
    };
}

pub(super) const FUNCTIONS: &[Builtin] = &[
    predicate!("nil?", Value::Nil),
    predicate!("some?", value if !value.is_nil()),
    predicate!("true?", Value::Bool(true)),
    predicate!("false?", Value::Bool(false)),
    predicate!("boolean?", Value::Bool(_)),
    predicate!("any?", _),
    predicate!("string?", Value::Str(_)),
    predicate!("char?", Value::Char(_)),
    predicate!("keyword?", Value::Keyword(_)),
    predicate!("symbol?", Value::Symbol(_)),
    predicate!("ident?", Value::Keyword(_) | Value::Symbol(_)),
    predicate!("simple-keyword?", Value::Keyword(name) if !name.contains('/')),
    predicate!("qualified-keyword?", Value::Keyword(name) if name.contains('/')),
    predicate!("number?", value if number_kind(value).is_some()),
    predicate!("integer?", value if conversion::is_whole_number(value)),
    predicate!("int?", Value::Long(_)),
    predicate!("pos-int?", Value::Long(1..)),
    predicate!("neg-int?", Value::Long(..0)),
    predicate!("nat-int?", Value::Long(0..)),
    predicate!("float?", Value::Double(_)),
    predicate!("double?", Value::Double(_)),
    predicate!("decimal?", Value::Decimal(_)),
    predicate!("ratio?", Value::Ratio(_)),
    predicate!("rational?", value if number_kind(value).is_some_and(|kind| kind != NumberKind::Double)),
    predicate!("infinite?", Value::Double(double) if double.is_infinite()),
    predicate!("NaN?", Value::Double(double) if double.is_nan()),
    predicate!("vector?", Value::Vector(_)),
    predicate!("list?", Value::Sequence(seq) if seq.is_list()),
    predicate!("seq?", Value::Sequence(_)),
    predicate!("map?", Value::Map(_)),
    predicate!("map-entry?", Value::Vector(items) if items.is_map_entry),
    predicate!("set?", Value::Set(_)),
    predicate!("sequential?", Value::Vector(_) | Value::Sequence(_)),
    predicate!("associative?", Value::Vector(_) | Value::Map(_)),
    predicate!("coll?", Value::Vector(_) | Value::Sequence(_) | Value::Map(_) | Value::Set(_)),
    predicate!(
        "seqable?",
        Value::Nil | Value::Str(_) | Value::Vector(_) | Value::Sequence(_) | Value::Map(_) | Value::Set(_)
    ),
    predicate!("fn?", Value::Function(_)),
    predicate!(
        "ifn?",
        Value::Function(_)
            | Value::Keyword(_)
            | Value::Symbol(_)
            | Value::Vector(_)
            | Value::Map(_)
            | Value::Set(_)
    ),
    Builtin::new("not", (1, 1), |_, args| Ok(Value::Bool(!args[0].is_true()))),
    Builtin::new("boolean", (1, 1), |_, args| Ok(Value::Bool(args[0].is_true()))),
    Builtin::new("compare", (2, 2), |ctx, args| compare(ctx, &args[0], &args[1]).map(Value::Long)),
    Builtin::new("hash", (1, 1), |ctx, args| hash(ctx, &args[0]).map(|hash| Value::Long(hash.into()))),
    Builtin::new("distinct?", (1, ANY_COUNT), |ctx, args| {
        for (index, a) in args.iter().enumerate() {
            for b in &args[index + 1..] {
                if equal(ctx, a, b)? {
                    return Ok(Value::Bool(false));
                }
            }
        }
        Ok(Value::Bool(true))
    }),
];
