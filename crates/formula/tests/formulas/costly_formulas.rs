//! Formulas that take the most time for each step. The tests hold them to their limits, and the benchmark measures how
//! long they take.

use serde_json::value::RawValue;

/// A context as large as that of an event may be: long texts and long lists.
pub(crate) fn context() -> Box<RawValue> {
    let numbers = vec!["1"; 50_000].join(",");
    let objects = vec![r#"{"a":1,"bb":"x"}"#; 2_000].join(",");
    let json = format!(
        r#"{{"text":"{}","plain":"{}","numbers":[{numbers}],"objects":[{objects}]}}"#,
        "é ab".repeat(10_000),
        random_letters(40_000)
    );
    RawValue::from_string(json).expect("JSON")
}

/// Letters `a` and `b` in a random order, the same each time.
fn random_letters(length: usize) -> String {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..length).map(|_| next()).collect()
}

/// The ratio of two successive Fibonacci numbers: its continued fraction has as many terms as a ratio of its size can.
pub(crate) fn fibonacci_ratio(count: usize) -> String {
    let (mut a, mut b) = (num_bigint::BigInt::from(1), num_bigint::BigInt::from(2));
    for _ in 0..count {
        let next = &a + &b;
        a = std::mem::replace(&mut b, next);
    }
    format!("{a}/{b}")
}

/// An endless loop of `body`, with the names that it uses bound.
fn endless(body: &str) -> String {
    let zeros = format!("1{}M", "0".repeat(4_800));
    let ones = format!("{}.5M", "1".repeat(4_700));
    let whole = format!("{}N", "7".repeat(4_900));
    let ratio = format!("(let [whole {whole}] (/ (+ whole 2) whole))");
    let bound = [
        ("zeros", zeros.as_str()),
        ("ones", ones.as_str()),
        ("whole", whole.as_str()),
        ("tall", "1E+4000M"),
        ("flat", "1E-4000M"),
        ("tiny", "1.5M"),
        ("t", "text"),
        ("p", "plain"),
        ("lengthy", "(apply str (repeat 20 plain))"),
        ("q", "(subs plain 0 1000)"),
        ("v", "(vec (range 1000))"),
        ("m", "(zipmap (range 1000) (range))"),
        ("ratio", ratio.as_str()),
    ];
    let used = bound.iter().filter(|(name, _)| body.contains(name));
    let names: String = used.map(|(name, value)| format!("{name} {value} ")).collect();
    format!("(let [{names}] (loop [i 0] {body} (recur (inc i))))")
}

/// The formulas; none of them would end without limits.
pub(crate) fn formulas() -> Vec<String> {
    let bodies = include_str!("costly_formulas.txt").lines().filter(|line| !line.starts_with(';'));
    let mut all: Vec<_> = bodies.map(endless).collect();
    // Many forms in one step.
    for wide in ["and", "or", "do", "str", "vector", "+", "=", "list", "hash-set 1"] {
        let nothing = if wide == "or" { "nil " } else { "1 " };
        all.push(endless(&format!("({wide} {})", nothing.repeat(3_000))));
    }
    all.push(endless(&format!("(let [{}] a)", "a i ".repeat(3_000))));
    all.push(endless(&format!(
        "(case i {} 0)",
        (0..1_500).map(|n| format!("\"{n}\" 1 ")).collect::<String>()
    )));
    all.push(endless(&format!("(cond {} :else 1)", "nil 1 ".repeat(49))));
    let names: String = (0..1_000).map(|n| format!("a{n} ")).collect();
    all.push(format!(
        "(let [{}] (loop [i 0] (fn [] [{names}]) (recur (inc i))))",
        (0..1_000).map(|n| format!("a{n} 1 ")).collect::<String>()
    ));
    all.push(format!("(let [f (fn [{}] 1)] (loop [i 0] (f {}) (recur (inc i))))", names, "1 ".repeat(1_000)));
    let (a, b) = (fibonacci_ratio(18_000), fibonacci_ratio(18_001));
    for compare in ["<", "=", "==", "compare", "max"] {
        all.push(format!("(loop [i 0] ({compare} {a} {b}) (recur (inc i)))"));
    }
    all
}

/// The end of a formula, which identifies it among the others.
pub(crate) fn label(formula: &str) -> &str {
    let start = formula.char_indices().rev().nth(150).map_or(0, |(index, _)| index);
    &formula[start..]
}
