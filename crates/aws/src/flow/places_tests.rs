use super::*;

#[test]
fn the_preferred_share_is_asked_first_and_none_twice() {
    for (preferred, count) in
        [(None, 1), (Some(0), 1), (Some(7), 3), (Some(2), 3), (None, 63), (Some(62), 63)]
    {
        let order = order_of_shares(preferred, count);
        let different: HashSet<_> = order.iter().collect();
        assert_eq!((order.len(), different.len()), (MAX_SHARES_ASKED.min(count as usize), order.len()));
        assert!(order.iter().all(|index| *index < count));
        if let Some(preferred) = preferred.filter(|preferred| *preferred < count) {
            assert_eq!(order[0], preferred);
        }
    }
}

#[test]
fn a_place_whose_time_has_passed_is_one_of_a_dead_sender() {
    let now = Timestamp::from_millis(1_795_428_000_000);
    let names = ["1795428000000#a", "1795428000001#b", "none"].map(str::to_owned);
    let item = Item::from([(TAKEN.into(), AttributeValue::Ss(names.to_vec()))]);
    assert_eq!(live_places(&item, now), 1);
    assert_eq!(dead_places(&item, now), ["1795428000000#a", "none"]);
}
