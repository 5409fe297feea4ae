//! The configuration of the pages, from the environment variables of a function.

use std::str::FromStr;

use aws_types::SdkConfig;
use loanhook_aws::config::{Variables, WrongVariable};
use loanhook_http::web::{SiteSettings, SiteSettingsError};

use crate::oidc;

/// The configuration in `LOANHOOK_PUBLIC_URL`, `LOANHOOK_FRAME_ANCESTORS` and the variables of the OpenID provider; a variable that is not set has its default.
///
/// # Errors
///
/// When a variable is wrong.
pub fn site(config: &SdkConfig) -> Result<SiteSettings, WrongVariable> {
    read(&Variables::of_this_process(), config)
}

fn read(variables: &Variables<'_>, config: &SdkConfig) -> Result<SiteSettings, WrongVariable> {
    Ok(SiteSettings {
        public_url: value(variables, "LOANHOOK_PUBLIC_URL")?,
        frame_ancestors: value(variables, "LOANHOOK_FRAME_ANCESTORS")?.unwrap_or_default(),
        provider: oidc::provider(variables, config)?,
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
        assert!(site.public_url.is_none());
    }
}
