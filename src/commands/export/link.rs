//! The `Link` header of an answer (RFC 8288): the target that has the relation `next`.
//!
//! A header that names links, none of them `next`, says that there is no next part. One that cannot be read may have named one:
//! that is an error, so that nobody takes a part for the whole.

/// The header is no list of links, each with its relation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The first target with the relation `next`, if a link has it.
pub(super) fn next(header: &str) -> Result<Option<&str>, Unreadable> {
    let (mut rest, mut next, mut links) = (header, None, 0);
    loop {
        // An element of a list may be empty (RFC 9110, section 5.6.1.2).
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return if links > 0 { Ok(next) } else { Err(Unreadable) };
        }
        let (target, after) =
            rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or(Unreadable)?;
        let (relations, after) = relations(after)?;
        if relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next")) {
            next = next.or(Some(target));
        }
        (rest, links) = (after, links + 1);
    }
}

/// The relations of a link by its parameters, and what follows the link. Of several `rel` the first counts (section 3.3).
fn relations(parameters: &str) -> Result<(String, &str), Unreadable> {
    let (mut rest, mut relations) = (parameters.trim_start(), None);
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start();
        let end = parameter.find(['=', ';', ',', ' ', '\t']).unwrap_or(parameter.len());
        let (name, after) = parameter.split_at(end);
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix('=') {
            let (value, after) = value(after.trim_start())?;
            rest = after.trim_start();
            if name.eq_ignore_ascii_case("rel") {
                relations = relations.or(Some(value));
            }
        }
    }
    match relations {
        Some(relations) if rest.is_empty() || rest.starts_with(',') => Ok((relations, rest)),
        _ => Err(Unreadable),
    }
}

/// The value of a parameter, a token or in quotes, and what follows it.
fn value(text: &str) -> Result<(String, &str), Unreadable> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut characters) = (String::new(), quoted.char_indices());
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[index + 1..])),
            '\\' => value.push(characters.next().ok_or(Unreadable)?.1),
            other => value.push(other),
        }
    }
    Err(Unreadable)
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, next};

    #[test]
    fn the_next_part_is_what_a_link_says() {
        for (header, target) in [
            ("<?cursor=abc>; rel=\"next\"", Some("?cursor=abc")),
            ("</v1/webhooks?cursor=abc>;rel=next", Some("/v1/webhooks?cursor=abc")),
            ("<?cursor=abc>; title=\"x; rel=prev, <y>\"; rel=\"next\"", Some("?cursor=abc")),
            ("<?cursor=abc> ; REL = \"last Next\" ;", Some("?cursor=abc")),
            ("<?cursor=abc>; title=\"\\\"\"; rel=\"n\\ext\"", Some("?cursor=abc")),
            ("<?a>; rel=prev, <?b>; rel=next", Some("?b")),
            (", <?a,b>; rel=next,, <?c>; rel=next", Some("?a,b")),
            // The first `rel` counts.
            ("<?a>; rel=prev; rel=next", None),
            ("<?cursor=abc>; rel=\"prev\"", None),
            ("<?cursor=abc>; rel=\"nextish\"", None),
            ("<a>; rel=prev, <b>; rel=\"help\"", None),
        ] {
            assert_eq!(next(header), Ok(target), "{header}");
        }
    }

    #[test]
    fn what_is_no_list_of_links_is_an_error() {
        for header in [
            "",
            " , ",
            "?cursor=abc; rel=\"next\"",
            "<?cursor=abc; rel=\"next\"",
            "<?cursor=abc>",
            "<?cursor=abc>; title=next",
            "<?cursor=abc>; rel",
            "<?cursor=abc>; rel=\"next",
            "<?cursor=abc>; rel=\"next\\",
            "<?cursor=abc> rel=next",
            "<?cursor=abc>; rel=next <?b>; rel=prev",
            "<?cursor=abc>; rel=next, ?b",
        ] {
            assert_eq!(next(header), Err(Unreadable), "{header}");
        }
    }
}
