//! Search for secrets in what came back, in one pass, however many there are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::destination::HIDDEN;

/// The least bytes that a secret must have to be looked for.
pub const MIN_SECRET_BYTES: usize = 8;

/// What finds secrets in all the forms in which they may be written. It has no `Debug`: it holds them.
pub struct SecretSearch {
    forms: Box<[Vec<u8>]>,
    /// None where there is nothing to look for.
    searcher: Option<AhoCorasick>,
}

impl SecretSearch {
    pub fn new(forms: &BTreeSet<Vec<u8>>) -> Self {
        let searcher = || {
            // Of its kinds this one takes the least memory: it is kept for each subscription.
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
            // It fails only for more patterns than a request can have secrets.
            builder.build(forms).ok()
        };
        let searcher = if forms.is_empty() { None } else { searcher() };
        Self { forms: forms.iter().cloned().collect(), searcher }
    }

    /// Some bytes with `***` in place of what is found; where they were cut, also in place of the beginning of a secret at their end.
    pub fn hidden<'a>(&self, bytes: &'a [u8], is_cut: bool) -> Cow<'a, [u8]> {
        let Some(searcher) = &self.searcher else { return Cow::Borrowed(bytes) };
        let mut hidden = Vec::new();
        let mut done = 0;
        for found in searcher.find_iter(bytes) {
            hidden.extend_from_slice(&bytes[done..found.start()]);
            hidden.extend_from_slice(HIDDEN.as_bytes());
            done = found.end();
        }
        let end = if is_cut { bytes.len() - self.cut_secret(&bytes[done..]) } else { bytes.len() };
        if done == 0 && end == bytes.len() {
            return Cow::Borrowed(bytes);
        }
        hidden.extend_from_slice(&bytes[done..end]);
        if end < bytes.len() {
            hidden.extend_from_slice(HIDDEN.as_bytes());
        }
        Cow::Owned(hidden)
    }

    /// How many bytes at the end of what was cut are the beginning of a secret.
    fn cut_secret(&self, bytes: &[u8]) -> usize {
        let longest = |form: &Vec<u8>| {
            let most = form.len().min(bytes.len());
            (MIN_SECRET_BYTES..=most).rev().find(|length| bytes.ends_with(&form[..*length])).unwrap_or(0)
        };
        self.forms.iter().map(longest).max().unwrap_or(0)
    }
}
