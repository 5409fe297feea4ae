//! Lengths of time as people write them: `300 s`, `5 min`, `2 h`, `1 d`.

const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];

/// Seconds in the largest unit of which they are a whole number.
pub(super) fn written(seconds: u32) -> String {
    let whole = |(_, unit): &(&str, u32)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (name, unit) = UNITS.into_iter().find(whole).unwrap_or(("s", 1));
    format!("{} {name}", seconds / unit)
}

/// The seconds of a text; a number alone is seconds.
///
/// # Errors
///
/// What is to be written instead.
pub(super) fn seconds(text: &str) -> Result<u32, String> {
    let text = text.trim();
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text[..end].parse::<u32>(), text[end..].trim());
    let unit = match unit {
        "" => Some(1),
        "m" => Some(60),
        _ => UNITS.into_iter().find(|(name, _)| *name == unit).map(|(_, unit)| unit),
    };
    match (number, unit) {
        (Ok(number), Some(unit)) => number.checked_mul(unit).ok_or_else(|| format!("“{text}” is too long")),
        _ => Err(format!("“{text}” is no time: write a number with s, min, h or d, such as 5 min")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_by_table() {
        for (of, is) in
            [(1, "1 s"), (90, "90 s"), (300, "5 min"), (7200, "2 h"), (172_800, "2 d"), (0, "0 s")]
        {
            assert_eq!(written(of), is);
            assert_eq!(seconds(is), Ok(of));
        }
        for (text, of) in [("300", 300), (" 5m ", 300), ("5min", 300), ("1  h", 3600)] {
            assert_eq!(seconds(text), Ok(of), "{text}");
        }
        for wrong in ["", "x", "5 weeks", "-1 s", "1.5 h", "99999999999", "4294967295 d", "5 min 3"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
