//! Names against a name server on loopback that answers as it is told.

use super::*;
use crate::resolver::test_name_server::{AAAA, NameServer, Says};

/// A reading of a configuration that names this server, these hosts and this search list.
fn reader(server: &NameServer, hosts: &str, search: &[&str]) -> Reader {
    let search = search.iter().map(|domain| Name::from_ascii(domain).expect("a domain")).collect();
    let config = ResolverConfig::from_parts(None, search, vec![server.configured()]);
    let mut known = Hosts::default();
    known.read_hosts_conf(hosts.as_bytes()).expect("hosts");
    Reader::new(config, ResolverOpts::default(), known).expect("a resolver")
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().expect("an address")).collect()
}

#[tokio::test]
async fn the_addresses_of_both_families_are_found() {
    let server = NameServer::start().await;
    server.say("core.example.test", Says::Has(ips(&["192.0.2.1", "192.0.2.2", "2001:db8::1"]), 60));
    let found = reader(&server, "", &[]).addresses("core.example.test").await.expect("addresses");
    assert_eq!(found, ips(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_to_live() {
    let server = NameServer::start().await;
    server.say("kept.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    server.say("moving.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 0));
    let reader = reader(&server, "", &[]);
    for name in ["kept.example.test", "moving.example.test"] {
        for _ in 0..3 {
            assert_eq!(reader.addresses(name).await.expect("addresses").len(), 2);
        }
    }
    assert_eq!((server.asked("kept.example.test"), server.asked("moving.example.test")), (2, 6));
    server.say("moving.example.test", Says::Has(ips(&["192.0.2.9"]), 0));
    assert_eq!(reader.addresses("moving.example.test").await.expect("addresses"), ips(&["192.0.2.9"]));
}

#[tokio::test]
async fn the_hosts_file_comes_first_and_is_enough() {
    let server = NameServer::start().await;
    server.say("core.example.test", Says::Has(ips(&["192.0.2.1", "2001:db8::1"]), 60));
    let reader =
        reader(&server, "192.0.2.7 core.example.test Other # comment\n192.0.2.8 core.example.test\n", &[]);
    assert_eq!(
        reader.addresses("core.example.test").await.expect("addresses"),
        ips(&["192.0.2.7", "192.0.2.8"])
    );
    assert_eq!(reader.addresses("OTHER").await.expect("addresses"), ips(&["192.0.2.7"]));
    assert_eq!(server.asked("core.example.test"), 0);
}

#[tokio::test]
async fn localhost_is_loopbacks_without_asking() {
    let server = NameServer::start().await;
    let reader = reader(&server, "", &["corp.test"]);
    for name in ["localhost", "api.localhost", "localhost."] {
        assert_eq!(reader.addresses(name).await.expect("addresses"), ips(&["::1", "127.0.0.1"]), "{name}");
    }
    assert!(server.was_not_asked());
}

#[tokio::test]
async fn the_search_list_completes_short_names() {
    let server = NameServer::start().await;
    server.say("core.corp.test", Says::Has(ips(&["192.0.2.1"]), 60));
    let reader = reader(&server, "", &["corp.test"]);
    assert_eq!(reader.addresses("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    assert_eq!(server.asked("core"), 0, "a short name is completed first");
    assert!(
        reader.addresses("core.").await.expect("no addresses").is_empty(),
        "a whole name is taken as it is"
    );
}

#[tokio::test]
async fn a_search_domain_that_fails_is_not_the_end() {
    let server = NameServer::start().await;
    server.say("core.broken.test", Says::Fails);
    server.say("gone.broken.test", Says::Fails);
    server.say("core.corp.test", Says::Has(ips(&["192.0.2.1"]), 60));
    let reader = reader(&server, "", &["broken.test", "corp.test"]);
    assert_eq!(reader.addresses("core").await.expect("addresses"), ips(&["192.0.2.1"]));
    // It may have been this one that the failing domain has.
    let error = reader.addresses("gone").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
}

#[tokio::test]
async fn a_name_may_hold_underscores() {
    let server = NameServer::start().await;
    for name in ["loan_core.example.test", "_core.example.test", "core_.example.test"] {
        server.say(name, Says::Has(ips(&["192.0.2.1"]), 60));
        let found = reader(&server, "", &[]).addresses(name).await.expect("addresses");
        assert_eq!(found, ips(&["192.0.2.1"]), "{name}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_has_no_address() {
    let server = NameServer::start().await;
    assert!(reader(&server, "", &[]).addresses("gone.example.test").await.expect("an answer").is_empty());
}

#[tokio::test]
async fn a_name_server_that_fails_is_told() {
    let server = NameServer::start().await;
    server.say("broken.example.test", Says::Fails);
    let error = reader(&server, "", &[]).addresses("broken.example.test").await.expect_err("an error");
    assert!(error.to_string().contains("SERVFAIL"), "{error}");
    let error = reader(&server, "", &[]).addresses(&"x".repeat(64)).await.expect_err("an error");
    assert!(error.to_string().contains("not a name"), "{error}");
}

/// Some name servers never answer the question for the family that a name does not have.
#[tokio::test]
async fn a_family_without_an_answer_does_not_hold_up_the_other() {
    let server = NameServer::start().await;
    let address: IpAddr = "192.0.2.1".parse().expect("an address");
    server.say("half.example.test", Says::SilentFor(AAAA, address));
    let looking = reader(&server, "", &[]);
    let found = tokio::time::timeout(Duration::from_secs(4), looking.addresses("half.example.test")).await;
    assert_eq!(found.expect("within less than a name server's timeout").expect("addresses"), [address]);
}

#[tokio::test]
async fn the_files_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let (resolv, hosts) = (folder.path().join("resolv.conf"), folder.path().join("hosts"));
    std::fs::write(&hosts, "192.0.2.1 core.example.test\n").expect("written");
    let resolver = SystemResolver::of(Files::at(&resolv, &hosts)).expect("a missing resolv.conf is none");
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.1"]));

    std::fs::write(&hosts, "192.0.2.2 core.example.test\n").expect("written");
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    std::fs::File::open(&hosts).and_then(|file| file.set_modified(later)).expect("a later time");
    resolver.0.lock().expect("the configuration").checked = Instant::now() - CHECKED_EVERY;
    assert_eq!(resolver.resolve("core.example.test".into()).await.expect("found"), ips(&["192.0.2.2"]));
}

#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = SystemResolver::of(Files::at(folder.path(), "/dev/null")).err().expect("an error");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
