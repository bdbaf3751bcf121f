//! What people look at: the drawings with their numbers, the picture, and the answer in JSON.

use serde_json::{Value, json};
use thinnet::report::{Dots, ElephantFit, ElephantPicture, Sheet, Sketch, table};

use super::Arguments;
use super::task::{HARMONICS, Network, POINTS, RATE, Task, UNITS};
use crate::text;

/// How wide the elephant is, which tells how long a length of 1 is.
const WIDTH: u32 = 155;

/// What is printed.
pub fn report(task: &Task, networks: &[Network; 2], arguments: &Arguments, seconds: f64) -> String {
    let next = match &arguments.output {
        Some(picture) => format!("; {} holds the picture.", picture.display()),
        None => format!(". Next: {} -o elephant.svg", arguments.again()),
    };
    let [one, two, three, four, five] = task.elephant.parameters.map(complex);
    format!(
        "Von Neumann's elephant: {one}, {two}, {three} and {four} draw it, 8 numbers in all;\n\
         {five} places its eye and moves its trunk.\n\n{}\n\
         {}-{UNITS}-2 relu learns the outline from cosine and sine of t to {HARMONICS}t; {}, seed {}\n\
         standard: every unit in every step\ndropout:  drops {RATE} of hidden units, one mask for each slice\n\n\
         {}distances: root mean squares between points of the same t; the elephant is {WIDTH} wide\n\n\
         {}\n\n{} in all{next}\n",
        drawings(task, networks, arguments),
        2 * HARMONICS,
        text::counted(arguments.epochs as usize, "epoch", "epochs"),
        arguments.seed,
        rows(networks),
        meaning(task.noise, networks),
        text::seconds(seconds),
    )
}

/// -14 - 60i
fn complex([real, imaginary]: [f64; 2]) -> String {
    format!("{real} {} {}i", if imaginary < 0.0 { '-' } else { '+' }, imaginary.abs())
}

/// The elephant, its noisy points, and below them what both networks made of those.
fn drawings(task: &Task, networks: &[Network; 2], arguments: &Arguments) -> String {
    let eye = &[task.elephant.eye()];
    let titles = networks.each_ref().map(|network| format!("{} network", network.name));
    let noisy = format!("{POINTS} points of it, with noise {}", arguments.noise);
    let sketches = [
        Sketch { title: "the elephant", outline: &task.truth, points: eye },
        Sketch { title: &noisy, outline: &[], points: &task.points },
        Sketch { title: &titles[0], outline: &networks[0].outline, points: eye },
        Sketch { title: &titles[1], outline: &networks[1].outline, points: eye },
    ];
    let dots = if arguments.ascii || !is_unicode() { Dots::Ascii } else { Dots::Braille };
    Sheet { dots, ..Sheet::default() }.draw(&sketches)
}

/// Whether the terminal can show Unicode, as far as the locale says (POSIX: the first of these that is
/// set and not empty). Where it says nothing, most can.
fn is_unicode() -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
    locale.is_none_or(|locale| locale.to_lowercase().replace('-', "").contains("utf8"))
}

fn rows(networks: &[Network]) -> String {
    let row = |network: &Network| {
        vec![
            network.name.to_string(),
            text::count(network.parameters as u64),
            format!("{:.2}", network.from_points),
            format!("{:.2}", network.from_elephant),
            format!("{:.2}", network.seconds),
        ]
    };
    let headers = ["network", "parameters", "from the points", "from the elephant", "seconds"];
    table(&headers, &networks.iter().map(row).collect::<Vec<_>>())
}

/// One sentence on what the numbers say. A difference of less than a tenth is one that another seed may turn.
fn meaning(noise: f64, [standard, dropout]: &[Network; 2]) -> String {
    let (from, to) = (standard.from_elephant, dropout.from_elephant);
    let so = if to < 0.9 * from {
        "without dropout the network learned the noise too"
    } else if to > 1.1 * from {
        "here dropout costs more than it gives; more noise or more epochs may turn that"
    } else {
        "other seeds would tell the two apart"
    };
    format!(
        "The points lie {noise:.1} from the elephant, what the standard network made of them {from:.1}, and what \
         the dropout network made of them {to:.1}: {so}."
    )
}

/// The picture. Nothing in it depends on the speed of the machine.
pub fn svg(task: &Task, networks: &[Network; 2]) -> String {
    let [standard, dropout] = networks;
    let parameters = format!("{} parameters, {POINTS} points", text::count(standard.parameters as u64));
    let dropping = format!("the same, dropping {:.0} % of its units", 100.0 * RATE);
    let misses = |network: &Network| format!("misses the elephant by {:.1}", network.from_elephant);
    let (first, second) = (misses(standard), misses(dropout));
    let fits = [
        ElephantFit { name: "Standard network", notes: [&parameters, &first], outline: &standard.outline },
        ElephantFit { name: "Dropout network", notes: [&dropping, &second], outline: &dropout.outline },
    ];
    ElephantPicture { elephant: task.elephant, points: &task.points, fits }.svg()
}

/// What `--json` answers.
pub fn as_json(task: &Task, networks: &[Network; 2], arguments: &Arguments) -> Value {
    let network = |network: &Network| {
        json!({
            "name": network.name,
            "parameters": network.parameters,
            "from_points": network.from_points,
            "from_elephant": network.from_elephant,
            "seconds": network.seconds,
            "outline": network.outline,
        })
    };
    json!({
        "elephant": task.elephant.parameters,
        "eye": task.elephant.eye(),
        "outline": task.truth,
        "seed": arguments.seed,
        "noise": arguments.noise,
        "points": task.points,
        "points_from_elephant": task.noise,
        "epochs": arguments.epochs,
        "networks": networks.each_ref().map(network),
        "meaning": meaning(task.noise, networks),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;
    use thinnet::data::Elephant;

    fn network(name: &'static str, from_elephant: f64) -> Network {
        Network {
            name,
            parameters: 12_345,
            from_points: 1.0,
            from_elephant,
            seconds: 0.5,
            outline: Vec::new(),
        }
    }

    #[test]
    fn the_sentence_follows_the_numbers() {
        let sentence = |from, to| meaning(8.5, &[network("standard", from), network("dropout", to)]);
        let wins = sentence(6.7, 3.4);
        assert!(wins.starts_with("The points lie 8.5 from the elephant"), "{wins}");
        assert!(wins.contains("made of them 6.7,") && wins.contains("made of them 3.4: without"), "{wins}");
        assert!(sentence(3.4, 6.7).contains("costs more than it gives"));
        for close in [3.1, 3.4, 3.7] {
            assert!(sentence(3.4, close).contains("other seeds"), "{close}");
        }
    }

    #[test]
    fn complex_numbers_are_written_as_usual() {
        assert_eq!([[50.0, -30.0], [-14.0, 6.5]].map(complex), ["50 - 30i", "-14 + 6.5i"]);
    }

    #[test]
    fn the_elephant_is_as_wide_as_is_said() {
        let elephant = Elephant::default();
        let right = |step: i32| elephant.outline(TAU * f64::from(step) / 1e4)[0];
        let (left, right) = (0..10_000)
            .map(right)
            .fold((0.0, 0.0), |(low, high): (f64, f64), right| (low.min(right), high.max(right)));
        assert_eq!((right - left).round(), f64::from(WIDTH));
    }
}
