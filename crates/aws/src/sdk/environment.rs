//! What the environment of a function says about AWS: region, credentials and endpoints.
//!
//! Lambda puts them into environment variables, and so do the emulators of the tests. The SDK's own crate for it
//! (`aws-config`) also knows profiles, single sign-on, other roles and the metadata of machines and containers: that code
//! is loaded with the function and asked at each start, and it never answers there.

use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_types::origin::Origin;
use aws_types::sdk_config::{Builder, SdkConfig, SharedCredentialsProvider};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::config::Variables;

/// The variable of an endpoint; with the name of a service behind it, of that service's.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// A configuration with what these variables say
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>). Calls fail where the region or the
/// credentials are missing.
pub(super) fn configuration(variables: &Variables<'_>) -> Builder {
    let get = |name| variables.get(name);
    let mut config = SdkConfig::builder()
        .region(get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")).map(Region::new))
        .service_config(ServiceEndpoints);
    if let (Some(id), Some(secret)) = (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
        let credentials = Credentials::new(id, secret, get("AWS_SESSION_TOKEN"), None, "environment");
        config.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    }
    config.set_use_fips(get("AWS_USE_FIPS_ENDPOINT").and_then(|text| yes_or_no(&text)));
    config.set_use_dual_stack(get("AWS_USE_DUALSTACK_ENDPOINT").and_then(|text| yes_or_no(&text)));
    if let Some(endpoint) = get(ENDPOINT) {
        // So a service may have another.
        config.insert_origin("endpoint_url", Origin::shared_environment_variable());
        config.set_endpoint_url(Some(endpoint));
    }
    config
}

fn yes_or_no(text: &str) -> Option<bool> {
    text.to_ascii_lowercase().parse().ok()
}

/// The endpoints of single services, as `AWS_ENDPOINT_URL_DYNAMODB`.
#[derive(Debug)]
struct ServiceEndpoints;

impl LoadServiceConfig for ServiceEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != ENDPOINT {
            return None;
        }
        let service = key.service_id().to_ascii_uppercase().replace(' ', "_");
        std::env::var(format!("{ENDPOINT}_{service}")).ok().filter(|url| !url.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(set: &[(&'static str, &str)]) -> SdkConfig {
        let value = |name| set.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        configuration(&Variables::new(value)).build()
    }

    #[test]
    fn region_and_endpoint_are_those_of_the_variables() {
        let region = |set: &[_]| configured(set).region().map(ToString::to_string);
        assert_eq!(
            region(&[("AWS_REGION", "eu-1"), ("AWS_DEFAULT_REGION", "us-1")]).as_deref(),
            Some("eu-1")
        );
        assert_eq!(region(&[("AWS_DEFAULT_REGION", "us-1")]).as_deref(), Some("us-1"));
        assert_eq!(region(&[]), None);
        let config = configured(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]);
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        assert_eq!(configured(&[("AWS_ENDPOINT_URL", "")]).endpoint_url(), None);
    }

    #[test]
    fn kinds_of_endpoints_are_chosen_by_true_and_false_in_any_case() {
        for (text, wanted) in
            [("true", Some(true)), ("TRUE", Some(true)), ("False", Some(false)), ("1", None)]
        {
            let config = configured(&[("AWS_USE_FIPS_ENDPOINT", text), ("AWS_USE_DUALSTACK_ENDPOINT", text)]);
            assert_eq!((config.use_fips(), config.use_dual_stack()), (wanted, wanted), "{text}");
        }
    }

    #[test]
    fn credentials_need_both_an_id_and_a_secret() {
        let id = ("AWS_ACCESS_KEY_ID", "id");
        assert!(configured(&[id]).credentials_provider().is_none());
        assert!(configured(&[id, ("AWS_SECRET_ACCESS_KEY", "secret")]).credentials_provider().is_some());
    }
}
