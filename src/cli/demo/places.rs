//! Where a person can look around while the demo stays up.

use crate::cli::{Outcome, out};

/// The loan to which most of the sample events belong.
const LOAN: &str = "727";

/// The address of the loan's history.
fn loan_page(base: &str) -> String {
    format!("{base}/v1/loans/{LOAN}/webhooks")
}

pub(super) fn print(base: &str, key: &str) -> Outcome {
    let page = loan_page(base);
    out::line(format_args!(
        "
Loan {LOAN}'s history: {page}

Look around, from another terminal:

  export LOANHOOK_URL={base} LOANHOOK_KEY={key}
  loanhook history {LOAN}
  loanhook history {LOAN} --outcome failed --wide
  loanhook subscriptions list
  curl -H \"Authorization: Bearer $LOANHOOK_KEY\" {page}

or, without the environment:

  loanhook history {LOAN} --url {base} --key {key}

Ctrl-C ends the demo and removes its data."
    ))
}
