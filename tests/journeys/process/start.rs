//! Starts of the process: the key that a first start makes, and settings that it refuses or warns of.

use serde_json::json;

use crate::harness::server::{
    keys_in, loanhook_command, new_folder, run_to_exit, serve_command, start_error,
};
use crate::harness::{Api, Journey, Launch, Server, items_of};

#[tokio::test]
async fn a_first_start_on_a_port_in_use_creates_no_key() {
    let folder = new_folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").to_string();
    let mut command = loanhook_command();
    command.args(["serve", "--listen", &port, "--data"]).arg(folder.path().join("data"));
    let error = start_error(&run_to_exit(command).await);
    assert!(error.contains(&port) && keys_in(&error).is_empty(), "{error}");

    let unset = Launch { environment: Vec::new(), ..Launch::default() };
    let server = Server::own_process_in(&folder, unset).await;
    let keys = keys_in(&server.output());
    assert_eq!(keys.len(), 1, "the key is printed, once: {keys:?}");
    let listed = Api::new(&server, Some(&keys[0])).get("/v1/keys").await.expect_status(200).json();
    assert_eq!(items_of(&listed).len(), 1, "and there is no other: {listed}");
}

#[tokio::test]
async fn the_first_start_makes_a_key_and_prints_it_once() {
    let unset = Launch { environment: Vec::new(), ..Launch::default() };
    let Some(server) = Server::own_process_with(unset).await else { return };
    let output = server.output();
    let key = keys_in(&output).pop().unwrap_or_else(|| panic!("the key is printed: {output}"));
    assert_eq!(output.matches(key.as_str()).count(), 1);
    let keys = Api::new(&server, Some(&key)).get("/v1/keys").await.expect_status(200).json();
    assert_eq!(keys["items"][0]["tenant"], "default");
    server.kill();
    server.restart().await;
    assert_eq!(server.output().matches("lh_").count(), 1, "a second start makes no other, and prints none");
    Api::new(&server, Some(&key)).get("/v1/keys").await.expect_status(200);
}

#[tokio::test]
async fn invalid_settings_end_the_start_with_an_error() {
    let folder = new_folder();
    let with_key = |key: &str| Launch {
        environment: vec![("LOANHOOK_ADMIN_KEY".to_owned(), key.to_owned())],
        ..Launch::default()
    };
    let networks = |network: &str| Launch { allowed_networks: vec![network.to_owned()], ..Launch::default() };
    let event_ledger =
        Launch { arguments: ["--event-ledger", "some"].map(str::to_owned).to_vec(), ..Launch::default() };
    for launch in [
        event_ledger,
        with_key("short"),
        with_key("lh_short"),
        with_key("lh_has-a-dash-0123456789"),
        networks("127.0.0.0/33"),
        networks("x"),
    ] {
        let output = run_to_exit(serve_command(&folder.path().join("data"), &launch)).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(!error.trim().is_empty() && !error.contains("panicked"), "{error}");
        assert!(!error.contains("0123456789"), "no key is shown: {error}");
    }
}

#[tokio::test]
async fn the_event_ledger_flag_says_which_events_are_kept() {
    for (scope, kept) in [("all", 1), ("matched", 0), ("none", 0)] {
        let arguments = ["--event-ledger", scope].map(str::to_owned).to_vec();
        let launch = Launch { arguments, ..Launch::default() };
        let Some(server) = Server::own_process_with(launch).await else { return };
        let j = Journey::on_server(server).await;
        // Nothing matches it.
        j.api.send_event(&json!({"eventName": "Payment", "loanId": "727", "context": {}})).await;
        let events = j.api.get("/v1/loans/727/events").await.expect_status(200).json();
        assert_eq!(items_of(&events).len(), kept, "{scope}: {events}");
    }
}

#[tokio::test]
async fn listening_beyond_loopback_without_https_is_logged() {
    const WARNING: &str = "listen.in_clear";
    let listening = |arguments: &[&str]| Launch {
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        ..Launch::default()
    };
    for (arguments, warned) in [
        (&["--listen", "0.0.0.0:0"][..], true),
        (&["--listen", "[::]:0"], true),
        (&["--listen", "0.0.0.0:0", "--public-url", "http://hooks.example"], true),
        (&["--listen", "0.0.0.0:0", "--public-url", "https://hooks.example"], false),
        (&["--listen", "127.0.0.2:0"], false),
    ] {
        let Some(server) =
            Server::own_process_with(Launch { listen_is_in_arguments: true, ..listening(arguments) }).await
        else {
            return;
        };
        assert_eq!(
            server.output().matches(WARNING).count(),
            usize::from(warned),
            "{arguments:?}: {}",
            server.output()
        );
    }
}
