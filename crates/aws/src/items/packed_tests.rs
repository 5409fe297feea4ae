use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Bytes that zlib shortens, and bytes that it does not.
fn originals() -> impl Strategy<Value = Vec<u8>> {
    let repeated = (vec(any::<u8>(), 1..40), 1..200_usize).prop_map(|(part, times)| part.repeat(times));
    prop_oneof![vec(any::<u8>(), 0..4000), vec(prop_oneof![Just(b'0'), Just(b'1')], 0..4000), repeated]
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked_as_it_was(original in originals()) {
        let packed = pack(&original).expect("small enough");
        prop_assert_eq!(unpack(&packed), Ok(original));
    }

    #[test]
    fn a_changed_byte_gives_the_original_or_an_error(
        original in originals(), at in any::<prop::sample::Index>(), mask in 1..=u8::MAX
    ) {
        let mut packed = pack(&original).expect("small enough");
        let at = at.index(packed.len());
        packed[at] ^= mask;
        if let Ok(unpacked) = unpack(&packed) {
            prop_assert_eq!(unpacked, original);
        }
    }

    #[test]
    fn a_part_is_an_error(original in originals(), end in any::<prop::sample::Index>()) {
        let packed = pack(&original).expect("small enough");
        prop_assert_eq!(unpack(&packed[..end.index(packed.len())]), Err(UnpackError::Damaged));
    }

    #[test]
    fn bytes_that_nobody_packed_are_an_error_or_bounded(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(unpacked) = unpack(&bytes) {
            prop_assert!(unpacked.len() <= MAX_ORIGINAL_BYTES);
        }
    }

    #[test]
    fn packing_is_left_out_where_it_saves_no_unit(original in originals(), other_bytes in 0..2000_usize) {
        let units = |bytes: usize| write_units(bytes + other_bytes);
        let packed = pack(&original).expect("small enough");
        let expected = (units(packed.len()) < units(original.len())).then_some(packed);
        prop_assert_eq!(pack_if_cheaper(&original, other_bytes), expected);
    }
}

/// What claims to be of this length, and is a stream of so many zeros.
fn packed_zeros(claimed: u32, zeros: usize) -> Vec<u8> {
    let mut packed = vec![VERSION];
    packed.extend(claimed.to_be_bytes());
    packed.extend(zlib::compress(&vec![0; zeros]));
    packed
}

#[test]
fn a_stream_that_has_not_its_length_is_an_error() {
    assert_eq!(unpack(&packed_zeros(1000, 1000)), Ok(vec![0; 1000]));
    for (claimed, zeros) in [(999, 1000), (1001, 1000), (0, 1), (1, 0), (1000, 100_000_000), (u32::MAX, 1000)]
    {
        assert_eq!(unpack(&packed_zeros(claimed, zeros)), Err(UnpackError::Damaged), "{claimed} {zeros}");
    }
}

#[test]
fn nothing_larger_than_the_bound_is_packed_or_unpacked() {
    assert!(pack(&vec![0; MAX_ORIGINAL_BYTES]).is_some_and(|packed| unpack(&packed).is_ok()));
    assert_eq!(pack(&vec![0; MAX_ORIGINAL_BYTES + 1]), None);
    let claimed = u32::try_from(MAX_ORIGINAL_BYTES + 1).expect("small");
    assert_eq!(unpack(&packed_zeros(claimed, MAX_ORIGINAL_BYTES + 1)), Err(UnpackError::Damaged));
}

#[test]
fn what_a_newer_version_packed_is_said_to_be_newer() {
    let mut packed = pack(b"a text").expect("small enough");
    packed[0] = VERSION + 1;
    assert_eq!(unpack(&packed), Err(UnpackError::Newer(VERSION + 1)));
}
