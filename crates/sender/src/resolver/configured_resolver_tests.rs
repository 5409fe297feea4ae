//! The configured resolver against a name server on loopback with scripted answers.

use super::*;
use crate::resolver::test_name_server::{ScriptedAnswer, TYPE_AAAA, TestNameServer};

/// A resolver whose configuration has this name server, this hosts file and this search list.
fn configured(server: &TestNameServer, hosts_file: &str, search_list: &[&str]) -> ConfiguredResolver {
    let search_list = search_list.iter().map(|domain| Name::from_ascii(domain).expect("a domain")).collect();
    let config = ResolverConfig::from_parts(None, search_list, vec![server.config()]);
    let mut hosts = Hosts::default();
    hosts.read_hosts_conf(hosts_file.as_bytes()).expect("hosts");
    ConfiguredResolver::new(config, ResolverOpts::default(), hosts).expect("a resolver")
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

#[tokio::test]
async fn addresses_of_both_families_are_found() {
    let server = TestNameServer::start().await;
    server.answer_with(
        "core.example.test",
        ScriptedAnswer::Addresses(ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]), 60),
    );
    let found = configured(&server, "", &[]).resolve("core.example.test").await.expect("addresses");
    assert_eq!(found, ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
}

#[tokio::test]
async fn an_answer_is_cached_for_its_time_to_live() {
    let server = TestNameServer::start().await;
    server
        .answer_with("kept.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    server
        .answer_with("moving.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 0));
    let resolver = configured(&server, "", &[]);
    for name in ["kept.example.test", "moving.example.test"] {
        for _ in 0..3 {
            assert_eq!(resolver.resolve(name).await.expect("addresses").len(), 2);
        }
    }
    assert_eq!(
        (server.question_count("kept.example.test"), server.question_count("moving.example.test")),
        (2, 6)
    );
    server.answer_with("moving.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.9"]), 0));
    assert_eq!(resolver.resolve("moving.example.test").await.expect("addresses"), ips(&["192.0.2.9"]));
}

#[tokio::test]
async fn a_name_in_the_hosts_file_is_not_asked_for() {
    let server = TestNameServer::start().await;
    server
        .answer_with("core.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    let resolver = configured(
        &server,
        "192.0.2.7 core.example.test Other # comment\n192.0.2.8 core.example.test\n",
        &[],
    );
    assert_eq!(
        resolver.resolve("core.example.test").await.expect("addresses"),
        ips(&["192.0.2.7", "192.0.2.8"])
    );
    assert_eq!(resolver.resolve("OTHER").await.expect("addresses"), ips(&["192.0.2.7"]));
    assert_eq!(server.question_count("core.example.test"), 0);
}

#[tokio::test]
async fn localhost_is_a_loopback_address_without_a_question() {
    let server = TestNameServer::start().await;
    let resolver = configured(&server, "", &["corp.test"]);
    for name in ["localhost", "api.localhost", "localhost."] {
        assert_eq!(resolver.resolve(name).await.expect("addresses"), ips(&["::1", "127.0.0.1"]), "{name}");
    }
    assert!(server.received_no_questions());
}

#[tokio::test]
async fn the_search_list_completes_short_names() {
    let server = TestNameServer::start().await;
    server.answer_with("core.corp.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
    let resolver = configured(&server, "", &["corp.test"]);
    assert_eq!(resolver.resolve("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    assert_eq!(server.question_count("core"), 0, "a short name is completed first");
    assert!(
        resolver.resolve("core.").await.expect("no addresses").is_empty(),
        "a whole name is taken as it is"
    );
}

#[tokio::test]
async fn the_next_search_domain_is_tried_after_one_that_fails() {
    let server = TestNameServer::start().await;
    server.answer_with("core.broken.test", ScriptedAnswer::ServerFailure);
    server.answer_with("gone.broken.test", ScriptedAnswer::ServerFailure);
    server.answer_with("core.corp.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
    let resolver = configured(&server, "", &["broken.test", "corp.test"]);
    assert_eq!(resolver.resolve("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    // The failing domain may be the one that has this name.
    let error = resolver.resolve("gone").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
}

#[tokio::test]
async fn a_name_may_contain_underscores() {
    let server = TestNameServer::start().await;
    for name in ["loan_core.example.test", "_core.example.test", "core_.example.test"] {
        server.answer_with(name, ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
        let found = configured(&server, "", &[]).resolve(name).await.expect("addresses");
        assert_eq!(found, ips(&["192.0.2.1"]), "{name}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_address() {
    let server = TestNameServer::start().await;
    assert!(configured(&server, "", &[]).resolve("gone.example.test").await.expect("an answer").is_empty());
}

#[tokio::test]
async fn the_error_of_a_name_server_is_returned() {
    let server = TestNameServer::start().await;
    server.answer_with("broken.example.test", ScriptedAnswer::ServerFailure);
    let error = configured(&server, "", &[]).resolve("broken.example.test").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
    let error = configured(&server, "", &[]).resolve(&"x".repeat(64)).await.expect_err("an error");
    assert!(error.to_string().contains("not a name"), "{error}");
}

/// Some name servers never answer the question for the family that a name does not have.
#[tokio::test]
async fn a_missing_answer_for_one_address_family_does_not_delay_the_other() {
    let server = TestNameServer::start().await;
    let address: IpAddr = "192.0.2.1".parse().expect("an address");
    server.answer_with("half.example.test", ScriptedAnswer::SilentForType(TYPE_AAAA, address));
    let resolver = configured(&server, "", &[]);
    let found = tokio::time::timeout(Duration::from_secs(4), resolver.resolve("half.example.test")).await;
    assert_eq!(found.expect("within less than a name server's timeout").expect("addresses"), [address]);
}
