//! Settings of the sign-in at a provider: what is wrong with them ends the start.

use crate::harness::Launch;
use crate::harness::server::{serve_command, start_error};

const RULE: &str = "groups=servicing acme history:read";

/// The standard error of a start with these flags, which must fail.
#[track_caller]
fn failed_start(flags: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = flags.iter().map(ToString::to_string).collect();
    let launch = Launch { arguments, ..Launch::default() };
    serve_command(folder.path(), &launch).output().expect("it runs")
}

#[test]
fn settings_that_do_not_fit_together_end_the_start() {
    let issuer = ["--oidc-issuer", "https://login.lender.example"];
    let client = ["--oidc-client-id", "loanhook"];
    let grant = ["--oidc-grant", RULE];
    for (flags, said) in [
        ([&client[..], &grant].concat(), "--oidc-issuer is missing"),
        ([&issuer[..], &grant].concat(), "the client ID is missing"),
        ([&issuer[..], &client].concat(), "there is no rule of access"),
        (
            [&["--oidc-issuer", "http://login.lender.example"][..], &client, &grant].concat(),
            "https, or http on this machine",
        ),
        (
            [&["--oidc-issuer", "login.lender.example"][..], &client, &grant].concat(),
            "`login.lender.example`",
        ),
        (
            [&issuer[..], &client, &grant, &["--oidc-client-secret-file", "/no/such/file"]].concat(),
            "the client secret cannot be read from /no/such/file",
        ),
    ] {
        let error = start_error(&failed_start(&flags));
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn a_rule_that_is_none_ends_the_start() {
    for (rule, said) in [
        ("groups=servicing", "CLAIM=VALUE, tenant, scopes"),
        ("groups acme history:read", "CLAIM=VALUE, tenant, scopes"),
        ("groups=servicing Acme history:read", "`Acme` is no tenant"),
        ("groups=servicing acme history:write", "`history:write`"),
        ("groups=servicing acme operator", "`operator`"),
        ("groups=servicing acme history:read,admin,operator", "`"),
    ] {
        let ended = failed_start(&["--oidc-grant", rule]);
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        let said_it = String::from_utf8_lossy(&ended.stderr);
        assert!(said_it.contains(said), "{said}: {said_it}");
    }
}
