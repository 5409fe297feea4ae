//! Weak keys: keys that an operator chose and that somebody could guess.

/// A chosen key has at least so many different characters after its prefix.
const DIFFERENT: usize = 8;
/// And so many letters, or so many letters and digits, that belong to no word and no sequence that is tried first.
const LETTERS_BEYOND_WORDS: usize = 4;
const CHARACTERS_BEYOND_WORDS: usize = 16;
/// A run of neighbours is a sequence from this length on.
const RUN: usize = 4;

/// Words that passwords are commonly made of, in lower case.
const WORDS: [&str; 26] = [
    "password",
    "passwort",
    "passw0rd",
    "passwd",
    "pass",
    "letmein",
    "welcome",
    "iloveyou",
    "changeme",
    "change",
    "secret",
    "admin",
    "administrator",
    "root",
    "user",
    "login",
    "master",
    "default",
    "loanhook",
    "key",
    "token",
    "api",
    "qwerty",
    "qwertz",
    "azerty",
    "abc123",
];

/// What neighbours stand in.
const ROWS: [&str; 5] =
    ["0123456789abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm"];

/// What makes a key easy to guess, if anything does; `rest` is what follows its prefix, in ASCII.
pub(super) fn weakness(rest: &str) -> Option<&'static str> {
    let mut different = rest.as_bytes().to_vec();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT {
        return Some("is easy to guess, as it has fewer than 8 different characters");
    }
    let lower = rest.to_ascii_lowercase();
    let beyond = beyond_words(lower.as_bytes());
    let letters = beyond.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    (letters < LETTERS_BEYOND_WORDS && beyond.len() < CHARACTERS_BEYOND_WORDS)
        .then_some("is easy to guess, as it is made of common words and sequences and of little else")
}

/// The letters and digits that are left without common words and sequences.
fn beyond_words(text: &[u8]) -> Vec<u8> {
    let (mut place, mut beyond) = (0, Vec::new());
    while place < text.len() {
        let rest = &text[place..];
        let taken = word(rest).max(run(rest));
        if taken == 0 && rest[0] != b'_' {
            beyond.push(rest[0]);
        }
        place += taken.max(1);
    }
    beyond
}

/// The length of the longest word that a text begins with.
fn word(text: &[u8]) -> usize {
    WORDS.iter().filter(|word| text.starts_with(word.as_bytes())).map(|word| word.len()).max().unwrap_or(0)
}

/// The length of the sequence that a text begins with: neighbours up or down in a row, or one character again and
/// again; 0 where it is too short to be one.
fn run(text: &[u8]) -> usize {
    let rows = ROWS.iter().flat_map(|row| {
        let place = |byte: u8| row.bytes().position(|other| other == byte);
        [1_usize, 0, usize::MAX].map(|step| {
            let follows = |pair: &&[u8]| {
                place(pair[0]).zip(place(pair[1])).is_some_and(|(one, next)| one.wrapping_add(step) == next)
            };
            1 + text.windows(2).take_while(follows).count()
        })
    });
    rows.max().filter(|length| *length >= RUN).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_table() {
        for (rest, weak) in [
            ("aaaaaaaaaaaaaaaa", true),
            ("abababababababab", true),
            ("abcdefgabcdefgab", true),
            ("password12345678", true),
            ("Password_1234567890", true),
            ("changeme_changeme_1", true),
            ("admin_admin_admin_2026", true),
            ("0123456789abcdef", true),
            ("fedcba9876543210", true),
            ("qwertyuiop123456", true),
            ("local_admin_key_0001", false),
            ("local_stack_admin_key", false),
            ("second_admin_key_0123456789", false),
            ("first_admin_key_0123456789", false),
            ("third_admin_key_0123456789", false),
            ("test_0123456789abcdef0123456789abcdef", false),
            ("journeys_operator_0123456789", false),
            ("bench_0123456789abcdef", false),
            ("5f2b9c0d71e84a36", false),
            ("48291038572610945827", false),
            ("4829103857", true),
            ("correct_horse_battery_staple", false),
        ] {
            assert_eq!(weakness(rest).is_some(), weak, "{rest}");
        }
    }
}
