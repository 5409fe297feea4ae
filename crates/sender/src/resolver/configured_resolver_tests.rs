//! Names against a name server on loopback that answers as it is told.

use super::*;
use crate::resolver::test_name_server::{AAAA, ScriptedAnswer, TestNameServer};

/// A reading of a configuration that names this server, these hosts and this search list.
fn reader(server: &TestNameServer, hosts: &str, search: &[&str]) -> ConfiguredResolver {
    let search = search.iter().map(|domain| Name::from_ascii(domain).expect("a domain")).collect();
    let config = ResolverConfig::from_parts(None, search, vec![server.config()]);
    let mut known = Hosts::default();
    known.read_hosts_conf(hosts.as_bytes()).expect("hosts");
    ConfiguredResolver::new(config, ResolverOpts::default(), known).expect("a resolver")
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

#[tokio::test]
async fn the_addresses_of_both_families_are_found() {
    let server = TestNameServer::start().await;
    server.answer_with(
        "core.example.test",
        ScriptedAnswer::Addresses(ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]), 60),
    );
    let found = reader(&server, "", &[]).resolve("core.example.test").await.expect("addresses");
    assert_eq!(found, ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_to_live() {
    let server = TestNameServer::start().await;
    server
        .answer_with("kept.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    server
        .answer_with("moving.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 0));
    let reader = reader(&server, "", &[]);
    for name in ["kept.example.test", "moving.example.test"] {
        for _ in 0..3 {
            assert_eq!(reader.resolve(name).await.expect("addresses").len(), 2);
        }
    }
    assert_eq!(
        (server.question_count("kept.example.test"), server.question_count("moving.example.test")),
        (2, 6)
    );
    server.answer_with("moving.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.9"]), 0));
    assert_eq!(reader.resolve("moving.example.test").await.expect("addresses"), ips(&["192.0.2.9"]));
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_is_enough() {
    let server = TestNameServer::start().await;
    server
        .answer_with("core.example.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    let reader =
        reader(&server, "192.0.2.7 core.example.test Other # comment\n192.0.2.8 core.example.test\n", &[]);
    assert_eq!(
        reader.resolve("core.example.test").await.expect("addresses"),
        ips(&["192.0.2.7", "192.0.2.8"])
    );
    assert_eq!(reader.resolve("OTHER").await.expect("addresses"), ips(&["192.0.2.7"]));
    assert_eq!(server.question_count("core.example.test"), 0);
}

#[tokio::test]
async fn localhost_is_loopbacks_without_asking() {
    let server = TestNameServer::start().await;
    let reader = reader(&server, "", &["corp.test"]);
    for name in ["localhost", "api.localhost", "localhost."] {
        assert_eq!(reader.resolve(name).await.expect("addresses"), ips(&["::1", "127.0.0.1"]), "{name}");
    }
    assert!(server.received_no_questions());
}

#[tokio::test]
async fn the_search_list_completes_short_names() {
    let server = TestNameServer::start().await;
    server.answer_with("core.corp.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
    let reader = reader(&server, "", &["corp.test"]);
    assert_eq!(reader.resolve("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    assert_eq!(server.question_count("core"), 0, "a short name is completed first");
    assert!(
        reader.resolve("core.").await.expect("no addresses").is_empty(),
        "a whole name is taken as it is"
    );
}

#[tokio::test]
async fn a_search_domain_that_fails_is_not_the_end() {
    let server = TestNameServer::start().await;
    server.answer_with("core.broken.test", ScriptedAnswer::ServerFailure);
    server.answer_with("gone.broken.test", ScriptedAnswer::ServerFailure);
    server.answer_with("core.corp.test", ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
    let reader = reader(&server, "", &["broken.test", "corp.test"]);
    assert_eq!(reader.resolve("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    // It may have been this one that the failing domain has.
    let error = reader.resolve("gone").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
}

#[tokio::test]
async fn a_name_may_hold_underscores() {
    let server = TestNameServer::start().await;
    for name in ["loan_core.example.test", "_core.example.test", "core_.example.test"] {
        server.answer_with(name, ScriptedAnswer::Addresses(ips(&["192.0.2.1"]), 60));
        let found = reader(&server, "", &[]).resolve(name).await.expect("addresses");
        assert_eq!(found, ips(&["192.0.2.1"]), "{name}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_address() {
    let server = TestNameServer::start().await;
    assert!(reader(&server, "", &[]).resolve("gone.example.test").await.expect("an answer").is_empty());
}

#[tokio::test]
async fn a_name_server_that_fails_is_told() {
    let server = TestNameServer::start().await;
    server.answer_with("broken.example.test", ScriptedAnswer::ServerFailure);
    let error = reader(&server, "", &[]).resolve("broken.example.test").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
    let error = reader(&server, "", &[]).resolve(&"x".repeat(64)).await.expect_err("an error");
    assert!(error.to_string().contains("not a name"), "{error}");
}

/// Some name servers never answer the question for the family that a name does not have.
#[tokio::test]
async fn a_family_without_an_answer_does_not_hold_up_the_other() {
    let server = TestNameServer::start().await;
    let address: IpAddr = "192.0.2.1".parse().expect("an address");
    server.answer_with("half.example.test", ScriptedAnswer::SilentForType(AAAA, address));
    let looking = reader(&server, "", &[]);
    let found = tokio::time::timeout(Duration::from_secs(4), looking.resolve("half.example.test")).await;
    assert_eq!(found.expect("within less than a name server's timeout").expect("addresses"), [address]);
}

#[tokio::test]
async fn the_files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (resolv, hosts) = (folder.path().join("resolv.conf"), folder.path().join("hosts"));
    std::fs::write(&hosts, "192.0.2.1 core.example.test\n").expect("written");
    let resolver =
        SystemResolver::of(ResolverFiles::at(&resolv, &hosts)).expect("a missing resolv.conf is none");
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.1"]));

    std::fs::write(&hosts, "192.0.2.2 core.example.test\n").expect("written");
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    std::fs::File::open(&hosts).and_then(|file| file.set_modified(later)).expect("a later time");
    resolver.0.lock().expect("the configuration").checked_at = Instant::now() - CHANGE_CHECK_INTERVAL;
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.2"]));
}

#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = SystemResolver::of(ResolverFiles::at(folder.path(), "/dev/null")).err().expect("an error");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
