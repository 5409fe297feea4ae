//! A machine that lacks what it takes to send.

use std::{env, fs::File, process::Stdio};

use tokio::{join, process::Command};

use super::{
    answer, client, post,
    receiver::{OK, Receiver},
    send,
};

const CHILD: &str = "LOANHOOK_TEST_WITHOUT_DESCRIPTORS";

/// What a process may open is changed for all of it, so a child's is changed.
#[tokio::test]
async fn a_process_without_descriptors_sends_nothing_and_goes_on() {
    let limited = "ulimit -n 64 && exec \"$0\" --exact tests::lacking::sends_without_descriptors --nocapture";
    let mut child = Command::new("sh");
    child.arg("-c").arg(limited).arg(env::current_exe().expect("this test")).env(CHILD, "1");
    let output = child.stdin(Stdio::null()).output().await.expect("a child");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What the child runs; of itself, this is nothing.
#[tokio::test]
async fn sends_without_descriptors() {
    if env::var(CHILD).is_err() {
        return;
    }
    let fill = || std::iter::from_fn(|| File::open("/dev/null").ok()).collect::<Vec<_>>();
    let receiver = Receiver::start().await;
    let client = client();
    let mut outgoing = post(&receiver.url("/"), "{}");
    outgoing.fresh_connection = true;

    let held = fill();
    let not_sent = client.send(outgoing.clone()).await.expect_err("nothing left").to_string();
    assert!(not_sent.contains("file descriptors"), "{not_sent}");
    drop(held);

    let (sent, (_, kept)) = join!(send(&client, outgoing.clone()), receiver.answer(OK));
    answer(sent);
    // One for the receiver's end of the next connection; what waits must give its own for ours.
    let mut held = fill();
    held.pop();
    let (sent, ()) = join!(send(&client, outgoing.clone()), async {
        kept.until_closed().await;
        receiver.answer(OK).await;
    });
    assert_eq!(answer(sent).status, 200);
}
