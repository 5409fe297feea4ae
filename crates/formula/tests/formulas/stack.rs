//! Stack: the deepest evaluation, and deeply nested values, on threads with a small stack.

use crate::costly_formulas::fibonacci_ratio;
use crate::{answer, printed};

#[test]
fn the_deepest_evaluation_fits_into_half_of_a_threads_stack() {
    for formula in [
        "((fn f [n] (+ 1 (if (pos? n) (let [m (dec n)] (apply f [m])) 0))) 1000)",
        "((fn f [n] (first (map (fn [x] (first (filter (fn [y] (f (inc y))) [x]))) [n]))) 0)",
        "((fn f [n] (sort-by (fn [x] (f x)) [n 1])) 0)",
        "((fn f [n] (update-in {} [:a :b :c] (fn [x] (f x)))) 0)",
        "((fn f [n] (str/replace \"a\" #\"a\" (fn [x] (f x)))) 0)",
        "((fn f [n] (reduce (fn [a b] (f b)) [n 1])) 0)",
        "(first (reduce (fn [s _] (map inc s)) [1] (range 1000)))",
        "(first (reduce (fn [s _] (concat s [1])) [] (range 1000)))",
        "((reduce (fn [f _] (comp f inc)) inc (range 1000)) 1)",
        "(pr-str (reduce (fn [v _] [v]) [] (range 1500)))",
        "(= (reduce (fn [v _] [v]) [] (range 1500)) (reduce (fn [v _] [v]) [] (range 1500)))",
        "(hash (reduce (fn [v _] {v v}) 1 (range 10)))",
        "(hash (reduce (fn [v _] [v]) [] (range 1500)))",
        "(compare (reduce (fn [v _] [v]) [] (range 1500)) (reduce (fn [v _] [v]) [] (range 1500)))",
        "(flatten (reduce (fn [v _] [v]) [] (range 1500)))",
    ] {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let ended = thread.spawn(move || answer(formula)).expect("a thread").join();
        assert!(ended.is_ok(), "{formula}");
    }
}

#[test]
fn deeply_nested_values_are_dropped_without_a_deep_stack() {
    for formula in [
        "(count (reduce (fn [v _] [v]) [] (range 15000)))",
        "(count (reduce (fn [v _] {:a v}) {} (range 9000)))",
        "(count (reduce (fn [v _] (list v)) [1] (range 15000)))",
        "(fn? (reduce (fn [f _] (fn [x] (f x))) inc (range 10000)))",
        "(some? (reduce (fn [s _] (map inc s)) [] (range 8000)))",
    ] {
        // A tenth of what threads have.
        let thread = std::thread::Builder::new().stack_size(256 * 1024);
        let ended = thread.spawn(move || drop(printed(formula))).expect("a thread").join();
        assert!(ended.is_ok(), "{formula}");
    }
}

#[test]
fn long_ratios_are_compared_without_a_deep_stack() {
    let (a, b) = (fibonacci_ratio(18_000), fibonacci_ratio(18_001));
    let short = fibonacci_ratio(9_000);
    assert!(a.len() + b.len() > 15_000);
    for (formula, expected) in [
        (format!("(< {a} {b})"), "true"),
        (format!("(compare {a} {b})"), "-1"),
        (format!("(= {a} {b})"), "false"),
        (format!("(== {a} {b})"), "false"),
        (format!("(let [a {short}] (= a (+ a 0)))"), "true"),
        (format!("(let [a {short}] (get {{a :it}} (+ a 0)))"), ":it"),
    ] {
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        let ended = thread.spawn(move || answer(&formula)).expect("a thread").join();
        assert_eq!(ended.expect("no overflow"), expected);
    }
}
