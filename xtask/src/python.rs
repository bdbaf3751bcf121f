//! Python environments below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::run_quietly;

/// A virtual environment.
pub struct Environment {
    python: PathBuf,
}

impl Environment {
    /// The environment in this folder, made if there is none.
    pub fn open(folder: &Path) -> Result<Environment> {
        let python = folder.join("bin/python");
        if !python.exists() {
            run_quietly(Command::new("python3").args(["-m", "venv"]).arg(folder))
                .with_context(|| format!("cannot make a Python environment in {}", folder.display()))?;
        }
        Ok(Environment { python })
    }

    /// The interpreter.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Installs these packages, unless all of `modules` are there already.
    pub fn provide(&self, packages: &[&str], modules: &[&str]) -> Result<()> {
        const FIND: &str = "import importlib.util, sys\n\
                            sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))";
        let found = run_quietly(Command::new(&self.python).args(["-c", FIND]).args(modules)).is_ok();
        if found {
            return Ok(());
        }
        println!("installing {} ...", packages.join(", "));
        self.install(packages)
    }

    /// `pip install` with these arguments.
    pub fn install(&self, arguments: &[&str]) -> Result<()> {
        run_quietly(Command::new(&self.python).args(["-m", "pip", "install", "--quiet"]).args(arguments))
            .with_context(|| format!("pip cannot install {}", arguments.join(" ")))
    }
}
