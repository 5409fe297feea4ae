//! Accessibility of the pages of all loans: axe-core finds nothing, light and dark, wide and narrow, and each fits its window.

use serde_json::Value;

use super::{PAGES, go};
use crate::accessibility::{assert_no_violation, axe};
use crate::browser::Look;
use crate::harness::Journey;
use crate::scenes::{busy_tenant, sign_in};
use crate::tab::Tab;

#[tokio::test]
async fn no_page_of_all_loans_breaks_an_accessibility_rule_in_light_or_dark_wide_or_narrow() {
    let Some(axe) = axe() else { return };
    let j = Journey::start().await;
    busy_tenant(&j).await;
    for (dark, width) in [(false, 1280), (true, 1280), (false, 360), (true, 360), (false, 3840)] {
        let Some(tab) = sign_in(&j, Look { dark, width, ..Look::WITH_SCRIPT }, "/").await else { return };
        for (path, what) in PAGES {
            go(&tab, path).await;
            for summary in tab.all(".numbers > summary, .filters:not([open]) > summary").await {
                summary.click().await.expect("it opens");
            }
            let named = format!("{what}, dark: {dark}, {width} wide");
            assert_no_violation(&tab, &axe, &named).await;
            assert_fits(&tab, &named).await;
        }
        if !dark && width == 1280 {
            go(&tab, "/webhooks/resend-all?status=failed").await;
            tab.click(".bulk button.primary").await;
            tab.wait_for_text("#job h2", "Done").await;
            assert_no_violation(&tab, &axe, "the outcome of a bulk resend").await;
            if !j.server.is_external() {
                go(&tab, "/styleguide").await;
                assert_no_violation(&tab, &axe, "the samples").await;
            }
        }
        tab.close().await;
    }
}

pub(super) async fn assert_fits(tab: &Tab, what: &str) {
    let fits = tab.run("return document.documentElement.scrollWidth <= innerWidth", vec![]).await;
    assert_eq!(fits, Value::Bool(true), "{what} fits its window");
}

/// Colours that the system forces, and paper, hide nothing that is said.
#[tokio::test]
async fn what_is_said_is_seen_in_forced_colours_and_on_paper() {
    let j = Journey::start().await;
    busy_tenant(&j).await;
    let Some(tab) = sign_in(&j, Look::WITH_SCRIPT, "/").await else { return };
    let forced = serde_json::json!({"features": [{"name": "forced-colors", "value": "active"}]});
    tab.devtools("Emulation.setEmulatedMedia", forced).await;
    let fills = "return new Set([...document.querySelectorAll('.legend .series')].map((one) => getComputedStyle(one).fill)).size";
    assert_eq!(tab.run(fills, vec![]).await, 4, "outcomes are told apart");
    tab.devtools("Emulation.setEmulatedMedia", serde_json::json!({"media": "print"})).await;
    for (selector, seen) in
        [(".tiles", true), ("figure svg.chart", true), (".search", false), (".sections", false)]
    {
        let shown = "return document.querySelector(arguments[0]).getClientRects().length > 0";
        assert_eq!(tab.run(shown, vec![selector.into()]).await, seen, "{selector}");
    }
    tab.close().await;
}
