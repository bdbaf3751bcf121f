//! Von Neumann's elephant, drawn and learned.

use super::*;

/// So few epochs teach nothing and take no time.
const FAST: &str = "elephant --epochs 2";

#[test]
fn four_drawings_a_table_and_a_sentence() {
    let folder = Folder::new("elephant");
    let report = folder.good(FAST);
    for part in ["50 - 30i", "40 + 20i", "150 points", "standard network", "dropout network", "26,626"] {
        assert!(report.contains(part), "no {part:?} in: {report}");
    }
    let is_braille = |c: char| ('\u{2800}'..='\u{28ff}').contains(&c);
    assert!(report.chars().filter(|&c| is_braille(c)).count() > 200, "{report}");
    let drawn = report.lines().take_while(|line| !line.starts_with("10-2048-2"));
    assert!(drawn.into_iter().all(|line| line.chars().count() <= 110), "{report}");
    for (name, value, is_plain) in [("LC_ALL", "C", true), ("LC_ALL", "en_GB.UTF-8", false)] {
        let output = folder.command(FAST).env(name, value).output().unwrap();
        let plain = !String::from_utf8(output.stdout).unwrap().chars().any(is_braille);
        assert_eq!(plain, is_plain, "{name}={value}");
    }
    assert!(!folder.good(&format!("{FAST} --ascii")).chars().any(is_braille));
}

#[test]
fn json_has_its_fields_and_learning_brings_the_networks_nearer() {
    let folder = Folder::new("elephant-json");
    let run = |epochs: u32| folder.json(&format!("elephant --json --epochs {epochs} --seed 3 --noise 2"));
    let (short, long) = (run(2), run(60));
    assert_eq!((&long["seed"], &long["noise"], &long["epochs"]), (&3.into(), &2.0.into(), &60.into()));
    assert_eq!(long["elephant"][3], serde_json::json!([-14.0, -60.0]));
    assert_eq!(long["eye"], serde_json::json!([20.0, 20.0]));
    assert_eq!(long["points"].as_array().unwrap().len(), 150);
    assert_eq!(long["points"], short["points"]);
    // The noise of 300 numbers: 2 sqrt 2 to within four standard errors.
    let noise = long["points_from_elephant"].as_f64().unwrap();
    assert!((noise / 8.0_f64.sqrt() - 1.0).abs() < 4.0 / 600.0_f64.sqrt(), "{noise}");
    for (index, name) in ["standard", "dropout"].into_iter().enumerate() {
        let (network, before) = (&long["networks"][index], &short["networks"][index]);
        assert_eq!((&network["name"], &network["parameters"]), (&name.into(), &26_626.into()));
        assert!(network["seconds"].as_f64().unwrap() > 0.0);
        for number in ["from_points", "from_elephant"] {
            let (now, before) = (network[number].as_f64().unwrap(), before[number].as_f64().unwrap());
            assert!(now < 0.7 * before, "{name}, {number}: {now} after {before}");
        }
        // The distance that is told is that of the outlines that are given.
        let points = |value: &Value| serde_json::from_value::<Vec<[f64; 2]>>(value.clone()).unwrap();
        let (drawn, truth) = (points(&network["outline"]), points(&long["outline"]));
        let squares = drawn.iter().zip(&truth).map(|(a, b)| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
        let distance = (squares.sum::<f64>() / truth.len() as f64).sqrt();
        assert_eq!((drawn.len(), truth.len()), (600, 600));
        assert!((distance - network["from_elephant"].as_f64().unwrap()).abs() < 1e-9);
    }
    assert!(long["meaning"].as_str().unwrap().ends_with('.'));
}

#[test]
fn the_same_bits_on_one_thread_and_on_two() {
    let folder = Folder::new("elephant-bits");
    for threads in [1, 2] {
        folder.good(&format!("{FAST} -q --seed 5 --threads {threads} -o {threads}.svg"));
    }
    assert!(folder.read("1.svg") == folder.read("2.svg"));
    folder.good(&format!("{FAST} -q --seed 6 -o 3.svg"));
    assert!(folder.read("1.svg") != folder.read("3.svg"));
}

/// Every tag is closed by its own, attributes have quotes, and nothing comes from elsewhere.
#[test]
fn the_picture_is_well_formed() {
    let folder = Folder::new("elephant-svg");
    assert_eq!(folder.good(&format!("{FAST} --quiet -o picture.svg")), "");
    let bytes = folder.read("picture.svg");
    assert!(bytes.len() < 150_000, "{} bytes", bytes.len());
    let svg = String::from_utf8(bytes).unwrap();
    let (mut open, mut tags) = (Vec::new(), 0);
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let name = tag.trim_matches('/').split_whitespace().next().unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert!(!text.contains('&') || text.contains("&amp;"), "{text}");
        tags += 1;
    }
    assert!(open.is_empty() && tags > 20, "{open:?}");
    assert!(svg.starts_with("<svg ") && svg.contains("<animate ") && svg.contains("misses the elephant"));
    assert!(!svg.contains("<script") && !svg.contains("NaN"));
}

#[test]
fn what_cannot_work_is_found_before_the_run() {
    let folder = Folder::new("elephant-rude");
    // So many epochs would take hours.
    for output in ["no/such/e.svg", "."] {
        let error = folder.fails(1, &format!("elephant -q --epochs 100000 -o {output}"));
        assert!(error.contains("cannot write"), "{error}");
    }
    for output in ["e.png", "e.svg.gz", "no/such/e.html"] {
        let error = folder.fails(2, &format!("elephant -q --epochs 100000 -o {output}"));
        assert!(error.starts_with(&format!("the picture is SVG: -o {output} must end in .svg")), "{error}");
    }
    for noise in ["-1", "NaN", "inf", "much"] {
        let error = folder.fails(2, &format!("elephant --noise {noise}"));
        assert!(error.contains("--noise") && error.contains("0 to 1000"), "{error}");
    }
    for options in ["--seed -1", "--epochs 0", "--threads 5000", "--wiggle"] {
        folder.fails(2, &format!("elephant {options}"));
    }
    folder.good(&format!("{FAST} -q --noise 0"));
    folder.good(&format!("{FAST} -q --noise 1000"));
    assert_eq!(fs::read_dir(folder.path(".")).unwrap().count(), 0, "nothing left over");
}

#[test]
fn a_picture_is_drawn_into_svg_into_no_ending_and_into_what_is_no_file() {
    let folder = Folder::new("elephant-endings");
    for output in ["e.svg", "E.SVG", "elephant"] {
        folder.good(&format!("{FAST} -q -o {output}"));
        assert!(folder.read(output).starts_with(b"<svg "), "{output}");
    }
    if cfg!(unix) {
        folder.good(&format!("{FAST} -q -o /dev/null"));
        assert!(folder.good(&format!("{FAST} -q -o /dev/stdout")).starts_with("<svg "));
    }
}

#[test]
fn the_next_step_is_the_same_drawing_as_a_picture() {
    let folder = Folder::new("elephant-next");
    let last = |options: &str| folder.good(&format!("{FAST} {options}")).lines().last().unwrap().to_string();
    let next = last("--noise 2.5 --seed 3 --ascii");
    assert!(
        next.ends_with("Next: thinnet elephant --seed 3 --noise 2.5 --epochs 2 -o elephant.svg"),
        "{next}"
    );
    let next = last("--seed 3 -o e.svg");
    assert!(next.ends_with("in all; e.svg holds the picture.") && !next.contains("Next"), "{next}");
}
