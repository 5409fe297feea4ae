//! Doubles as text, as Java 17 prints them.
//!
//! `Double.toString` of Java 17 does not always give the shortest digits that read back as the same double: 2.0E23
//! is printed as 1.9999999999999998E23 (Java 19 ended that). A formula must print what Clojure prints, so this module
//! follows Java's algorithm step by step (`jdk.internal.math.FloatingDecimal`, after Steele and White).

use num_bigint::{BigInt, Sign};
use num_traits::{ToPrimitive, Zero};

/// The bits of a double after its leading one.
const MANTISSA_BITS: i64 = 52;

/// The digits of a positive, finite double, and where its point is: `0.d₁d₂… × 10^exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits {
    digits: Vec<u8>,
    exponent: i64,
}

/// `Double.toString` of a finite double: `str` and `pr` differ in how they print infinities and NaN.
pub(crate) fn to_java_string(double: f64) -> String {
    let sign = if double.is_sign_negative() { "-" } else { "" };
    if double == 0.0 {
        return format!("{sign}0.0");
    }
    let Digits { digits, exponent } = digits(double.abs(), true);
    let text = String::from_utf8_lossy(&digits).into_owned();
    let count = digits.len() as i64;
    let or_zero = |text: &str| if text.is_empty() { "0".to_owned() } else { text.to_owned() };
    match exponent {
        1..=7 if count <= exponent => format!("{sign}{text}{}.0", "0".repeat((exponent - count) as usize)),
        1..=7 => format!("{sign}{}.{}", &text[..exponent as usize], &text[exponent as usize..]),
        -2..=0 => format!("{sign}0.{}{text}", "0".repeat(exponent.unsigned_abs() as usize)),
        _ => format!("{sign}{}.{}E{}", &text[..1], or_zero(&text[1..]), exponent - 1),
    }
}

/// The digits of a positive, finite double. `compatible`: as `Double.toString` has them; otherwise as `format` has
/// them, which asks for one digit more.
fn digits(double: f64, compatible: bool) -> Digits {
    let bits = double.to_bits() as i64;
    let mut fraction = bits & ((1 << MANTISSA_BITS) - 1);
    let mut exponent = (bits >> MANTISSA_BITS) & 0x7ff;
    let significant = if exponent == 0 {
        let zeros = i64::from(fraction.leading_zeros());
        let shift = zeros - (63 - MANTISSA_BITS);
        fraction <<= shift;
        exponent = 1 - shift;
        64 - zeros
    } else {
        fraction |= 1 << MANTISSA_BITS;
        MANTISSA_BITS + 1
    };
    develop(exponent - 1023, fraction, significant, compatible)
}

/// How many bits a power of five has, by Java's table (`N_5_BITS`).
fn bits_of_five(power: i64) -> i64 {
    match power {
        0 => 0,
        1..=26 => 64 - i64::from(5_u64.pow(power as u32).leading_zeros()),
        _ => power * 3,
    }
}

fn power_of_five(power: i64) -> BigInt {
    BigInt::from(5).pow(power as u32)
}

/// `FloatingDecimal.dtoa`, with the names of its variables.
fn develop(exponent: i64, mut fraction: i64, significant: i64, compatible: bool) -> Digits {
    let trailing = i64::from(fraction.trailing_zeros());
    let interesting = MANTISSA_BITS + 1 - trailing;
    let tiny = (interesting - exponent - 1).max(0);
    if (-21..=62).contains(&exponent) && tiny == 0 && interesting < 64 {
        let on_overflow = exponent - significant - 1;
        let insignificant =
            if exponent > significant && on_overflow > 1 { on_overflow * 30_103 / 100_000 } else { 0 };
        fraction = if exponent >= MANTISSA_BITS {
            fraction << (exponent - MANTISSA_BITS)
        } else {
            fraction >> (MANTISSA_BITS - exponent)
        };
        return whole_digits(fraction, insignificant);
    }
    let mut decimal = estimate_decimal_exponent(fraction, exponent);
    let (b5, s5) = ((-decimal).max(0), decimal.max(0));
    let mut b2 = b5 + tiny + exponent;
    let mut s2 = s5 + tiny;
    let m5 = b5;
    let mut m2 = b2 - significant;
    fraction >>= trailing;
    b2 -= interesting - 1;
    let common = b2.min(s2);
    b2 -= common;
    s2 -= common;
    m2 -= common;
    if interesting == 1 {
        m2 -= 1;
    }
    if m2 < 0 {
        b2 -= m2;
        s2 -= m2;
        m2 = 0;
    }
    let small = interesting + b2 + bits_of_five(b5) < 64 && s2 + 1 + bits_of_five(s5 + 1) < 64;
    let s: BigInt = power_of_five(s5) << s2;
    let tens: BigInt = &s * 10;
    let mut b: BigInt = (BigInt::from(fraction) * power_of_five(b5)) << b2;
    let mut m: BigInt = power_of_five(m5) << m2;
    let mut step = |b: &mut BigInt| {
        let quotient = &*b / &s;
        *b = (&*b - &quotient * &s) * 10;
        m = &m * 10;
        let sum = &*b + &m;
        let high = if small { sum > tens } else { sum >= tens };
        (quotient.to_u8().unwrap_or(0), *b < m, high)
    };
    let mut digits = Vec::with_capacity(18);
    let (first, mut low, mut high) = step(&mut b);
    if first == 0 && !high {
        decimal -= 1;
    } else {
        digits.push(b'0' + first);
    }
    if !compatible || !(-3..8).contains(&decimal) {
        (low, high) = (false, false);
    }
    while !low && !high {
        let digit;
        (digit, low, high) = step(&mut b);
        digits.push(b'0' + digit);
    }
    let mut digits = Digits { digits, exponent: decimal + 1 };
    let rest: BigInt = b * 2 - &tens;
    let odd = digits.digits.last().is_some_and(|digit| digit % 2 == 1);
    let up = match (low, rest.sign()) {
        (true, Sign::NoSign) => odd,
        (true, Sign::Plus) | (false, _) => true,
        (true, Sign::Minus) => false,
    };
    if high && up {
        digits.round_up();
    }
    digits
}

/// The digits of a whole number, the last `insignificant` of them rounded away, without zeros at the end.
fn whole_digits(mut number: i64, insignificant: i64) -> Digits {
    let unit = 10_i64.pow(insignificant as u32);
    let rest = number % unit;
    number /= unit;
    if insignificant > 0 && rest >= unit / 2 {
        number += 1;
    }
    let mut digits = number.to_string().into_bytes();
    let exponent = digits.len() as i64 + insignificant;
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    Digits { digits, exponent }
}

/// An estimate of the decimal exponent: exact, or one too great.
#[expect(clippy::approx_constant, reason = "these are the digits that Java has, for the same rounding")]
fn estimate_decimal_exponent(fraction: i64, exponent: i64) -> i64 {
    let mantissa = f64::from_bits((1023 << MANTISSA_BITS) | (fraction & ((1 << MANTISSA_BITS) - 1)) as u64);
    let estimate = (mantissa - 1.5) * 0.289_529_654 + 0.176_091_259 + exponent as f64 * 0.301_029_995_663_981;
    estimate.floor() as i64
}

impl Digits {
    fn round_up(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        if let Some(first) = self.digits.first_mut() {
            *first = b'1';
        }
        self.exponent += 1;
    }

    /// The digits before the point, and a fixed number of digits after it, rounded half up.
    fn fixed(mut self, decimals: usize) -> (String, String) {
        let keep = self.exponent + decimals as i64;
        if let Ok(keep) = usize::try_from(keep)
            && keep < self.digits.len()
        {
            let up = self.digits[keep] >= b'5';
            self.digits.truncate(keep);
            if up && keep == 0 {
                (self.digits, self.exponent) = (vec![b'1'], self.exponent + 1);
            } else if up {
                self.round_up();
            }
        } else if keep < 0 {
            self.digits.clear();
        }
        let digit = |index: i64| {
            let digit = usize::try_from(index).ok().and_then(|index| self.digits.get(index));
            digit.copied().map_or('0', char::from)
        };
        let before = if self.exponent > 0 { (0..self.exponent).map(digit).collect() } else { "0".to_owned() };
        let after = (self.exponent..self.exponent + decimals as i64).map(digit).collect();
        (before, after)
    }
}

/// The digits of a finite double before the point, and a fixed number of digits after it, as `format` rounds them.
pub(crate) fn fixed(double: f64, decimals: usize) -> (String, String) {
    // Zero has no digits to develop.
    if double.is_zero() {
        return ("0".into(), "0".repeat(decimals));
    }
    digits(double.abs(), false).fixed(decimals)
}
