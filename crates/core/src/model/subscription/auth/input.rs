//! Authentication as its author gives it, and the rules that it must keep.

use std::collections::BTreeMap;

use super::{Auth, AuthKind, ClientStyle, OAuth2};
use crate::model::subscription::url_text::plain_url_fault;
use crate::model::subscription::write_only::{Moved, keep_stored};
use crate::model::validation::{ValidationErrors, pointer_segment};

const MAX_USERNAME_CHARS: usize = 256;
const MAX_SECRET_BYTES: usize = 4096;
const MAX_CLIENT_ID_BYTES: usize = 1024;
const MAX_SCOPES: usize = 100;
const MAX_SCOPE_BYTES: usize = 256;
const MAX_PARAMETERS: usize = 32;
const MAX_PARAMETER_NAME_BYTES: usize = 128;
/// The fields of the form that loanhook sets.
const OURS: [&str; 4] = ["grant_type", "client_id", "client_secret", "scope"];

/// `request.auth`, before any rule was checked.
#[derive(Clone)]
pub struct AuthInput {
    pub kind: AuthKind,
    pub username: Option<String>,
    /// `***` keeps the stored one; as each secret of these.
    pub password: Option<String>,
    pub token_url: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub style: Option<ClientStyle>,
    pub parameters: Option<BTreeMap<String, String>>,
}

impl std::fmt::Debug for AuthInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthInput").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The authentication, secrets that `***` keeps taken from the `stored` one; `moved` says where none is kept.
pub(in crate::model::subscription) fn check_auth(
    input: AuthInput,
    stored: Option<&Auth>,
    moved: Moved,
    errors: &mut ValidationErrors,
) -> Auth {
    match input.kind {
        AuthKind::Basic => basic(input, stored, moved, errors),
        AuthKind::OAuth2 => Auth::OAuth2(oauth2(input, stored, moved, errors)),
    }
}

fn basic(input: AuthInput, stored: Option<&Auth>, moved: Moved, errors: &mut ValidationErrors) -> Auth {
    let AuthInput {
        username, password, token_url, client_id, client_secret, scopes, style, parameters, ..
    } = input;
    for (name, is_there) in [
        ("tokenUrl", token_url.is_some()),
        ("clientId", client_id.is_some()),
        ("clientSecret", client_secret.is_some()),
        ("scopes", scopes.is_some()),
        ("style", style.is_some()),
        ("parameters", parameters.is_some()),
    ] {
        goes_with("oauth2", name, is_there, errors);
    }
    let username = required(username, "username", errors);
    let stored = match stored {
        Some(Auth::Basic { password, .. }) => Some(password),
        _ => None,
    };
    let password = required(password, "password", errors);
    let password = keep_stored(password, stored, moved, "/request/auth/password", errors);
    if username.chars().count() > MAX_USERNAME_CHARS {
        errors.add("/request/auth/username", format!("must have at most {MAX_USERNAME_CHARS} characters"));
    } else if username.contains(':') || username.chars().any(char::is_control) {
        errors.add("/request/auth/username", "must have no colon and no control characters");
    } else if username.is_empty() && password.is_empty() {
        errors.add("/request/auth/username", "must not be empty where the password is empty, too");
    }
    check_secret(&password, "/request/auth/password", errors);
    Auth::Basic { username, password }
}

fn oauth2(input: AuthInput, stored: Option<&Auth>, moved: Moved, errors: &mut ValidationErrors) -> OAuth2 {
    let AuthInput {
        username, password, token_url, client_id, client_secret, scopes, style, parameters, ..
    } = input;
    goes_with("basic", "username", username.is_some(), errors);
    goes_with("basic", "password", password.is_some(), errors);
    let stored = stored.and_then(Auth::oauth2);
    let token_url = required(token_url, "tokenUrl", errors);
    if let Some(fault) = plain_url_fault(&token_url).filter(|_| !token_url.is_empty()) {
        errors.add("/request/auth/tokenUrl", fault);
    }
    let client_id = required(client_id, "clientId", errors);
    if client_id.len() > MAX_CLIENT_ID_BYTES || !client_id.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        let fault = format!("must be 1 to {MAX_CLIENT_ID_BYTES} visible ASCII characters");
        errors.add("/request/auth/clientId", fault);
    }
    const SECRET: &str = "/request/auth/clientSecret";
    let client_secret = required(client_secret, "clientSecret", errors);
    let client_secret =
        keep_stored(client_secret, stored.map(|stored| &stored.client_secret), moved, SECRET, errors);
    check_secret(&client_secret, SECRET, errors);
    let scopes = scopes.unwrap_or_default();
    check_scopes(&scopes, errors);
    let parameters = parameters.unwrap_or_default();
    let parameters = check_parameters(parameters, stored.map(|stored| &stored.parameters), moved, errors);
    OAuth2 { token_url, client_id, client_secret, scopes, style: style.unwrap_or_default(), parameters }
}

fn goes_with(kind: &str, name: &str, is_there: bool, errors: &mut ValidationErrors) {
    if is_there {
        errors.add(
            format!("/request/auth/{name}"),
            format!("goes with the type {kind} only. A PATCH to another type sets it to null"),
        );
    }
}

/// The value, or an empty one, for which there is an error.
fn required(value: Option<String>, name: &str, errors: &mut ValidationErrors) -> String {
    let may_be_empty = matches!(name, "username" | "password");
    match value {
        Some(value) if may_be_empty || !value.is_empty() => value,
        _ => {
            errors.add(format!("/request/auth/{name}"), "is required");
            String::new()
        }
    }
}

fn check_secret(secret: &str, pointer: &str, errors: &mut ValidationErrors) {
    if secret.len() > MAX_SECRET_BYTES || secret.chars().any(char::is_control) {
        let fault = format!("must have at most {MAX_SECRET_BYTES} bytes, and no control characters");
        errors.add(pointer, fault);
    }
}

fn check_scopes(scopes: &[String], errors: &mut ValidationErrors) {
    if scopes.len() > MAX_SCOPES {
        errors.add("/request/auth/scopes", format!("must be at most {MAX_SCOPES}"));
    }
    for (index, scope) in scopes.iter().enumerate() {
        // RFC 6749, 3.3.
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if !(1..=MAX_SCOPE_BYTES).contains(&scope.len()) || !scope.bytes().all(is_allowed) {
            errors.add(
                format!("/request/auth/scopes/{index}"),
                format!(
                    "must be one scope of 1 to {MAX_SCOPE_BYTES} visible ASCII characters, without spaces, \" and \\"
                ),
            );
        }
    }
}

fn check_parameters(
    told: BTreeMap<String, String>,
    stored: Option<&BTreeMap<String, String>>,
    moved: Moved,
    errors: &mut ValidationErrors,
) -> BTreeMap<String, String> {
    if told.len() > MAX_PARAMETERS {
        errors.add("/request/auth/parameters", format!("must be at most {MAX_PARAMETERS}"));
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in told {
        let pointer = format!("/request/auth/parameters/{}", pointer_segment(&name));
        if OURS.contains(&name.as_str()) {
            errors.add(&pointer, "cannot be set here, as loanhook sets it itself");
        } else if !(1..=MAX_PARAMETER_NAME_BYTES).contains(&name.len()) || name.chars().any(char::is_control)
        {
            errors.add(
                &pointer,
                format!(
                    "must have a name of 1 to {MAX_PARAMETER_NAME_BYTES} bytes, without control characters"
                ),
            );
        }
        let known = stored.and_then(|stored| stored.get(&name));
        let value = keep_stored(value, known, moved, &pointer, errors);
        check_secret(&value, &pointer, errors);
        parameters.insert(name, value);
    }
    parameters
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
