//! The chores of this repository: `cargo xtask test`, `cargo xtask pages` and `cargo xtask bench`.

mod bench;
mod checks;
mod command;
mod contest;
mod machine;
mod own;
mod pages;
mod python;
mod report;
mod test;
mod worker;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask test
         runs all tests, the kernels' once for each instruction set of this machine
       cargo xtask pages [--pictures FOLDER]
         looks at the pages of thinnet with headless Chromium; cargo xtask test does so too
       cargo xtask bench [OPTION]...
         times thinnet beside other libraries
           --rounds N       times each contestant is measured (default 5; with --quick 1)
           --threads N      threads and cores for each contestant (default 2)
           --peers A,B      of jax, torch, sklearn, onnx, gemm (default all; an empty list for none)
           --json FILE      where the result goes (default target/bench.json)
           --quick          one rough round, without torch.compile";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((chore, [])) if chore == "test" => test::run_tests(),
        Some((chore, [])) if chore == "pages" => pages::run_pages(None),
        Some((chore, [option, folder])) if chore == "pages" && option == "--pictures" => {
            pages::run_pages(Some(folder.as_ref()))
        }
        Some((chore, options)) if chore == "bench" => bench::run_bench(&bench::Options::parse(options)?),
        _ => bail!("{USAGE}"),
    }
}
