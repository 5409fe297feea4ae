//! The configuration of the pages, from the environment variables of a function.

use std::str::FromStr;

use aws_types::SdkConfig;
use loanhook_aws::config::{Variables, WrongVariable};
use loanhook_http::web::{SiteSettings, SiteSettingsError};
use tracing::error;

use crate::oidc;

/// The configuration in `LOANHOOK_PUBLIC_URL`, `LOANHOOK_FRAME_ANCESTORS` and the variables of the OpenID provider; a variable that is not set has its default.
/// Where those of the provider are wrong, there is no provider, and the log says why.
///
/// # Errors
///
/// When one of the other variables is wrong.
pub fn site(config: &SdkConfig) -> Result<SiteSettings, WrongVariable> {
    read(&Variables::of_this_process(), config)
}

fn read(variables: &Variables<'_>, config: &SdkConfig) -> Result<SiteSettings, WrongVariable> {
    // Everything else of the function goes on without it. The sign-in page says so.
    let provider = oidc::provider(variables, config);
    if let Err(wrong) = &provider {
        error!(%wrong, "oidc.wrong_settings");
    }
    Ok(SiteSettings {
        public_url: value(variables, "LOANHOOK_PUBLIC_URL")?,
        frame_ancestors: value(variables, "LOANHOOK_FRAME_ANCESTORS")?.unwrap_or_default(),
        provider_is_set_up_wrongly: provider.is_err(),
        provider: provider.unwrap_or_default(),
    })
}

/// The value of a variable, if it is set.
fn value<T: FromStr<Err = SiteSettingsError>>(
    variables: &Variables<'_>,
    name: &'static str,
) -> Result<Option<T>, WrongVariable> {
    let read = variables.get(name).map(|text| text.parse().map_err(|fault: SiteSettingsError| (name, fault)));
    read.transpose().map_err(|(name, fault)| WrongVariable::new(name, &fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SdkConfig {
        SdkConfig::builder().build()
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value) in [
            ("LOANHOOK_PUBLIC_URL", "hooks.lender.example"),
            ("LOANHOOK_FRAME_ANCESTORS", "https://lms.lender.example/path"),
        ] {
            let variables = Variables::new(|asked| (asked == name).then(|| value.to_owned()));
            let wrong = read(&variables, &config()).expect_err(name);
            assert!(wrong.to_string().starts_with(name), "{wrong}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_has_its_default() {
        let site = read(&Variables::new(|_| None), &config()).expect("the defaults");
        assert!(site.public_url.is_none() && site.provider.is_none() && !site.provider_is_set_up_wrongly);
    }

    #[test]
    fn wrong_settings_of_the_provider_leave_the_rest_as_it_is() {
        let variables = Variables::new(|asked| match asked {
            "LOANHOOK_PUBLIC_URL" => Some("https://hooks.lender.example".to_owned()),
            "LOANHOOK_OIDC_ISSUER" => Some("https://login.lender.example".to_owned()),
            "LOANHOOK_OIDC_CLIENT_ID" => Some("loanhook".to_owned()),
            "LOANHOOK_OIDC_GRANTS" => Some("groups=a".to_owned()),
            _ => None,
        });
        let site = read(&variables, &config()).expect("the rest");
        assert!(site.public_url.is_some() && site.provider.is_none() && site.provider_is_set_up_wrongly);
    }
}
