//! The size of a page: less than 100 KB with all that it loads, one stylesheet, one script, and nothing that moves while it loads.

use super::{PAGES, go};
use crate::browser::Look;
use crate::harness::Journey;
use crate::scenes::{busy_tenant, sign_in};

#[tokio::test]
async fn each_page_is_small_and_does_not_shift() {
    let j = Journey::start().await;
    busy_tenant(&j).await;
    let Some(tab) = sign_in(&j, Look::WITH_SCRIPT, "/").await else { return };
    // Nothing comes from the cache.
    tab.devtools("Network.enable", serde_json::json!({})).await;
    tab.devtools("Network.setCacheDisabled", serde_json::json!({"cacheDisabled": true})).await;
    for (path, what) in PAGES {
        go(&tab, path).await;
        tab.one("main h1").await;
        let loaded = "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                .filter((one) => !one.name.endsWith('.svg') && !one.name.endsWith('.ico'));
            return [all.length, all.reduce((sum, one) => sum + one.decodedBodySize, 0)];";
        let loaded = tab.run(loaded, vec![]).await;
        assert_eq!(loaded[0], 3, "{what}: a page, a stylesheet and a script");
        assert!(loaded[1].as_u64().is_some_and(|bytes| bytes < 100_000), "{what} has {} bytes", loaded[1]);
        let shift = "const done = arguments[0];
            new PerformanceObserver((list) => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)))
                .observe({type: 'layout-shift', buffered: true});
            requestAnimationFrame(() => requestAnimationFrame(() => done(0)));";
        let shift = tab.driver().execute_async(shift, vec![]).await.expect("it runs");
        assert!(shift.json().as_f64().is_some_and(|shift| shift < 0.01), "{what} shifts by {}", shift.json());
    }
    tab.close().await;
}
