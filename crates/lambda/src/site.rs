//! The configuration of the pages, from the environment variables of a function.

use std::str::FromStr;

use loanhook_aws::config::{Variables, WrongVariable};
use loanhook_http::web::{SiteSettings, SiteSettingsError};

/// The configuration in `LOANHOOK_PUBLIC_URL` and `LOANHOOK_FRAME_ANCESTORS`; a variable that is not set has its default.
///
/// # Errors
///
/// When a variable is wrong.
pub fn site() -> Result<SiteSettings, WrongVariable> {
    read(&Variables::of_this_process())
}

fn read(variables: &Variables<'_>) -> Result<SiteSettings, WrongVariable> {
    Ok(SiteSettings {
        public_url: value(variables, "LOANHOOK_PUBLIC_URL")?,
        frame_ancestors: value(variables, "LOANHOOK_FRAME_ANCESTORS")?.unwrap_or_default(),
        provider: None,
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

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value) in [
            ("LOANHOOK_PUBLIC_URL", "hooks.lender.example"),
            ("LOANHOOK_FRAME_ANCESTORS", "https://lms.lender.example/path"),
        ] {
            let variables = Variables::new(|asked| (asked == name).then(|| value.to_owned()));
            let wrong = read(&variables).expect_err(name);
            assert!(wrong.to_string().starts_with(name), "{wrong}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_has_its_default() {
        let site = read(&Variables::new(|_| None)).expect("the defaults");
        assert!(site.public_url.is_none());
    }
}
