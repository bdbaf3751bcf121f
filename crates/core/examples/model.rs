//! model: what is kept. A model is fitted, saved as one file, read again, and predicts the same.

use thinnet::average::Average;
use thinnet::data::{Data, digits};
use thinnet::model::{Model, fit};
use thinnet::train::{Flow, Threads};
use thinnet::{Error, Spec};

fn main() -> thinnet::Result<()> {
    let data = Data::from(digits()?);
    let mut spec = Spec::default();
    spec.network.hidden = vec![64];
    spec.train.epochs = 10;
    spec.data.valid = Some(0.2);
    let threads = Threads::new(0)?;
    let fitted = fit(&data, None, &spec, &threads, &mut |_| Flow::Continue)?;
    println!("{} rows trained in {:.2} s", fitted.rows, fitted.seconds);

    let path = std::env::temp_dir().join(format!("digits-{}.thinnet", std::process::id()));
    fitted.model.save(&path)?;
    let size = std::fs::metadata(&path).map_err(Error::file("look at", &path))?.len();
    let model = Model::load(&path)?;
    std::fs::remove_file(&path).map_err(Error::file("remove", &path))?;
    println!("\n{} parameters in a file of {size} bytes, trained by this spec:\n", model.parameters());
    print!("{}", model.spec.to_toml()?);

    let by = Average::monte_carlo(20);
    let [before, after] = [&fitted.model, &model].map(|model| model.predict(&data, by, 1, &threads));
    println!("\nsame predictions: {}", before? == after?);
    Ok(())
}
