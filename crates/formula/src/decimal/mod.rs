//! Decimals as Java's `BigDecimal` has them: a whole number and how many of its digits are after the point.
//!
//! Not from a crate: what matters here is how many digits a result has and how it is written, and those
//! rules are Java's own (`java.math.BigDecimal`).

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::budget::MAX_SCALE;
use crate::error::{R, limit};

/// `unscaled × 10^-scale`. Two that differ in scale alone are the same number and not the same value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    unscaled: BigInt,
    scale: i64,
}

pub(super) fn ten(power: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(power).unwrap_or(0))
}

impl Decimal {
    pub(crate) fn new(unscaled: BigInt, scale: i64) -> R<Self> {
        if scale.abs() > MAX_SCALE {
            return Err(limit(format!(
                "this decimal has more than {MAX_SCALE} digits after its point, or zeros before it"
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

    /// The same number at a scale that is not below its own.
    pub(super) fn at_scale(&self, scale: i64) -> BigInt {
        &self.unscaled * ten(scale - self.scale)
    }

    pub(super) fn aligned(&self, other: &Self) -> R<(BigInt, BigInt, i64)> {
        let scale = self.scale.max(other.scale);
        if scale - self.scale.min(other.scale) > MAX_SCALE {
            return Err(limit("these decimals are too far apart"));
        }
        Ok((self.at_scale(scale), other.at_scale(scale), scale))
    }

    pub(crate) fn add(&self, other: &Self) -> R<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Self::new(a + b, scale)
    }

    pub(crate) fn subtract(&self, other: &Self) -> R<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Self::new(a - b, scale)
    }

    pub(crate) fn multiply(&self, other: &Self) -> R<Self> {
        Self::new(&self.unscaled * &other.unscaled, self.scale + other.scale)
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }

    /// Without the zeros at its end, as far as this scale.
    pub(super) fn stripped_to(mut self, scale: i64) -> Self {
        // Each ten has a two in it.
        let twos = self.unscaled.trailing_zeros().unwrap_or(0);
        let mut most = u64::try_from(self.scale - scale).unwrap_or(0).min(twos);
        let Some(greatest) = most.checked_ilog2() else { return self };
        for zeros in (0..=greatest).rev().map(|power| 1_u64 << power) {
            if zeros > most {
                continue;
            }
            let (rest, digits) = self.unscaled.div_rem(&ten(zeros as i64));
            if digits.is_zero() {
                self.unscaled = rest;
                self.scale -= zeros as i64;
                most -= zeros;
            }
        }
        self
    }

    /// Without any zeros at its end; zero is 0.
    pub(crate) fn stripped(&self) -> Self {
        if self.unscaled.is_zero() {
            return Self { unscaled: BigInt::ZERO, scale: 0 };
        }
        self.clone().stripped_to(i64::MIN / 2)
    }

    pub(crate) fn abs(&self) -> Self {
        Self { unscaled: self.unscaled.abs(), scale: self.scale }
    }

    /// Its whole part.
    pub(crate) fn truncated(&self) -> BigInt {
        if self.scale <= 0 { self.at_scale(0) } else { &self.unscaled / ten(self.scale) }
    }

    pub(crate) fn double(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// As a ratio, in lowest terms.
    pub(crate) fn ratio(&self) -> BigRational {
        if self.scale <= 0 {
            BigRational::from_integer(self.at_scale(0))
        } else {
            BigRational::new(self.unscaled.clone(), ten(self.scale))
        }
    }

    /// Rounded half up, away from zero, to so many digits after the point.
    pub(crate) fn rounded(&self, digits: i64) -> Self {
        if self.scale <= digits {
            return Self { unscaled: self.at_scale(digits), scale: digits };
        }
        let unit = ten(self.scale - digits);
        let (whole, rest) = self.unscaled.abs().div_rem(&unit);
        let up = if rest * 2 >= unit { whole + 1 } else { whole };
        let unscaled = if self.unscaled.is_negative() { -up } else { up };
        Self { unscaled, scale: digits }
    }

    /// Its digits without an exponent (`BigDecimal.toPlainString`), for JSON and `format`.
    pub(crate) fn plain(&self) -> String {
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
            return f.write_str(&self.plain());
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
