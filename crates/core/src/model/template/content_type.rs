//! Content types of a body, as far as values are escaped for them.

use super::Body;

impl Body {
    /// A body of this content type. Its parameters do not count, nor does its case. `json` alone is no media type,
    /// and is sent as it was set; whoever sets it means JSON.
    pub(super) fn of(content_type: &str) -> Self {
        // Some write parameters without the semicolon.
        let essence = content_type.trim().split([';', ',', ' ', '\t']).next().unwrap_or_default();
        let essence = essence.to_ascii_lowercase();
        let own = essence.split_once('/').map_or(essence.as_str(), |(_, own)| own);
        let suffix = own.rsplit_once('+').map_or("", |(_, suffix)| suffix);
        match (own, suffix) {
            ("x-www-form-urlencoded", _) => Self::Form,
            ("json" | "x-json", _) => Self::Json,
            ("ndjson" | "x-ndjson" | "jsonl" | "jsonlines" | "x-jsonlines" | "json-seq", _)
            | ("stream+json", _)
            | (_, "json-seq") => Self::JsonTexts,
            (_, "json") => Self::Json,
            ("xml", _) | (_, "xml") => Self::Xml,
            _ => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_by_content_type() {
        for (content_type, body) in [
            ("application/json", Body::Json),
            ("Application/JSON; Charset=UTF-8", Body::Json),
            ("application/json charset=utf-8", Body::Json),
            (" text/json ;x=\"a/b\"", Body::Json),
            ("application/vnd.api+json", Body::Json),
            ("application/problem+JSON;v=1", Body::Json),
            ("application/x-json", Body::Json),
            ("json", Body::Json),
            ("JSON; charset=utf-8", Body::Json),
            ("application/x-ndjson", Body::JsonTexts),
            ("application/X-NDJSON; charset=utf-8", Body::JsonTexts),
            ("application/ndjson", Body::JsonTexts),
            ("application/jsonl", Body::JsonTexts),
            ("application/json-seq", Body::JsonTexts),
            ("application/geo+json-seq", Body::JsonTexts),
            ("application/stream+json", Body::JsonTexts),
            ("application/x-www-form-urlencoded; charset=utf-8", Body::Form),
            ("text/xml", Body::Xml),
            ("application/soap+xml; action=\"json\"", Body::Xml),
            ("text/plain; x=application/json", Body::Plain),
            ("application/jsonp", Body::Plain),
            ("text/csv", Body::Plain),
            ("", Body::Plain),
        ] {
            assert_eq!(Body::of(content_type), body, "{content_type:?}");
        }
    }
}
