//! Ctrl-C, and readers that have had enough.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::*;

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn interrupt(child: &Child) {
    signal(child, "-INT");
}

/// What schedulers send, and what `timeout` does: a signal to the process, and one more to its group.
#[test]
fn a_request_to_terminate_and_a_signal_sent_twice_keep_the_model() {
    let folder = Folder::with_data("terminate");
    for signals in [&["-TERM"][..], &["-INT", "-INT"]] {
        let mut command =
            folder.command("fit classes.csv --json --epochs 100000000 --patience 0 --hidden 16");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.starts_with("epoch ")), "the run never began");
        signals.iter().for_each(|name| signal(&child, name));
        let rest: Vec<String> = lines.collect();
        let ran = Ran::new("fit", child.wait_with_output().unwrap());
        assert_eq!(ran.status, 0, "{signals:?}: {rest:?}");
        let fitted: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(fitted["ended"], "interrupted", "{signals:?}");
    }
}

#[test]
fn an_interrupted_run_keeps_its_model() {
    let folder = Folder::with_data("interrupt");
    let mut command = folder.command("fit classes.csv --json --epochs 100000000 --patience 0 --hidden 16");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("epoch ")), "the run never began");
    interrupt(&child);
    let rest: Vec<String> = lines.collect();
    let ran = Ran::new("fit", child.wait_with_output().unwrap());
    assert_eq!(ran.status, 0, "{rest:?}");
    let fitted: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(fitted["ended"], "interrupted");
    let epochs = folder.json("inspect classes.thinnet --json")["run"]["history"].as_array().unwrap().len();
    assert_eq!(fitted["epochs"], epochs);
    assert_eq!(folder.json("evaluate classes.thinnet classes.csv --json")["rows"], 240);
}

#[test]
fn an_interrupted_ensemble_keeps_its_members() {
    let folder = Folder::with_data("interrupted-members");
    let mut command = folder.command(
        "fit classes.csv --json --members 4 --threads 2 --epochs 100000000 --patience 0 \
         --member-hidden none --member-hidden 16",
    );
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("4 members of")), "the run never began");
    std::thread::sleep(std::time::Duration::from_secs(1));
    interrupt(&child);
    let rest: Vec<String> = lines.collect();
    let ran = Ran::new("fit", child.wait_with_output().unwrap());
    assert_eq!(ran.status, 0, "{rest:?}");
    let fitted: Value = serde_json::from_str(&ran.stdout).unwrap();
    let members = fitted["members"].as_array().unwrap();
    assert!(
        matches!(members.len(), 1 | 2) && members.iter().all(|member| member["ended"] == "interrupted"),
        "{fitted}"
    );
    assert_eq!(folder.json("evaluate classes.thinnet classes.csv --json")["rows"], 240);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::with_data("pipe");
    folder.good("fit classes.csv -q --epochs 1 --hidden 4 -o m.thinnet");
    folder.write("many.csv", &classes(20_000));
    for line in
        ["predict m.thinnet many.csv --proba", "inspect m.thinnet", "inspect m.thinnet --json", "--help"]
    {
        let mut child = folder.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::new(line, child.wait_with_output().unwrap());
        assert_eq!((ran.status, &ran.stderr[..]), (0, ""), "{line}");
    }
    // Nobody listens to the progress either.
    let mut child = folder
        .command("fit classes.csv --epochs 3 --hidden 4")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert!(child.wait().unwrap().success());
}
