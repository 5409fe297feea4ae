//! The bytes of an exported list, part after part. The header line of CSV is that of the first part.

use bytes::Bytes;
use reqwest::header::LINK;
use url::Url;

use crate::client::{ApiClient, Call};
use crate::error::{CommandError, CommandResult};

pub(super) struct Parts {
    /// Of the first part, until it is asked for.
    first: Option<Call>,
    /// The answer that is being read.
    answer: Option<Answer>,
    /// The part after that.
    next: Option<Url>,
    media_type: Option<&'static str>,
    has_header: bool,
}

struct Answer {
    response: reqwest::Response,
    /// The header line of this part is still to be left out.
    header_is_left: bool,
}

impl Parts {
    /// All parts of the list of this call. With `has_header` each begins with a header line.
    pub(super) fn new(call: Call, has_header: bool) -> Self {
        Self { media_type: call.media_type(), first: Some(call), answer: None, next: None, has_header }
    }

    /// The bytes that come next; none at the end of the list.
    pub(super) async fn next(&mut self, client: &ApiClient) -> CommandResult<Option<Bytes>> {
        loop {
            if let Some(answer) = &mut self.answer {
                match answer.read().await? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => self.answer = None,
                }
            }
            let (response, header_is_left) = match (self.first.take(), self.next.take()) {
                (Some(call), _) => (client.open(&call).await?, false),
                (None, Some(url)) => (client.open_url(url, self.media_type).await?, self.has_header),
                (None, None) => return Ok(None),
            };
            let links = response.headers().get_all(LINK).iter().filter_map(|value| value.to_str().ok());
            self.next = links.filter_map(next_link).find_map(|link| response.url().join(link).ok());
            self.answer = Some(Answer { response, header_is_left });
        }
    }
}

impl Answer {
    async fn read(&mut self) -> CommandResult<Option<Bytes>> {
        loop {
            let chunk = self.response.chunk().await.map_err(|error| broken_off(&error))?;
            let Some(mut bytes) = chunk else { return Ok(None) };
            if self.header_is_left {
                // No name of a column has a line break.
                let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { continue };
                bytes = bytes.slice(end + 1..);
                self.header_is_left = false;
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }
}

/// The target of a link with `rel="next"`, of a header that has one link.
fn next_link(header: &str) -> Option<&str> {
    let (target, parameters) = header.trim().strip_prefix('<')?.split_once('>')?;
    let mut parameters = parameters.split(';').map(str::trim);
    parameters.any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next")).then_some(target)
}

/// An answer did not come to its end.
fn broken_off(error: &reqwest::Error) -> CommandError {
    let why = if error.is_timeout() { "it took too long" } else { "the answer broke off" };
    CommandError::Message(format!("the export is incomplete: {why}; what was written is a part of the list"))
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn the_next_part_is_what_a_link_says() {
        for (header, target) in [
            ("<?cursor=abc>; rel=\"next\"", Some("?cursor=abc")),
            ("</v1/webhooks?cursor=abc>;rel=next", Some("/v1/webhooks?cursor=abc")),
            ("<?cursor=abc>; title=\"x\"; rel=\"next\"", Some("?cursor=abc")),
            ("<?cursor=abc>; rel=\"prev\"", None),
            ("?cursor=abc; rel=\"next\"", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), target, "{header}");
        }
    }
}
