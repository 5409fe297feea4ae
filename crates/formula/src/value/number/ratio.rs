//! Ratios as doubles.

use std::cmp::Ordering;

use num_bigint::Sign;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::Signed as _;

use crate::decimal::power_of_ten;

/// The double of a ratio as Clojure computes it: by a decimal quotient of 16 digits (`Ratio.doubleValue`).
pub(super) fn ratio_to_double(ratio: &BigRational) -> f64 {
    let (numerator, denominator) = (ratio.numer().abs(), ratio.denom());
    // Scaled so that the quotient has 16 digits, then rounded half to even.
    let mut shift = 16 - (numerator.to_string().len() as i64 - denominator.to_string().len() as i64);
    let scaled = |shift: i64| {
        if shift >= 0 {
            (&numerator * power_of_ten(shift)).div_rem(denominator)
        } else {
            numerator.div_rem(&(denominator * power_of_ten(-shift)))
        }
    };
    let (mut digits, mut rest) = scaled(shift);
    if digits >= power_of_ten(16) {
        shift -= 1;
        (digits, rest) = scaled(shift);
    }
    let unit = if shift >= 0 { denominator.clone() } else { denominator * power_of_ten(-shift) };
    let up = match (rest * 2_u32).cmp(&unit) {
        Ordering::Greater => true,
        Ordering::Equal => digits.is_odd(),
        Ordering::Less => false,
    };
    let digits = if up { digits + 1 } else { digits };
    let sign = if ratio.numer().sign() == Sign::Minus { "-" } else { "" };
    format!("{sign}{digits}e{}", -shift).parse().unwrap_or(f64::NAN)
}
