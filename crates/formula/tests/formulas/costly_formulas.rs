//! Formulas that make the most of what a step may cost: each once took far longer than its steps tell, or might.
//! The tests hold them to their bounds, and the benchmark tells how long they take.

use serde_json::value::RawValue;

/// As large as an event's may be: a long text, and a long list.
pub(crate) fn context() -> Box<RawValue> {
    let numbers = vec!["1"; 50_000].join(",");
    let objects = vec![r#"{"a":1,"bb":"x"}"#; 2_000].join(",");
    let json = format!(
        r#"{{"text":"{}","plain":"{}","numbers":[{numbers}],"objects":[{objects}]}}"#,
        "é ab".repeat(10_000),
        tossed(40_000)
    );
    RawValue::from_string(json).expect("JSON")
}

/// Letters `a` and `b` in no order that a regex could learn.
fn tossed(length: usize) -> String {
    let mut state = 1_u32;
    let mut toss = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..length).map(|_| toss()).collect()
}

/// Two Fibonacci numbers that follow each other, as a ratio: its continued fraction has a term for each.
pub(crate) fn fibonacci_ratio(count: usize) -> String {
    let (mut a, mut b) = (num_bigint::BigInt::from(1), num_bigint::BigInt::from(2));
    for _ in 0..count {
        let next = &a + &b;
        a = std::mem::replace(&mut b, next);
    }
    format!("{a}/{b}")
}

/// For ever, with what it takes at hand.
fn again(body: &str) -> String {
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

/// Each goes on for ever.
pub(crate) fn formulas() -> Vec<String> {
    let bodies = include_str!("costly_formulas.txt").lines().filter(|line| !line.starts_with(';'));
    let mut all: Vec<_> = bodies.map(again).collect();
    // Many forms to a step.
    for wide in ["and", "or", "do", "str", "vector", "+", "=", "list", "hash-set 1"] {
        let nothing = if wide == "or" { "nil " } else { "1 " };
        all.push(again(&format!("({wide} {})", nothing.repeat(3_000))));
    }
    all.push(again(&format!("(let [{}] a)", "a i ".repeat(3_000))));
    all.push(again(&format!("(case i {} 0)", (0..1_500).map(|n| format!("\"{n}\" 1 ")).collect::<String>())));
    all.push(again(&format!("(cond {} :else 1)", "nil 1 ".repeat(49))));
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

/// The end of a formula, which tells it from the others.
pub(crate) fn tail(formula: &str) -> &str {
    let start = formula.char_indices().rev().nth(150).map_or(0, |(place, _)| place);
    &formula[start..]
}
