//! The secret of the OpenID client, which the operator keeps in Secrets Manager.

use aws_types::SdkConfig;

use crate::items::call_errors::store_error;

/// The text of a secret of Secrets Manager, by its ARN. The client is made for the one call: it is made once in the life of most
/// functions that people sign in at.
///
/// # Errors
///
/// It cannot be read, or is no text; in a sentence that has nothing of it.
pub async fn read_secret(config: &SdkConfig, arn: &str) -> Result<String, String> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    let read = client.get_secret_value().secret_id(arn).send().await;
    let read =
        read.map_err(|failure| format!("Secrets Manager does not give {arn}: {}", store_error(failure)))?;
    let text = read.secret_string().map(str::trim).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| format!("{arn} of Secrets Manager has no text"))
}
