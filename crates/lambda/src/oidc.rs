//! The OpenID provider that people sign in at, from the environment variables of a function.

use std::sync::Arc;

use aws_types::SdkConfig;
use loanhook_aws::config::{Variables, WrongVariable};
use loanhook_oidc::{ClientSecret, OidcSettings, OidcSettingsError, Provider, read_rules};

const ISSUER: &str = "LOANHOOK_OIDC_ISSUER";
const CLIENT_ID: &str = "LOANHOOK_OIDC_CLIENT_ID";
const RULES: &str = "LOANHOOK_OIDC_GRANTS";

/// The provider in `LOANHOOK_OIDC_ISSUER` and the variables that go with it; none where that is not set. The client's secret is not in
/// the environment but in Secrets Manager, and is read there at the first sign-in.
///
/// # Errors
///
/// When a variable is wrong, or missing beside the issuer, or the issuer is missing beside another.
pub(crate) fn provider(
    variables: &Variables<'_>,
    config: &SdkConfig,
) -> Result<Option<Arc<Provider>>, WrongVariable> {
    let Some(issuer) = variables.get(ISSUER) else {
        return match [CLIENT_ID, RULES].into_iter().find(|name| variables.get(name).is_some()) {
            Some(name) => Err(WrongVariable::new(name, &format!("goes with {ISSUER}, which is missing"))),
            None => Ok(None),
        };
    };
    let rules = read_rules(&variables.get(RULES).unwrap_or_default());
    let rules = rules.map_err(|fault| WrongVariable::new(RULES, &format!("is wrong: {fault}")))?;
    let secret = match variables.get("LOANHOOK_OIDC_CLIENT_SECRET_ARN") {
        None => ClientSecret::None,
        Some(arn) => {
            let (config, arn) = (config.clone(), Arc::new(arn));
            ClientSecret::Kept(Arc::new(move || {
                let (config, arn) = (config.clone(), Arc::clone(&arn));
                Box::pin(async move { loanhook_aws::read_secret(&config, &arn).await })
            }))
        }
    };
    let client_id = variables.get(CLIENT_ID).unwrap_or_default();
    let scopes = variables.get("LOANHOOK_OIDC_SCOPES");
    let settings = OidcSettings::new(&issuer, &client_id, secret, scopes.as_deref(), rules);
    let settings = settings.map_err(|fault| {
        let name = match fault {
            OidcSettingsError::Issuer(_) => ISSUER,
            OidcSettingsError::NoClientId => CLIENT_ID,
            OidcSettingsError::NoRules => RULES,
        };
        WrongVariable::new(name, &format!("is wrong: {fault}"))
    })?;
    let provider =
        Provider::new(settings).map_err(|fault| WrongVariable::new(ISSUER, &format!("fails: {fault}")))?;
    Ok(Some(Arc::new(provider)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&'static str, &str)]) -> Result<Option<Arc<Provider>>, WrongVariable> {
        let variables = Variables::new(|asked| {
            set.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
        });
        provider(&variables, &SdkConfig::builder().build())
    }

    #[test]
    fn it_is_off_without_an_issuer() {
        assert!(read(&[]).expect("nothing").is_none());
        assert!(read(&[(ISSUER, ""), (CLIENT_ID, ""), (RULES, "")]).expect("nothing").is_none());
    }

    #[test]
    fn a_wrong_or_missing_variable_is_named() {
        let issuer = (ISSUER, "https://login.lender.example");
        let (client, rules) = ((CLIENT_ID, "loanhook"), (RULES, "groups=a acme history:read"));
        assert!(read(&[issuer, client, rules]).expect("settings").is_some());
        for (set, named) in [
            ([(ISSUER, "login.lender.example"), client, rules], ISSUER),
            ([issuer, (CLIENT_ID, ""), rules], CLIENT_ID),
            ([issuer, client, (RULES, "")], RULES),
            ([issuer, client, (RULES, "groups=a")], RULES),
            ([(ISSUER, ""), client, (RULES, "")], CLIENT_ID),
            ([(ISSUER, ""), (CLIENT_ID, ""), rules], RULES),
        ] {
            let wrong = read(&set).expect_err(named);
            assert!(wrong.to_string().starts_with(named), "{wrong}");
        }
    }
}
