//! Environment: what it says about the export of spans, as far as the libraries of OpenTelemetry do not read it themselves.

use std::time::Duration;

use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use url::Url;

use crate::SpanExportError;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const PROTOCOL: &str = "http/protobuf";
/// By the specification of the exporter.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// That spans are exported, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    /// Of one request to the collector.
    pub(crate) timeout: Duration,
}

impl Environment {
    /// Reads the variables; none where they name no collector, or turn tracing off.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, SpanExportError> {
        // An empty variable is one that is not set.
        let value = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, value(name)?)));
        let is_off = value("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || value("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        let Some((name, endpoint)) = first(ENDPOINTS).filter(|_| !is_off) else { return Ok(None) };
        let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !Url::parse(&endpoint).is_ok_and(is_http) {
            return Err(SpanExportError::NoEndpoint(name));
        }
        if let Some((name, protocol)) = first(PROTOCOLS).filter(|(_, protocol)| protocol != PROTOCOL) {
            return Err(SpanExportError::Protocol(name, protocol));
        }
        let millis = first(TIMEOUTS).and_then(|(_, millis)| millis.parse().ok());
        Ok(Some(Self { timeout: millis.map_or(DEFAULT_TIMEOUT, Duration::from_millis) }))
    }
}

/// What the spans are of, by `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`: `loanhook` in its version where they do not
/// say otherwise.
pub(crate) fn resource() -> Resource {
    let told = Resource::builder().build();
    let named = told.get(&Key::from_static_str("service.name"));
    let is_named = named.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let resource = Resource::builder();
    let resource = if is_named { resource } else { resource.with_service_name("loanhook") };
    match told.get(&Key::from_static_str("service.version")) {
        Some(_) => resource.build(),
        None => resource.with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))).build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Environment>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Environment::read(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn without_an_endpoint_or_turned_off_nothing_is_exported() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        for variables in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[("OTEL_SERVICE_NAME", "loans"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            &[endpoint, ("OTEL_SDK_DISABLED", "TRUE")],
            &[endpoint, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(read(variables), Ok(None), "{variables:?}");
        }
    }

    #[test]
    fn an_endpoint_of_either_variable_turns_it_on() {
        let default = Ok(Some(Environment { timeout: Duration::from_secs(10) }));
        for name in ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] {
            assert_eq!(read(&[(name, "https://collector.example/v1/traces")]), default, "{name}");
        }
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        let timeouts =
            [endpoint, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "9")];
        assert_eq!(read(&timeouts), Ok(Some(Environment { timeout: Duration::from_millis(250) })));
        assert_eq!(read(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]), default);
    }

    #[test]
    fn what_cannot_be_exported_to_is_named_without_its_value() {
        for endpoint in ["localhost:4318", "collector", "ftp://collector", "http://"] {
            let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]).expect_err(endpoint);
            assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT must be a URL"), "{error}");
        }
        let grpc = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ];
        let error = read(&grpc).expect_err("another protocol");
        assert!(error.starts_with("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is `grpc`"), "{error}");
    }
}
