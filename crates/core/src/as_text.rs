//! Kinds of things that are written as one text in a spec, such as `mc:100` or `step:30:0.5`.

/// For a type that is written with `Display` and read with `FromStr`, whose error is a `String`: the two
/// conversions that serde asks for under `#[serde(into = "String", try_from = "String")]`. It takes neither
/// `Display` nor `FromStr` for them, and one `From<T> for String` of all such types is not this crate's to
/// give.
macro_rules! as_text {
    ($type:ty) => {
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> std::result::Result<Self, String> {
                text.parse()
            }
        }
    };
}

pub(crate) use as_text;
