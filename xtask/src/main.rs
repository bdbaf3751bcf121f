//! The chores of this repository: `cargo xtask test` and `cargo xtask bench`.

mod bench;
mod checks;
mod command;
mod contest;
mod machine;
mod own;
mod python;
mod report;
mod test;
mod worker;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask test
         runs all tests, the kernels' once for each instruction set of this machine
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
        Some((chore, options)) if chore == "bench" => bench::run_bench(&bench::Options::parse(options)?),
        _ => bail!("{USAGE}"),
    }
}
