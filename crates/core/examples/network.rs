//! network: the whole network, its shape and its first weights.

use thinnet::network::{Activation, Initialise, Network, NetworkSpec};
use thinnet::report;

fn main() -> thinnet::Result<()> {
    let spec =
        NetworkSpec { hidden: vec![128, 32], activation: Activation::Relu, initialise: Initialise::He };
    let network = Network::new(64, 10, &spec, 1)?;
    let line = |(index, layer): (usize, &thinnet::network::Layer)| {
        let weights = (0..layer.units).flat_map(|unit| network.unit_weights(index, unit));
        let squares: f32 = weights.map(|weight| weight * weight).sum();
        let deviation = (squares / (layer.units * layer.inputs) as f32).sqrt();
        let he = (2.0 / layer.inputs as f32).sqrt();
        vec![
            index.to_string(),
            format!("{} -> {}", layer.inputs, layer.units),
            format!("{:?}", layer.activation),
            format!("{deviation:.4}"),
            format!("{he:.4}"),
        ]
    };
    let rows: Vec<Vec<String>> = network.layers().iter().enumerate().map(line).collect();
    print!("{}", report::table(&["layer", "shape", "activation", "deviation", "sqrt(2 / in)"], &rows));
    println!("\n{} parameters", network.parameters());
    Ok(())
}
