//! What this machine is.

use std::process::{Command, Stdio};

/// The instruction sets of the kernels that this machine has, as `THINNET_ISA` names them.
pub fn instruction_sets() -> Vec<&'static str> {
    #[allow(unused_mut)]
    let mut sets = vec!["scalar"];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            sets.push("avx2");
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            sets.push("avx512");
        }
    }
    sets
}

/// The processor's name.
pub fn processor() -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find(|line| line.starts_with("model name"));
    let name = model.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH))
}

/// The cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// The words before a command that keep it on the first `threads` cores; none where that cannot be done.
pub fn pin(threads: usize) -> Vec<String> {
    let words = ["taskset".to_owned(), "-c".to_owned(), format!("0-{}", threads - 1)];
    let mut trial = Command::new(&words[0]);
    trial.args(&words[1..]).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    if trial.status().is_ok_and(|status| status.success()) { words.into() } else { Vec::new() }
}
