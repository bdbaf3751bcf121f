//! What moves numbers moves them to the bit.

mod common;

use common::{Random, UNTOUCHED, assert_same_bits, cases, every_isa};
use proptest::prelude::*;
use thinnet_kernels::LINE;
use thinnet_kernels::gather::{compress, expand, transpose};

fn gap() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0usize), 1..40usize]
}

/// The bits of up to 9 blocks: all kinds, from blocks with no bit to blocks with all.
fn bits() -> impl Strategy<Value = Vec<u16>> {
    let block = prop_oneof![Just(0), Just(u16::MAX), any::<u16>(), (0..16).prop_map(|bit| 1u16 << bit)];
    prop::collection::vec(block, 0..10)
}

/// The places whose bit is set.
fn places(bits: &[u16]) -> Vec<usize> {
    (0..bits.len() * LINE).filter(|place| bits[place / LINE] >> (place % LINE) & 1 == 1).collect()
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn transpose_moves_every_value(
        blocks in [0..5usize, 0..5usize], gaps in [gap(), gap()], tail in gap(), seed in any::<u64>(),
    ) {
        let [lines, values] = blocks.map(|blocks| blocks * LINE);
        let (stride, to_stride) = (values + gaps[0], lines + gaps[1]);
        let from = Random(seed).values((lines.max(1) - 1) * stride + values);
        let mut expected = vec![UNTOUCHED; (values.max(1) - 1) * to_stride + lines + tail];
        let before = expected.clone();
        for line in 0..lines {
            for value in 0..values {
                expected[value * to_stride + line] = from[line * stride + value];
            }
        }
        for isa in every_isa() {
            let mut to = before.clone();
            transpose(isa, &from, lines, values, stride, &mut to, to_stride);
            assert_same_bits(&to, &expected, isa);
        }
    }

    #[test]
    fn compress_closes_the_gaps(bits in bits(), tails in [gap(), gap()], seed in any::<u64>()) {
        let places = places(&bits);
        let whole = Random(seed).values(bits.len() * LINE + tails[0]);
        let expected: Vec<f32> = places.iter().map(|&place| whole[place]).collect();
        for isa in every_isa() {
            let mut compact = vec![UNTOUCHED; places.len() + LINE + tails[1]];
            compress(isa, &bits, &whole, &mut compact);
            assert_same_bits(&compact[..places.len()], &expected, isa);
            assert_same_bits(&compact[places.len() + LINE..], &vec![UNTOUCHED; tails[1]], isa);
        }
    }

    #[test]
    fn expand_writes_or_adds_where_a_bit_is_set(
        bits in bits(), tails in [gap(), gap()], add in any::<bool>(), seed in any::<u64>(),
    ) {
        let places = places(&bits);
        let mut random = Random(seed);
        let before = random.values(bits.len() * LINE + tails[0]);
        let mut compact = random.values(places.len() + LINE + tails[1]);
        compact[places.len()..].fill(f32::NAN);
        let mut expected = before.clone();
        if !add {
            expected[..bits.len() * LINE].fill(0.0);
        }
        for (&place, &value) in places.iter().zip(&compact) {
            expected[place] = if add { expected[place] + value } else { value };
        }
        for isa in every_isa() {
            let mut whole = before.clone();
            expand(isa, &bits, &compact, &mut whole, add);
            assert_same_bits(&whole, &expected, isa);
        }
    }
}
