//! Paths into a context, such as `payments[0].amount`.

/// The variable that a path begins with, and the steps from there; or what is wrong with it: a path of no such
/// shape would lead nowhere at any event.
pub(super) fn parse(name: &str) -> Result<(&str, Vec<&str>), &'static str> {
    const EMPTY: &str =
        "a part of this path is empty: it is written `payments[0].amount` or `payments.0.amount`";
    let end = name.find(['.', '[', ']']).unwrap_or(name.len());
    if end == 0 {
        return Err(EMPTY);
    }
    let (variable, mut rest) = name.split_at(end);
    let mut steps = Vec::new();
    while let Some(first) = rest.chars().next() {
        let after = &rest[1..];
        rest = match first {
            '.' => {
                let end = after.find(['.', '[', ']']).unwrap_or(after.len());
                if end == 0 {
                    return Err(EMPTY);
                }
                steps.push(&after[..end]);
                &after[end..]
            }
            '[' => match after.split_once(']') {
                Some((place, after)) if is_place(place) && !after.starts_with(is_of_a_name) => {
                    steps.push(place);
                    after
                }
                Some(_) => return Err("in the brackets of a path stands a place, counted from 0"),
                None => return Err("a bracket of this path is never closed"),
            },
            _ => return Err("a bracket of this path is never opened"),
        };
    }
    Ok((variable, steps))
}

fn is_place(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_of_a_name(char: char) -> bool {
    !matches!(char, '.' | '[')
}
