//! thin: who is dropped. One row through one network, whole and thinned; and the layer alone.

use thinnet::Isa;
use thinnet::network::{Network, NetworkSpec};
use thinnet::thin::{Buffers, Dropout, Rates, Sample, Slice, ThinSpec, Thinning};

fn main() -> thinnet::Result<()> {
    let spec = NetworkSpec { hidden: vec![12, 12], ..NetworkSpec::default() };
    let network = Network::new(6, 1, &spec, 1)?;
    let thin = ThinSpec { input: 0.2, hidden: Rates::All(0.5), ..ThinSpec::default() };
    let thinning = Thinning::new(&thin, &network, 1)?;
    let mut slice = Slice::new(Isa::best(), &network, 1, 0, Buffers::Predict);
    let row = [0.5, -1.0, 2.0, 0.0, 1.5, -0.5];
    let samples = [Sample::Whole].into_iter().chain((0..4).map(|step| Sample::Training { step }));
    for sample in samples {
        slice.thin(&thinning, sample, 0);
        slice.load(&thinning, std::iter::once(&row[..]));
        slice.forward(&network, &thinning, 0..3);
        println!("{sample:?} gives {:.3}", slice.outputs()[0]);
        (0..3).for_each(|level| println!("   level {level} keeps {:?}", slice.kept(level).units()));
    }

    println!("\nThe layer alone, two rows of eight units, rate 0.5:");
    let dropout = Dropout::new(0.5, 1)?.with_level(1);
    for step in 0..2 {
        let mut units = [1.0; 16];
        dropout.forward(Sample::Training { step }, 8, &mut units)?;
        println!("step {step}: {:?} {:?}", &units[..8], &units[8..]);
    }
    Ok(())
}
