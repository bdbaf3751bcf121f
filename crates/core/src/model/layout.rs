//! The first part of a safetensors file: which tensors there are and where. Everything in it may
//! be wrong on purpose, so all of it is checked before any memory is asked for.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

/// The name under which thinnet's own header stands in `__metadata__`.
pub(super) const KEY: &str = "thinnet";

/// The JSON of a safetensors file, as it is written there and not yet checked.
#[derive(Debug)]
pub(super) struct Layout {
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<String, Place>,
}

/// Where one tensor is, in the words of the format.
#[derive(Debug, serde::Deserialize)]
struct Place {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// One tensor whose place has been checked.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub name: String,
    pub shape: Vec<usize>,
    /// How many values it has: the product of its shape.
    pub count: usize,
}

/// Written by hand because a name that stands there twice must be refused, and because serde's
/// `flatten` would copy the whole header into a tree first.
impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Layout;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("the names of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Layout, A::Error> {
                let (mut metadata, mut tensors) = (None, BTreeMap::new());
                while let Some(name) = map.next_key::<String>()? {
                    let twice = if name == "__metadata__" {
                        metadata.replace(map.next_value()?).is_some()
                    } else {
                        tensors.insert(name.clone(), map.next_value()?).is_some()
                    };
                    if twice {
                        return Err(A::Error::custom(format_args!("the name {name:?} stands there twice")));
                    }
                }
                Ok(Layout { metadata: metadata.unwrap_or_default(), tensors })
            }
        }
        deserializer.deserialize_map(Names)
    }
}

impl Layout {
    /// Thinnet's own header, if it is there.
    pub fn header(&self) -> Option<&str> {
        self.metadata.get(KEY).map(String::as_str)
    }

    /// The tensors in the order of their bytes, which must fill `length` bytes without a gap.
    /// The error is a sentence.
    pub fn check(self, length: u64) -> Result<Vec<Entry>, String> {
        let mut places: Vec<(String, Place)> = self.tensors.into_iter().collect();
        places.sort_by_key(|(_, place)| place.data_offsets);
        let mut entries = Vec::with_capacity(places.len());
        let mut end = 0;
        for (name, place) in places {
            if place.dtype != "F32" {
                return Err(format!("tensor {name:?} holds {} values, but thinnet's are F32", place.dtype));
            }
            let product = place.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
            let Some((count, bytes)) = product.and_then(|count| Some((count, count.checked_mul(4)?))) else {
                return Err(format!("tensor {name:?} has more values than any memory can hold"));
            };
            let (start, stop) = place.data_offsets;
            if start != end {
                return Err(format!(
                    "tensor {name:?} starts at byte {start} where the one before ends at byte {end}; \
                     tensors must neither overlap nor leave gaps"
                ));
            }
            if stop.checked_sub(start) != Some(bytes) {
                return Err(format!(
                    "tensor {name:?} goes from byte {start} to {stop}, but its shape needs {bytes} bytes"
                ));
            }
            end = stop;
            entries.push(Entry { name, shape: place.shape, count });
        }
        match u64::try_from(end) {
            Ok(end) if end == length => Ok(entries),
            Ok(end) if end < length => {
                Err(format!("{} bytes after its last tensor belong to nothing", length - end))
            }
            _ => Err(format!(
                "its tensors need {end} bytes, but only {length} are there: it was cut short; \
                 copy it again"
            )),
        }
    }
}
