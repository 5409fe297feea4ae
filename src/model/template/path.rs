//! The shape of a path such as `payments[0].amount`.

/// What is wrong with it. A path of no such shape would lead nowhere at any event.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    const EMPTY: Option<&str> =
        Some("a part of this path is empty: it is written `payments[0].amount` or `payments.0.amount`");
    let end = name.find(['.', '[', ']']).unwrap_or(name.len());
    if end == 0 {
        return EMPTY;
    }
    let mut rest = &name[end..];
    while let Some(first) = rest.chars().next() {
        let after = &rest[1..];
        rest = match first {
            '.' => {
                let end = after.find(['.', '[', ']']).unwrap_or(after.len());
                if end == 0 {
                    return EMPTY;
                }
                &after[end..]
            }
            '[' => match after.split_once(']') {
                Some((place, after)) if is_place(place) && !after.starts_with(is_of_a_name) => after,
                Some(_) => return Some("in the brackets of a path stands a place, counted from 0"),
                None => return Some("a bracket of this path is never closed"),
            },
            _ => return Some("a bracket of this path is never opened"),
        };
    }
    None
}

fn is_place(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_of_a_name(char: char) -> bool {
    !matches!(char, '.' | '[')
}
