//! The command line of thinnet: parse, call the library, print.

mod arguments;
mod asked;
mod coadaptation;
mod compare;
mod demo;
mod describe;
mod elephant;
mod evaluate;
mod fit;
mod importance;
mod inspect;
mod judged;
mod measure;
mod output;
mod overfitting;
mod page;
mod predict;
mod progress;
mod rows;
mod studies;
mod study;
mod text;

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use clap::error::ErrorKind as Wrong;
use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};

/// A run that failed.
const FAILED: u8 = 1;
/// A command line that cannot be used.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    let done = Arguments::try_parse().map_err(anyhow::Error::from).and_then(run);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Every mode computes, and a forced instruction set that is not there should not cost a wait.
    thinnet::Isa::from_environment().map_err(thinnet::Error::Machine)?;
    match arguments.command {
        Command::Demo(demo) => demo::run(&demo),
        Command::Elephant(elephant) => elephant::run(&elephant),
        Command::Fit(fit) => fit::run(&fit),
        Command::Predict(predict) => predict::run(&predict),
        Command::Evaluate(evaluate) => evaluate::run(&evaluate),
        Command::Measure(measure) => measure::run(&measure),
        Command::Inspect(inspect) => inspect::run(&inspect),
        Command::Compare(compare) => compare::run(&compare),
        Command::Study(study) => study::run(&study),
    }
}

/// Says what went wrong, in one sentence, and gives the exit status.
fn report(error: &anyhow::Error) -> ExitCode {
    // The reader of a pipe had enough (`thinnet predict ... | head`): that is no failure.
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed) {
        return ExitCode::SUCCESS;
    }
    let Some(wrong) = error.downcast_ref::<clap::Error>() else {
        text::say(&format!("error: {error}"));
        return ExitCode::from(FAILED);
    };
    match wrong.kind() {
        Wrong::DisplayHelp | Wrong::DisplayVersion | Wrong::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed pipe is no failure here either.
            let _ = wrong.print();
        }
        _ => text::say(&sentence(&wrong.render().to_string())),
    }
    match wrong.exit_code() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(WRONG),
    }
}

/// What clap says in several lines and a usage, in one.
fn sentence(message: &str) -> String {
    let mut sentence = String::new();
    for line in message.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        if !sentence.is_empty() {
            sentence += if sentence.ends_with(':') { " " } else { "; " };
        }
        sentence += line.strip_prefix("tip: ").unwrap_or(line);
    }
    format!("{sentence}; {} lists what can be typed", help(std::env::args_os()))
}

/// The command that shows the options of the mode that was typed; its words need not be UTF-8.
fn help(mut typed: impl Iterator<Item = OsString>) -> String {
    let mode = typed.nth(1).and_then(|word| word.into_string().ok()).unwrap_or_default();
    match Arguments::command().find_subcommand(&mode) {
        Some(_) => format!("thinnet {mode} --help"),
        None => "thinnet --help".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    #[test]
    fn a_message_of_several_lines_becomes_a_sentence() {
        let message = "error: unexpected argument '--lrr' found\n\n  tip: a similar argument exists: '--lr'\n\n\
                       Usage: thinnet fit <DATA>\n\nFor more information, try '--help'.\n";
        let expected = "error: unexpected argument '--lrr' found; a similar argument exists: '--lr'; ";
        assert!(super::sentence(message).starts_with(expected));
        let missing = super::sentence("error: these are missing:\n  <DATA>\n\nUsage: thinnet fit <DATA>\n");
        assert!(missing.starts_with("error: these are missing: <DATA>; thinnet"), "{missing}");
    }

    #[test]
    fn help_is_that_of_the_mode() {
        let help = |words: &[&str]| super::help(words.iter().map(OsString::from));
        assert_eq!(help(&["thinnet", "fit", "rows.csv"]), "thinnet fit --help");
        for words in [&["thinnet"][..], &["thinnet", "fti"], &["thinnet", "--lr", "1"], &["thinnet", ""]] {
            assert_eq!(help(words), "thinnet --help", "{words:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn words_that_are_not_utf_8_are_no_mode() {
        use std::os::unix::ffi::OsStringExt;
        let words = [OsString::from("thinnet"), OsString::from_vec(vec![0xff])];
        assert_eq!(super::help(words.into_iter()), "thinnet --help");
    }
}
