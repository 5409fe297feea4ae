//! Costs, in steps, of work that grows with the size of a text or a number.
//!
//! A step is worth about a tenth of a microsecond wherever it is spent.

/// To read a text of so many bytes once.
pub(crate) const fn scan_text(bytes: usize) -> usize {
    bytes / 64
}

/// To change the case of a text of so many bytes.
pub(crate) const fn change_case(bytes: usize) -> usize {
    bytes / 16
}

/// To multiply, divide or print a number of so many bits.
pub(crate) fn multiply(bits: u64) -> usize {
    squared_words(bits) / 16
}

/// To find the digits of a double: the further it is from 1, the longer the numbers that this takes.
pub(crate) fn double_digits(double: f64) -> usize {
    if double == 0.0 {
        return 8;
    }
    let exponent = ((double.to_bits() >> 52) & 0x7ff) as usize;
    8 + exponent.abs_diff(1023) / 8
}

/// To bring a ratio of so many bits to its lowest terms.
pub(crate) fn lowest_terms(bits: u64) -> usize {
    squared_words(bits) / 4
}

/// The square of how many 64-bit words a number of so many bits has.
fn squared_words(bits: u64) -> usize {
    let words = usize::try_from(bits / 64).unwrap_or(usize::MAX);
    words.saturating_mul(words)
}
