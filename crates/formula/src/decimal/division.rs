//! Decimals divided, and ratios as doubles: what depends on how many digits a quotient has.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, Zero as _};

use super::decimal::{Decimal, ten};
use super::{Budget, check_bits};
use crate::budget::MAX_SCALE;
use crate::error::{R, wrong};
use crate::price;

impl Decimal {
    /// The exact quotient, with as many digits after the point as it needs and no fewer than this has more
    /// than the other.
    pub(crate) fn divide(&self, other: &Self, budget: &mut Budget) -> R<Self> {
        if other.unscaled().is_zero() {
            return Err(wrong("divide by zero"));
        }
        let preferred = self.scale() - other.scale();
        if self.unscaled().is_zero() {
            return Self::new(BigInt::ZERO, preferred.clamp(-MAX_SCALE, MAX_SCALE));
        }
        check_bits(budget, self.unscaled().bits() + other.unscaled().bits())?;
        budget.steps(price::lowest_terms(self.unscaled().bits().max(other.unscaled().bits())))?;
        let ratio = BigRational::new(self.unscaled().clone(), other.unscaled().clone());
        let Some(digits) = digits_needed(ratio.denom(), budget)? else {
            return Err(wrong("this quotient has no end as a decimal: use doubles or ratios"));
        };
        check_bits(budget, ratio.numer().bits() + digits as u64 * 4)?;
        let unscaled = ratio.numer() * ten(digits) / ratio.denom();
        let quotient = Self::new(unscaled, digits + preferred)?;
        // What divides evenly may still end in zeros beyond the preferred scale.
        Ok(quotient.stripped_to(preferred))
    }

    /// The whole part of the quotient.
    pub(crate) fn quotient(&self, other: &Self, budget: &mut Budget) -> R<Self> {
        if other.unscaled().is_zero() {
            return Err(wrong("divide by zero"));
        }
        let preferred = self.scale() - other.scale();
        check_bits(budget, self.unscaled().bits() + other.unscaled().bits())?;
        let (a, b, _) = self.aligned(other)?;
        let whole = a / b;
        if whole.is_zero() {
            return Self::new(whole, preferred);
        }
        let whole = Self::new(whole, 0)?;
        if preferred >= 0 {
            Self::new(whole.at_scale(preferred), preferred)
        } else {
            Ok(whole.stripped_to(preferred))
        }
    }
}

/// How many digits after the point one over this number has; none if they never end.
fn digits_needed(number: &BigInt, budget: &mut Budget) -> R<Option<i64>> {
    let twos = number.trailing_zeros().unwrap_or(0) as i64;
    let mut rest = number >> twos;
    let mut fives = 0;
    let five = BigInt::from(5);
    while !rest.is_one() {
        let (next, left) = rest.div_rem(&five);
        if !left.is_zero() {
            return Ok(None);
        }
        // A division by one word, for each word.
        budget.steps(1 + (rest.bits() / 1024) as usize)?;
        fives += 1;
        rest = next;
    }
    Ok(Some(twos.max(fives)))
}

/// A ratio as Clojure makes a double of it: by way of 16 digits.
pub(crate) fn ratio_double(ratio: &BigRational) -> f64 {
    let (over, under) = (ratio.numer().abs(), ratio.denom());
    // As many digits before the quotient's 16th as it takes, then rounded half to even.
    let mut shift = 16 - (over.to_string().len() as i64 - under.to_string().len() as i64);
    let scaled = |shift: i64| {
        if shift >= 0 { (&over * ten(shift)).div_rem(under) } else { over.div_rem(&(under * ten(-shift))) }
    };
    let (mut digits, mut rest) = scaled(shift);
    if digits >= ten(16) {
        shift -= 1;
        (digits, rest) = scaled(shift);
    }
    let unit = if shift >= 0 { under.clone() } else { under * ten(-shift) };
    let up = match (rest * 2_u32).cmp(&unit) {
        Ordering::Greater => true,
        Ordering::Equal => digits.is_odd(),
        Ordering::Less => false,
    };
    let digits = if up { digits + 1 } else { digits };
    let sign = if ratio.numer().sign() == Sign::Minus { "-" } else { "" };
    format!("{sign}{digits}e{}", -shift).parse().unwrap_or(f64::NAN)
}
