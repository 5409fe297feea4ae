//! Random formulas, most of which have a value.

use proptest::prelude::*;

/// A formula over the variables of the context.
pub(crate) fn formula() -> BoxedStrategy<String> {
    prop_oneof![3 => boolean(2), 3 => number(2), 2 => text(2), 3 => list(2), 2 => map(2), 2 => value(3)]
        .boxed()
}

fn one(words: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(words).prop_map(str::to_owned).boxed()
}

fn call(functions: &'static [&'static str], args: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    (prop::sample::select(functions), args)
        .prop_map(|(name, args)| format!("({name} {})", args.join(" ")))
        .boxed()
}

/// A form made of a template, with other forms in place of each `{}`.
fn shape(template: &'static str, parts: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    parts
        .prop_map(move |parts| {
            let mut pieces = template.split("{}");
            let first = pieces.next().unwrap_or_default().to_owned();
            parts.into_iter().zip(pieces).fold(first, |made, (part, piece)| made + &part + piece)
        })
        .boxed()
}

fn literal_number() -> BoxedStrategy<String> {
    prop_oneof![
        4 => (-20_i64..100).prop_map(|long| long.to_string()),
        1 => any::<i64>().prop_map(|long| long.to_string()),
        2 => (-1000..1000_i32, 0..4_u32).prop_map(|(digits, scale)| format!("{:?}", f64::from(digits) / 10_f64.powi(scale as i32))),
        1 => any::<f64>().prop_filter("finite", |double| double.is_finite()).prop_map(|double| format!("{double:?}")),
        1 => (-99..99_i32, 2..9_i32).prop_map(|(over, under)| format!("{over}/{under}")),
        1 => (-9999..9999_i32, 0..4_usize).prop_map(|(digits, scale)| format!("{}{}.{:0>scale$}M", if digits < 0 { "-" } else { "" }, digits.abs() / 100, digits.abs() % 100)),
        1 => any::<i64>().prop_map(|long| format!("{long}N")),
        2 => one(&["status-days-past-due", "last-payment-amount", "big", "rate", "(:amount (first payments))"]),
    ]
    .boxed()
}

fn number(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else { return literal_number() };
    prop_oneof![
        2 => literal_number(),
        3 => call(&["+", "-", "*", "max", "min", "+'", "*'"], vec![number(depth), number(depth)]),
        2 => call(&["/", "quot", "rem", "mod"], vec![number(depth), number(depth)]),
        1 => call(&["inc", "dec", "abs", "-", "double", "bigint", "bigdec", "rationalize", "long", "math/round", "Math/floor", "hash"], vec![number(depth)]),
        1 => call(&["count", "reduce +", "apply +", "apply max 0", "hash", "first", "last"], vec![list(depth)]),
        1 => call(&["count", "hash"], vec![map(depth)]),
        1 => call(&["count", "hash"], vec![text(depth)]),
        1 => shape("(if {} {} {})", vec![boolean(depth), number(depth), number(depth)]),
        1 => shape("(-> {} (+ {}) inc)", vec![number(depth), number(depth)]),
        1 => shape("(reduce (fn [a b] (+ a b)) {} {})", vec![number(depth), list(depth)]),
    ]
    .boxed()
}

fn boolean(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return one(&["true", "false", "nil", "status-stoplight", "autopay"]);
    };
    prop_oneof![
        3 => call(&["<", ">", "<=", ">=", "=", "==", "not="], vec![number(depth), number(depth)]),
        1 => call(&["=", "not="], vec![value(depth), value(depth)]),
        2 => call(&["and", "or"], vec![boolean(depth), boolean(depth)]),
        1 => call(&["not", "nil?", "some?", "boolean", "true?"], vec![boolean(depth)]),
        1 => call(&["zero?", "pos?", "neg?", "integer?", "int?", "float?", "decimal?", "ratio?", "rational?", "number?"], vec![number(depth)]),
        1 => call(&["map?", "vector?", "seq?", "list?", "coll?", "sequential?", "string?", "keyword?", "set?", "associative?"], vec![value(depth)]),
        1 => call(&["str/includes?", "str/starts-with?", "str/ends-with?"], vec![text(depth), text(depth)]),
        1 => call(&["every?", "some", "not-any?", "not-every?"], vec![predicate(), list(depth)]),
        1 => call(&["contains?"], vec![map(depth), key()]),
        1 => call(&["contains?"], vec![set(depth), value(depth)]),
        1 => call(&["empty?"], vec![list(depth)]),
        1 => shape("(cond {} {} {} {} :else {})", vec![boolean(depth), boolean(depth), boolean(depth), value(depth), boolean(depth)]),
    ]
    .boxed()
}

fn literal_text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[ -!#-\\[\\]-~]{0,8}".prop_map(|text| format!("\"{text}\"")),
        1 => "[a-cäß\u{4e2d}]{0,4}".prop_map(|text| format!("\"{text}\"")),
        2 => one(&["loan-status", "loan-display-id", "zip", "\"a,b,,c,\"", "\" x y \"", "\"1.50\"", "(:type (first payments))"]),
    ]
    .boxed()
}

fn text(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else { return literal_text() };
    prop_oneof![
        2 => literal_text(),
        2 => call(&["str"], vec![value(depth), text(depth)]),
        1 => call(&["pr-str"], vec![value(depth)]),
        2 => call(&["str/upper-case", "str/lower-case", "str/capitalize", "str/trim", "str/reverse", "str/triml", "str/trimr"], vec![text(depth)]),
        1 => call(&["str/join"], vec![text(depth), list(depth)]),
        1 => call(&["str/replace", "str/replace-first"], vec![text(depth), one(&["\"a\"", "\"\""]), text(depth)]),
        1 => shape("(str/replace {} {} \"<$0>\")", vec![text(depth), regex()]),
        1 => shape("(format {} {})", vec![one(&["\"%s|\"", "\"%8s|\"", "\"%-8s|\"", "\"%.3s\""]), text(depth)]),
        1 => shape("(format {} (double {}))", vec![one(&["\"%.2f\"", "\"%,.3f\"", "\"%010.1f\"", "\"%f\"", "\"%.0f\"", "\"%+.1f\""]), literal_number()]),
        1 => shape("(format {} (long {}))", vec![one(&["\"%d\"", "\"%,d\"", "\"%08d\"", "\"%x\"", "\"%-6d|\""]), (-9999..9999_i32).prop_map(|long| long.to_string()).boxed()]),
        1 => call(&["subs"], vec![text(depth), one(&["0", "1", "2"])]),
    ]
    .boxed()
}

fn key() -> BoxedStrategy<String> {
    one(&[":a", ":b", ":amount", ":type", ":x/y", "\"a\"", "1", "nil", "'s", "[1 2]"])
}

fn regex() -> BoxedStrategy<String> {
    one(&[
        "#\"[a-c]+\"",
        "#\",\"",
        "#\"\\d+\"",
        "#\"(a)|b\"",
        "#\"\\s*\"",
        "#\"a*\"",
        "#\"\"",
        "#\"[^ ]\"",
        "#\"\\w{2}\"",
        "#\".\"",
    ])
}

fn predicate() -> BoxedStrategy<String> {
    one(&[
        "nil?",
        "some?",
        "number?",
        "#{1 2 :a}",
        "#(= % 1)",
        "(complement nil?)",
        "identity",
        "{1 :one}",
        "map?",
        "string?",
    ])
}

/// A vector, list or sequence.
fn list(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return one(&[
            "[]",
            "nil",
            "[1 2 3]",
            "'(3 1 2)",
            "[1.5 2 1/2]",
            "empty-list",
            "(range 5)",
            "(range 40)",
            "[nil 1]",
        ]);
    };
    let items = |item: BoxedStrategy<String>| {
        prop::collection::vec(item, 0..5).prop_map(|items| format!("[{}]", items.join(" "))).boxed()
    };
    prop_oneof![
        2 => items(value(depth)),
        3 => items(number(depth)),
        1 => items(text(depth)),
        1 => items(key()),
        2 => call(&["map", "mapv", "keep", "group-by", "partition-by", "sort-by"], vec![one(&["inc", "str", "#(* 2 %)", "pos?", "vector", "-", "identity"]), list(depth)]),
        2 => call(&["filter", "remove", "filterv", "take-while", "drop-while", "split-with"], vec![predicate(), list(depth)]),
        2 => call(&["take", "drop", "take-last", "drop-last", "partition-all", "nthrest", "take-nth", "partition"], vec![one(&["1", "2", "3"]), list(depth)]),
        2 => call(&["sort", "reverse", "distinct", "rest", "next", "vec", "seq", "dedupe", "butlast", "flatten", "frequencies", "set"], vec![list(depth)]),
        1 => call(&["concat", "interleave", "map vector", "into", "zipmap", "mapcat (fn [x] [x x])"], vec![list(depth), list(depth)]),
        1 => call(&["cons", "interpose"], vec![value(depth), list(depth)]),
        1 => call(&["conj"], vec![list(depth), value(depth)]),
        1 => call(&["sort >"], vec![items(number(depth))]),
        1 => call(&["keys", "vals", "seq", "sort-by val", "map key"], vec![map(depth)]),
        1 => call(&["str/split", "str/split"], vec![text(depth), regex()]),
        1 => shape("(re-seq {} {})", vec![regex(), text(depth)]),
        1 => shape("(for [x {} :when ({} x)] [x])", vec![list(depth), predicate()]),
        1 => shape("(let [[a b & c :as d] {}] [a b c d])", vec![list(depth)]),
    ]
    .boxed()
}

fn set(depth: u32) -> BoxedStrategy<String> {
    let depth = depth.saturating_sub(1);
    call(
        &["set", "into #{}", "hash-set", "set/union #{1}"],
        vec![
            prop_oneof![
                list(depth),
                prop::collection::vec(value(depth), 0..12)
                    .prop_map(|items| format!("(set [{}])", items.join(" ")))
            ]
            .boxed(),
        ],
    )
}

fn map(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return one(&[
            "{}",
            "{:a 1 :b 2}",
            "nil",
            "portfolio",
            "(first payments)",
            "{:a {:b 1}}",
            "(zipmap (range 12) (range))",
        ]);
    };
    let pairs = prop::collection::vec((prop_oneof![key(), number(0), text(0)], value(depth)), 0..12);
    prop_oneof![
        3 => pairs.prop_map(|pairs| {
            let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("[{key} {value}]")).collect();
            format!("(into {{}} [{}])", pairs.join(" "))
        }),
        2 => shape("(assoc {} {} {})", vec![map(depth), key(), value(depth)]),
        1 => call(&["dissoc"], vec![map(depth), key()]),
        1 => call(&["merge"], vec![map(depth), map(depth)]),
        1 => shape("(merge-with vector {} {})", vec![map(depth), map(depth)]),
        1 => shape("(update {} {} str)", vec![map(depth), key()]),
        1 => shape("(select-keys {} [:a :b 1])", vec![map(depth)]),
        1 => shape("(frequencies {})", vec![list(depth)]),
        1 => shape("(group-by {} {})", vec![one(&["str", "nil?", "count", "first"]), list(depth)]),
        1 => shape("(apply hash-map [{} {} :z 1])", vec![key(), value(depth)]),
    ]
    .boxed()
}

fn value(depth: u32) -> BoxedStrategy<String> {
    let Some(depth) = depth.checked_sub(1) else {
        return prop_oneof![
            literal_number(),
            literal_text(),
            key(),
            one(&["nil", "true", "\\a", "\\space", "[]", "#{}"])
        ]
        .boxed();
    };
    prop_oneof![
        2 => number(depth), 2 => text(depth), 1 => boolean(depth), 2 => list(depth), 1 => map(depth), 1 => set(depth), 1 => key(),
        1 => shape("(get {} {} {})", vec![map(depth), key(), value(depth)]),
        1 => shape("(nth {} 1 {})", vec![list(depth), value(depth)]),
        1 => shape("(if-let [x {}] [x] {})", vec![value(depth), value(depth)]),
        1 => shape("(case {} 1 :one \"a\" :text (:a :b) :key {})", vec![value(depth), value(depth)]),
        1 => shape("(let [{:keys [a b] :or {b 7} :as m} {}] [a b m])", vec![map(depth)]),
    ]
    .boxed()
}
