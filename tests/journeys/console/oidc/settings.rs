//! Settings of the sign-in at a provider: what is wrong with them ends the start, and what changes ends sessions.

use std::sync::Arc;

use super::{Browser, RULES};
use crate::harness::oidc_provider::OidcProvider;
use crate::harness::server::{new_folder, serve_command, start_error};
use crate::harness::{Journey, Launch, Server};
use crate::portal::visitor::Visitor;

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

#[tokio::test]
async fn a_session_of_a_person_ends_with_the_settings_by_which_they_signed_in() {
    let Some(provider) = OidcProvider::start() else { return };
    let folder = new_folder();
    let server = Server::own_process_in(&folder, provider.launch(&RULES)).await;
    let j = Journey::on_server(Arc::clone(&server)).await;
    let mut jane = Browser::new(&j);
    jane.sign_in("jane", "/").await.expect_status(303);
    server.stop().await;
    let (fewer, none) = (provider.launch(&RULES[1..]), Launch::default());
    // In another order they are the same rules.
    let reversed: Vec<_> = RULES.into_iter().rev().collect();
    for (launch, stands) in [(provider.launch(&reversed), true), (fewer, false), (none, false)] {
        let server = Server::own_process_in(&folder, launch).await;
        let j = Journey::on_server(Arc::clone(&server)).await;
        let mut visitor = Visitor::new(&j);
        visitor.cookies = jane.visitor.cookies.clone();
        for page in ["/", "/loans/727/webhooks", "/subscriptions/new"] {
            let answer = visitor.get(page).await;
            assert_eq!(answer.status == 200, stands, "{page}: {answer:?}");
            assert!(stands || answer.header("location").starts_with("/sign-in?"), "{page}: {answer:?}");
        }
        server.stop().await;
    }
}
