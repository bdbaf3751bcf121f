//! Rates that change in the course of training.

use super::*;

#[test]
fn a_schedule_changes_who_is_kept_in_training_alone() {
    let at = |schedule: &str, step: u64| {
        let schedule = schedule.parse().unwrap();
        let thin = ThinSpec { schedule, hidden: Rates::All(0.5), ..ThinSpec::default() };
        kept(&thin, Sample::Training { step }, 0)
    };
    for (schedule, step, factor) in [
        ("early:0.5", 0, 1.0),
        ("early:0.5", 250, 0.5),
        ("early:0.5", 500, 0.0),
        ("late:0.25", 100, 0.0),
        ("late:0.25", 250, 1.0),
        ("off:0.1", 899, 1.0),
        ("off:0.1", 900, 0.0),
        ("linear:0:1", 500, 0.5),
    ] {
        let thin = ThinSpec { hidden: Rates::All(0.5 * factor), ..ThinSpec::default() };
        assert_eq!(at(schedule, step), kept(&thin, Sample::Training { step }, 0), "{schedule} at {step}");
    }
    let spec = |schedule: &str| ThinSpec { schedule: schedule.parse().unwrap(), ..ThinSpec::default() };
    let sample = Sample::MonteCarlo { number: 3 };
    assert_eq!(kept(&spec("early:0.1"), sample, 0), kept(&spec("constant"), sample, 0));
}

/// Who is dropped and what the others are multiplied by, or the variance of Gaussian noise.
#[test]
fn a_schedule_changes_the_noise_in_training_alone() {
    let spec = NetworkSpec { hidden: vec![20], ..NetworkSpec::default() };
    let network = Network::new(12, 3, &spec, 5).unwrap();
    let inputs = Random(6).normals(30 * 12);
    let outputs = |thin: &ThinSpec, sample: Sample| {
        let thinning = Thinning::new(thin, &network, 6).unwrap().with_total_steps(1000);
        let mut slice = Slice::new(isa(), &network, 30, 2, Buffers::Predict);
        slice.thin(&thinning, sample, 60);
        slice.load(&thinning, inputs.chunks(12));
        slice.forward(&network, &thinning, 0..2);
        let mut outputs = vec![0.0; 30 * 3];
        slice.write_outputs(&mut outputs);
        outputs
    };
    for (drop, count, share) in [
        (Drop::Gaussian, Count::Random, Share::Row),
        (Drop::Gaussian, Count::Random, Share::Slice),
        (Drop::Units, Count::Random, Share::Row),
        (Drop::Units, Count::Random, Share::Slice),
        (Drop::Units, Count::Exact, Share::Row),
        (Drop::Units, Count::Exact, Share::Slice),
    ] {
        let of = |rate: f32, schedule: &str| {
            let (hidden, schedule) = (Rates::All(rate), schedule.parse().unwrap());
            ThinSpec { drop, count, input: 0.5 * rate, hidden, share, schedule, ..ThinSpec::default() }
        };
        let constant = |rate: f32| of(rate, "constant");
        let what = format!("{drop:?}, {count:?}, {share:?}");
        for (schedule, step, factor) in [
            ("linear:0:1", 250, 0.25),
            ("linear:1:0.5", 500, 0.75),
            ("early:0.5", 250, 0.5),
            ("early:0.5", 500, 0.0),
            ("late:0.25", 249, 0.0),
            ("late:0.25", 250, 1.0),
        ] {
            let sample = Sample::Training { step };
            let scheduled = outputs(&of(0.5, schedule), sample);
            assert_eq!(scheduled, outputs(&constant(0.5 * factor), sample), "{what}, {schedule} at {step}");
            let is_full = factor == 1.0;
            assert_eq!(scheduled == outputs(&constant(0.5), sample), is_full, "{what}, {schedule} at {step}");
        }
        let sample = Sample::MonteCarlo { number: 3 };
        assert_eq!(outputs(&of(0.5, "early:0.1"), sample), outputs(&constant(0.5), sample), "{what}");
        // The gradients, too: a schedule that is one half at every step of a run.
        let (examples, network, _, train) = setting(drop, Loss::CrossEntropy);
        let half = of(0.5, "linear:0.5:0.5");
        let run = |thin: &ThinSpec| trained(thin, network.clone(), &examples, &train);
        assert!(run(&half) == run(&constant(0.25)) && run(&half) != run(&constant(0.5)), "{what}");
    }
}
