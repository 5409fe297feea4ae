//! Division of decimals: how many digits a quotient has.

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use super::{Decimal, power_of_ten};
use crate::budget::{Budget, MAX_DECIMAL_SCALE};
use crate::cost;
use crate::error::{Result, invalid};

impl Decimal {
    /// The exact quotient (`BigDecimal.divide`). It has as many digits after the point as it needs, and at least as
    /// many as the difference of the two scales.
    pub(crate) fn divide(&self, other: &Self, budget: &mut Budget) -> Result<Self> {
        if other.unscaled().is_zero() {
            return Err(invalid("divide by zero"));
        }
        let preferred = self.scale() - other.scale();
        if self.unscaled().is_zero() {
            return Self::new(BigInt::ZERO, preferred.clamp(-MAX_DECIMAL_SCALE, MAX_DECIMAL_SCALE));
        }
        budget.take_number(self.unscaled().bits() + other.unscaled().bits())?;
        budget.take_steps(cost::lowest_terms(self.unscaled().bits().max(other.unscaled().bits())))?;
        let ratio = BigRational::new(self.unscaled().clone(), other.unscaled().clone());
        let Some(digits) = digits_needed(ratio.denom(), budget)? else {
            return Err(invalid("this quotient has no end as a decimal: use doubles or ratios"));
        };
        budget.take_number(ratio.numer().bits() + digits as u64 * 4)?;
        let unscaled = ratio.numer() * power_of_ten(digits) / ratio.denom();
        let quotient = Self::new(unscaled, digits + preferred)?;
        // An exact quotient may still end in zeros beyond the preferred scale.
        Ok(quotient.strip_trailing_zeros(preferred))
    }

    /// The whole part of the quotient.
    pub(crate) fn quotient(&self, other: &Self, budget: &mut Budget) -> Result<Self> {
        if other.unscaled().is_zero() {
            return Err(invalid("divide by zero"));
        }
        let preferred = self.scale() - other.scale();
        budget.take_number(self.unscaled().bits() + other.unscaled().bits())?;
        let (a, b, _) = self.at_common_scale(other)?;
        let whole = a / b;
        if whole.is_zero() {
            return Self::new(whole, preferred);
        }
        let whole = Self::new(whole, 0)?;
        if preferred >= 0 {
            Self::new(whole.at_scale(preferred), preferred)
        } else {
            Ok(whole.strip_trailing_zeros(preferred))
        }
    }
}

/// How many digits after the point the decimal 1 / `number` has; none if they never end.
fn digits_needed(number: &BigInt, budget: &mut Budget) -> Result<Option<i64>> {
    let twos = number.trailing_zeros().unwrap_or(0) as i64;
    let mut rest = number >> twos;
    let mut fives = 0;
    let five = BigInt::from(5);
    while !rest.is_one() {
        let (next, left) = rest.div_rem(&five);
        if !left.is_zero() {
            return Ok(None);
        }
        // Dividing 16 words of 64 bits by a small number is worth a step.
        budget.take_steps(1 + (rest.bits() / 1024) as usize)?;
        fives += 1;
        rest = next;
    }
    Ok(Some(twos.max(fives)))
}
