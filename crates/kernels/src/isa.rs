//! Which instruction set runs.

use std::fmt;

/// An instruction set that this machine has. Only detection makes one, so holding one is
/// the proof that its instructions may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(crate) Level);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The form that any machine runs.
    pub const SCALAR: Isa = Isa(Level::Scalar);

    /// The best instruction set that this machine has.
    pub fn best() -> Isa {
        Self::available().last().unwrap_or(Self::SCALAR)
    }

    /// All instruction sets that this machine has, the plainest first.
    pub fn available() -> impl DoubleEndedIterator<Item = Isa> {
        let mut levels = [Some(Level::Scalar), None, None];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels[1] = Some(Level::Avx2);
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            levels[2] = wide.then_some(Level::Avx512);
        }
        levels.into_iter().flatten().map(Isa)
    }

    /// The instruction set called `scalar`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// A sentence, when the name is unknown or this machine lacks the instruction set.
    pub fn named(name: &str) -> Result<Isa, String> {
        Self::among(Self::available().collect(), name)
    }

    fn among(available: Vec<Isa>, name: &str) -> Result<Isa, String> {
        if let Some(&isa) = available.iter().find(|isa| isa.to_string() == name) {
            return Ok(isa);
        }
        let has: Vec<String> = available.iter().map(Isa::to_string).collect();
        Err(if ["avx2", "avx512"].contains(&name) {
            format!("this machine lacks the instruction set {name}; it has {}", has.join(", "))
        } else {
            format!("there is no instruction set {name:?}; this machine has {}", has.join(", "))
        })
    }

    /// The one that the environment variable `THINNET_ISA` names, else the best.
    ///
    /// # Errors
    /// As [`Isa::named`].
    pub fn from_environment() -> Result<Isa, String> {
        match std::env::var_os("THINNET_ISA") {
            Some(name) if !name.is_empty() => {
                Self::named(&name.to_string_lossy()).map_err(|why| format!("THINNET_ISA: {why}"))
            }
            _ => Ok(Self::best()),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self.0 {
            Level::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
        })
    }
}

/// Makes a safe function from a body that is generic over the lanes: one copy is compiled
/// for each instruction set, and the caller's [`Isa`] says which copy runs.
macro_rules! for_each_isa {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $body:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        $visibility fn $name(isa: $crate::isa::Isa, $($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($argument: $type),*) $(-> $result)? {
                $body::<$crate::simd::Avx512>($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) $(-> $result)? {
                $body::<$crate::simd::Avx2>($($argument),*)
            }
            match isa.0 {
                $crate::isa::Level::Scalar => $body::<$crate::simd::Scalar>($($argument),*),
                // SAFETY: an `Isa` of this level exists only where detection found its instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Level::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Level::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}
pub(crate) use for_each_isa;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_available_isa_is_found_by_its_name() {
        for isa in Isa::available() {
            assert_eq!(Isa::named(&isa.to_string()), Ok(isa));
        }
    }

    #[test]
    fn an_unknown_isa_is_an_error() {
        for name in ["sse9", "AVX2", " scalar", ""] {
            assert!(
                Isa::named(name).is_err_and(|why| why.contains("there is no instruction set")),
                "{name:?}"
            );
        }
    }

    #[test]
    fn an_isa_that_the_machine_lacks_is_an_error() {
        let plain = || vec![Isa::SCALAR];
        assert_eq!(Isa::among(plain(), "scalar"), Ok(Isa::SCALAR));
        for name in ["avx2", "avx512"] {
            let why = Isa::among(plain(), name).unwrap_err();
            assert_eq!(why, format!("this machine lacks the instruction set {name}; it has scalar"));
            assert_eq!(Isa::named(name).is_ok(), Isa::available().any(|isa| isa.to_string() == name));
        }
    }

    #[test]
    fn the_best_is_the_last_of_those_available() {
        assert_eq!(Isa::available().next(), Some(Isa::SCALAR));
        assert_eq!(Isa::available().last(), Some(Isa::best()));
    }
}
