//! The OpenID provider that people sign in at, as it is given to `serve`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use loanhook_oidc::{AccessRule, ClientSecret, OidcSettings, Provider, read_rules};

use super::environment_secrets::{EnvironmentSecrets, OIDC_CLIENT_SECRET};

#[derive(Debug, Args)]
pub(crate) struct OidcArgs {
    // No doc comments where rustdoc would want an address to be a link.
    #[arg(
        long,
        value_name = "URL",
        env = "LOANHOOK_OIDC_ISSUER",
        help = "The OpenID provider that people sign in at, beside API keys: its issuer, such as https://login.lender.example"
    )]
    oidc_issuer: Option<String>,
    /// The ID that the provider gave loanhook
    #[arg(long, value_name = "ID", env = "LOANHOOK_OIDC_CLIENT_ID")]
    oidc_client_id: Option<String>,
    /// The secret that it gave with it; others on this machine can read it here: better LOANHOOK_OIDC_CLIENT_SECRET or a file [default: none, PKCE alone]
    #[arg(long, value_name = "SECRET")]
    oidc_client_secret: Option<String>,
    /// A file with that secret
    #[arg(long, value_name = "FILE", env = "LOANHOOK_OIDC_CLIENT_SECRET_FILE")]
    oidc_client_secret_file: Option<PathBuf>,
    /// What to ask the provider for, besides openid: names between spaces, such as groups where the provider wants that [default: profile email]
    #[arg(long, value_name = "SCOPES", env = "LOANHOOK_OIDC_SCOPES")]
    oidc_scopes: Option<String>,
    /// Which claim with which value opens which tenant: CLAIM=VALUE TENANT SCOPES, such as 'groups=servicing acme history:read,webhooks:resend' (repeatable, or with ; between them)
    #[arg(long, value_name = "RULE", env = "LOANHOOK_OIDC_GRANTS")]
    oidc_grant: Vec<Rules>,
}

#[derive(Debug, Clone)]
struct Rules(Vec<AccessRule>);

impl std::str::FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read_rules(text).map(Self).map_err(|error| error.to_string())
    }
}

impl OidcArgs {
    /// The provider; none where none is named.
    ///
    /// # Errors
    ///
    /// A setting is wrong or missing, or the file of the secret cannot be read; in a sentence.
    pub(super) fn provider(self, secrets: &EnvironmentSecrets) -> Result<Option<Arc<Provider>>, String> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let secret = self.client_secret(secrets)?;
        let client_id = given(self.oidc_client_id);
        let rules: Vec<_> = self.oidc_grant.into_iter().flat_map(|rules| rules.0).collect();
        let Some(issuer) = given(self.oidc_issuer) else {
            let others = client_id.is_some() || !rules.is_empty() || !matches!(secret, ClientSecret::None);
            return if others {
                Err("--oidc-issuer is missing: the other settings of OpenID Connect go with it".to_owned())
            } else {
                Ok(None)
            };
        };
        let scopes = given(self.oidc_scopes);
        let settings =
            OidcSettings::new(&issuer, &client_id.unwrap_or_default(), secret, scopes.as_deref(), rules);
        let settings =
            settings.map_err(|error| format!("{error} (--oidc-issuer, --oidc-client-id, --oidc-grant)"))?;
        Provider::new(settings).map(|provider| Some(Arc::new(provider)))
    }

    fn client_secret(&self, secrets: &EnvironmentSecrets) -> Result<ClientSecret, String> {
        let of_file = match &self.oidc_client_secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| {
                    format!("the client secret cannot be read from {}: {error}", file.display())
                })?;
                Some(text.trim().to_owned())
            }
            None => None,
        };
        let named = secrets.get(OIDC_CLIENT_SECRET).map(str::to_owned);
        let mut given = [self.oidc_client_secret.clone(), of_file, named].into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(_), Some(_)) => Err(format!(
                "the client secret is given more than once: leave all but one of --oidc-client-secret, \
                 --oidc-client-secret-file and {OIDC_CLIENT_SECRET} out"
            )),
            (Some(secret), None) if secret.is_empty() => {
                Err("the client secret is empty: leave it out for a client that has none".to_owned())
            }
            (Some(secret), None) => Ok(ClientSecret::Known(secret)),
            (None, _) => Ok(ClientSecret::None),
        }
    }
}
