//! A process that has no file descriptors left.

use std::{env, fs::File, process::Stdio};

use tokio::{join, process::Command};

use super::{
    client, post,
    scripted_receiver::{OK, Receiver},
    send, whole_response,
};

const CHILD: &str = "LOANHOOK_TEST_WITHOUT_DESCRIPTORS";

/// The limit holds for a whole process, so a child process gets one.
#[tokio::test]
async fn without_descriptors_nothing_is_sent_and_idle_connections_are_closed() {
    let command = "ulimit -n 64 && exec \"$0\" --exact tests::descriptor_exhaustion::sends_without_descriptors --nocapture";
    let mut child = Command::new("sh");
    child.arg("-c").arg(command).arg(env::current_exe().expect("this test")).env(CHILD, "1");
    let output = child.stdin(Stdio::null()).output().await.expect("a child");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
}

/// What the child process runs. Without the variable it does nothing.
#[tokio::test]
async fn sends_without_descriptors() {
    if env::var(CHILD).is_err() {
        return;
    }
    let fill = || std::iter::from_fn(|| File::open("/dev/null").ok()).collect::<Vec<_>>();
    let receiver = Receiver::start().await;
    let client = client();
    let mut request = post(&receiver.url("/"), "{}");
    request.fresh_connection = true;

    let held = fill();
    let not_sent = client.send_http(request.clone()).await.expect_err("no descriptor is left").to_string();
    assert!(not_sent.contains("file descriptors"), "{not_sent}");
    drop(held);

    let (outcome, (_, kept)) = join!(send(&client, request.clone()), receiver.respond(OK));
    whole_response(outcome);
    // One is for the receiver's end of the next connection. Ours must come from the idle connection.
    let mut held = fill();
    held.pop();
    let (outcome, ()) = join!(send(&client, request.clone()), async {
        kept.assert_closed().await;
        receiver.respond(OK).await;
    });
    assert_eq!(whole_response(outcome).status, 200);
}
