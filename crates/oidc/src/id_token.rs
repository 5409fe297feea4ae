//! The check of an ID token.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{ClaimsVerificationError, ClientId, Nonce, SignatureVerificationError};
use serde_json::Value;

use crate::claims::Claims;
use crate::known_provider::Known;

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(60);

/// Signatures by a key that the provider alone has. Not HMAC: whoever knows the client's secret could sign.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why an ID token does not stand. No sentence has anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    #[error("it is signed with a key that the provider does not name")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it is of another sign-in")]
    Nonce,
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("it has another form than an ID token")]
    Form,
}

/// The subject and all claims of an ID token that stands.
pub(crate) fn verify(
    token: &CoreIdToken,
    known: &Known,
    (client_id, nonce): (&str, &str),
) -> Result<(String, Claims), IdTokenFault> {
    let (now, client) = (SystemTime::now(), ClientId::new(client_id.to_owned()));
    let (earliest_end, latest_begin): (DateTime<Utc>, DateTime<Utc>) =
        ((now - LEEWAY).into(), (now + LEEWAY).into());
    let issuer = known.metadata.issuer().clone();
    let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, (*known.keys).clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earliest_end)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= latest_begin { Ok(()) } else { Err("issued later than now".to_owned()) }
        })
        // Some providers name more than us. Then `azp` must name us, which is checked below.
        .set_other_audience_verifier_fn(|_| true);
    let verified = token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| fault(&error))?;
    let claims = claims_of(token).ok_or(IdTokenFault::Form)?;
    let authorized_party = verified.authorized_party().map(|party| party.as_str());
    let is_ours = authorized_party.map_or(verified.audiences().len() == 1, |party| party == client_id);
    if !is_ours {
        return Err(IdTokenFault::Audience);
    }
    let begins = claims.get("nbf").and_then(Value::as_f64);
    if begins.is_some_and(|begins| begins > latest_begin.timestamp() as f64) {
        return Err(IdTokenFault::Time);
    }
    Ok((verified.subject().as_str().to_owned(), claims))
}

/// The claims of a token, as its JSON has them.
fn claims_of(token: &CoreIdToken) -> Option<Claims> {
    let text = token.to_string();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok().map(Claims::new)
}

fn fault(error: &ClaimsVerificationError) -> IdTokenFault {
    match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            IdTokenFault::UnknownKey
        }
        ClaimsVerificationError::SignatureVerification(_) => IdTokenFault::Signature,
        ClaimsVerificationError::InvalidIssuer(_) => IdTokenFault::Issuer,
        ClaimsVerificationError::InvalidAudience(_) => IdTokenFault::Audience,
        ClaimsVerificationError::InvalidNonce(_) => IdTokenFault::Nonce,
        ClaimsVerificationError::Expired(_) => IdTokenFault::Time,
        _ => IdTokenFault::Form,
    }
}
