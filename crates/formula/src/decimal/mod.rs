//! Decimals as Java's `BigDecimal` has them: a whole number, and how many of its digits are after the point.
//!
//! This is no crate's decimal, because how many digits a result has and how it is printed follow Java's own rules
//! (`java.math.BigDecimal`). Arithmetic on the values of a formula (`value::number`), the reader and `format` use it.

mod division;
pub(crate) mod text;

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::budget::MAX_DECIMAL_SCALE;
use crate::cost;
use crate::error::{Result, limit_exceeded};

/// `unscaled × 10^-scale`. Two that differ in scale alone are the same number, but not the same value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    unscaled: BigInt,
    scale: i64,
}

/// 10 to a power that is not negative.
pub(crate) fn power_of_ten(power: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(power).unwrap_or(0))
}

impl Decimal {
    pub(crate) fn new(unscaled: BigInt, scale: i64) -> Result<Self> {
        if scale.abs() > MAX_DECIMAL_SCALE {
            return Err(limit_exceeded(format!(
                "this decimal has more than {MAX_DECIMAL_SCALE} digits after its point, or zeros before it"
            )));
        }
        Ok(Self { unscaled, scale })
    }

    pub(crate) fn unscaled(&self) -> &BigInt {
        &self.unscaled
    }

    pub(crate) fn scale(&self) -> i64 {
        self.scale
    }

    /// How many bits the number has once the zeros that its scale stands for are written out.
    pub(crate) fn expanded_bits(&self) -> u64 {
        self.unscaled.bits() + self.scale.unsigned_abs() * 10 / 3
    }

    /// The steps to go through its digits once. The zeros of its scale count: they are written out when it meets a
    /// decimal of another scale.
    pub(crate) fn scan_steps(&self) -> usize {
        cost::multiply(self.expanded_bits())
    }

    /// Its unscaled number at a scale that is not below its own.
    fn at_scale(&self, scale: i64) -> BigInt {
        &self.unscaled * power_of_ten(scale - self.scale)
    }

    /// Both unscaled numbers at the greater of the two scales, and that scale.
    fn at_common_scale(&self, other: &Self) -> Result<(BigInt, BigInt, i64)> {
        let scale = self.scale.max(other.scale);
        if scale - self.scale.min(other.scale) > MAX_DECIMAL_SCALE {
            return Err(limit_exceeded("these decimals are too far apart"));
        }
        Ok((self.at_scale(scale), other.at_scale(scale), scale))
    }

    pub(crate) fn add(&self, other: &Self) -> Result<Self> {
        let (a, b, scale) = self.at_common_scale(other)?;
        Self::new(a + b, scale)
    }

    pub(crate) fn subtract(&self, other: &Self) -> Result<Self> {
        let (a, b, scale) = self.at_common_scale(other)?;
        Self::new(a - b, scale)
    }

    pub(crate) fn multiply(&self, other: &Self) -> Result<Self> {
        Self::new(&self.unscaled * &other.unscaled, self.scale + other.scale)
    }

    /// The order of the numbers, whatever their scales.
    pub(crate) fn numeric_cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }

    /// Without zeros at its end, but not below this scale.
    fn strip_trailing_zeros(mut self, scale: i64) -> Self {
        // It ends in no more zeros than 2 divides it.
        let twos = self.unscaled.trailing_zeros().unwrap_or(0);
        let mut max_zeros = u64::try_from(self.scale - scale).unwrap_or(0).min(twos);
        let Some(max_power) = max_zeros.checked_ilog2() else { return self };
        for zeros in (0..=max_power).rev().map(|power| 1_u64 << power) {
            if zeros > max_zeros {
                continue;
            }
            let (rest, digits) = self.unscaled.div_rem(&power_of_ten(zeros as i64));
            if digits.is_zero() {
                self.unscaled = rest;
                self.scale -= zeros as i64;
                max_zeros -= zeros;
            }
        }
        self
    }

    /// Without any zeros at its end (`BigDecimal.stripTrailingZeros`); zero has scale 0.
    pub(crate) fn without_trailing_zeros(&self) -> Self {
        if self.unscaled.is_zero() {
            return Self { unscaled: BigInt::ZERO, scale: 0 };
        }
        self.clone().strip_trailing_zeros(i64::MIN / 2)
    }

    pub(crate) fn abs(&self) -> Self {
        Self { unscaled: self.unscaled.abs(), scale: self.scale }
    }

    /// Its whole part, towards zero.
    pub(crate) fn to_integer(&self) -> BigInt {
        if self.scale <= 0 { self.at_scale(0) } else { &self.unscaled / power_of_ten(self.scale) }
    }

    /// The nearest double.
    pub(crate) fn to_double(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// As a ratio, in lowest terms.
    pub(crate) fn to_ratio(&self) -> BigRational {
        if self.scale <= 0 {
            BigRational::from_integer(self.at_scale(0))
        } else {
            BigRational::new(self.unscaled.clone(), power_of_ten(self.scale))
        }
    }

    /// Rounded to so many digits after the point, halves away from zero.
    pub(crate) fn round_half_up(&self, digits: i64) -> Self {
        if self.scale <= digits {
            return Self { unscaled: self.at_scale(digits), scale: digits };
        }
        let unit = power_of_ten(self.scale - digits);
        let (whole, rest) = self.unscaled.abs().div_rem(&unit);
        let up = if rest * 2 >= unit { whole + 1 } else { whole };
        let unscaled = if self.unscaled.is_negative() { -up } else { up };
        Self { unscaled, scale: digits }
    }

    /// Its digits without an exponent (`BigDecimal.toPlainString`), for JSON and `format`.
    pub(crate) fn to_plain_string(&self) -> String {
        let digits = self.unscaled.magnitude().to_string();
        let sign = if self.unscaled.is_negative() { "-" } else { "" };
        let Ok(scale) = usize::try_from(self.scale) else {
            let zeros = if self.unscaled.is_zero() { 0 } else { self.scale.unsigned_abs() as usize };
            return format!("{sign}{digits}{}", "0".repeat(zeros));
        };
        if scale == 0 {
            return format!("{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }
}

/// As `BigDecimal.toString` writes it.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.unscaled.magnitude().to_string();
        let exponent = digits.len() as i64 - 1 - self.scale;
        if self.scale >= 0 && exponent >= -6 {
            return f.write_str(&self.to_plain_string());
        }
        if self.unscaled.is_negative() {
            f.write_str("-")?;
        }
        f.write_str(&digits[..1])?;
        if digits.len() > 1 {
            write!(f, ".{}", &digits[1..])?;
        }
        if exponent == 0 { Ok(()) } else { write!(f, "E{exponent:+}") }
    }
}
