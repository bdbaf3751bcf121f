//! The parts of the data: which rows a model knows, and which were set aside.

use std::fs;

use super::{Folder, classes};

#[test]
fn rows_that_a_model_knows_are_called_so() {
    let folder = Folder::with_data("known-rows");
    let small = "--steps 5 --hidden 8";
    folder.good(&format!("fit classes.csv -q {small} -o m.thinnet"));
    // The same rows under another name, and other rows under the same.
    fs::copy(folder.path("classes.csv"), folder.path("copy.csv")).unwrap();
    folder.write("new.csv", &classes(80));
    let warned = |line: &str| {
        let ran = folder.run(line);
        assert_eq!(ran.status, 0, "{line}: {}", ran.stderr);
        let warned = ran.stderr.contains("was trained on rows of these data");
        assert_eq!(ran.stderr.lines().count(), usize::from(warned), "{}", ran.stderr);
        warned
    };
    for mode in ["evaluate", "measure"] {
        assert!(
            warned(&format!("{mode} m.thinnet classes.csv")) && warned(&format!("{mode} m.thinnet copy.csv"))
        );
        assert!(!warned(&format!("{mode} m.thinnet new.csv")));
        let known =
            |data: &str| folder.json(&format!("{mode} m.thinnet {data} --json"))["trained_on"].clone();
        assert_eq!((known("copy.csv"), known("new.csv")), (true.into(), false.into()));
    }
    assert!(!warned("predict m.thinnet classes.csv"));
    folder.good(&format!("fit classes.csv -q {small} --test 0.3 -o t.thinnet"));
    assert!(!warned("evaluate t.thinnet classes.csv --part test"));
    assert!(folder.run("evaluate t.thinnet classes.csv").stderr.contains("--part test takes those"));
    assert!(warned("evaluate t.thinnet classes.csv --part train"));
    // Rows that chose the epoch are known as well, also where a column is read in another way.
    folder.good(&format!("fit classes.csv -q {small} --valid new.csv --type noise=text -o v.thinnet"));
    assert!(warned("evaluate v.thinnet classes.csv"));
    let chose = folder.run("evaluate v.thinnet new.csv").stderr;
    assert!(chose.contains("chose its epoch by these rows") && !chose.contains("--part"), "{chose}");
    folder.write("newer.csv", &classes(90));
    assert!(!warned("evaluate v.thinnet newer.csv"));
}

/// A table that is not the one that the parts were drawn from has other rows in their places.
#[test]
fn a_part_is_that_of_the_same_rows() {
    let folder = Folder::with_data("same-rows");
    folder.good("fit classes.csv -q --steps 5 --hidden 8 --test 0.3 --ignore noise -o m.thinnet");
    let rows = classes(240);
    let error = |name: &str, text: &str| {
        folder.write(name, text);
        let part =
            |part| folder.json(&format!("evaluate m.thinnet {name} --json --part {part}"))["rows"].clone();
        assert_eq!((part("test"), part("train")), (72.into(), 168.into()), "{name}");
    };
    error("copy.csv", &rows);
    // What was ignored may change, and the order of the columns.
    let other = |row: &str| {
        let cells: Vec<&str> = row.split(',').collect();
        format!("{},{},{}\n", cells[3], cells[1], cells[0])
    };
    error("other.csv", &rows.lines().map(other).collect::<String>());
    let (header, below) = rows.split_once('\n').unwrap();
    let turned: Vec<&str> = below.lines().rev().collect();
    for (name, text) in [
        ("turned.csv", format!("{header}\n{}\n", turned.join("\n"))),
        ("longer.csv", format!("{rows}1,red,0.5,yes\n")),
        ("another.csv", rows.replace("red", "blue")),
    ] {
        folder.write(name, &text);
        let error = folder.fails(1, &format!("evaluate m.thinnet {name} --part test"));
        assert!(error.contains(name) && error.contains("not those that the model's parts"), "{error}");
    }
}

/// The smallest files of IDX images: 1 x 2 pixels, classes 0 and 1 by turns.
fn images(folder: &Folder, part: &str, count: u8) {
    let mut pixels = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 2];
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
    for row in 0..count {
        pixels.extend([row % 2 * 200, row]);
        labels.push(row % 2);
    }
    fs::write(folder.path(&format!("images/{part}-images-idx3-ubyte")), pixels).unwrap();
    fs::write(folder.path(&format!("images/{part}-labels-idx1-ubyte")), labels).unwrap();
}

#[test]
fn a_folder_of_images_keeps_its_own_test_part() {
    let folder = Folder::new("own-part");
    fs::create_dir(folder.path("images")).unwrap();
    images(&folder, "train", 100);
    images(&folder, "t10k", 30);
    folder.good("fit images -q --steps 5 --hidden 4 -o m.thinnet");
    for (part, rows) in [("", 30), ("--part test", 30), ("--part train", 100)] {
        assert_eq!(folder.json(&format!("evaluate m.thinnet images --json {part}"))["rows"], rows);
    }
    for line in ["fit images --test 0.2", "compare images --test 0.2 --minutes 0.1"] {
        let error = folder.fails(1, line);
        assert!(error.contains("has a test part already"), "{line}: {error}");
    }
}
