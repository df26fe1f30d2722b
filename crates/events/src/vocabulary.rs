//! Vocabularies: fields whose value is one of a few words.
//!
//! A minor version may add a word, as it may add a field, so a reader must not stumble over one
//! that it does not know: every vocabulary has `Later`, and its schema admits any string beside
//! the known words.

/// Declares a vocabulary: each word with its variant and meaning.
macro_rules! vocabulary {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $($(#[doc = $meaning:literal])* $variant:ident = $word:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $meaning])* $variant,)*
            /// A word of a later minor version.
            Later(Box<str>),
        }

        impl $name {
            /// Every word that this version knows, with its meaning.
            pub const WORDS: &'static [(&'static str, &'static str)] =
                &[$(($word, concat!($($meaning),*)),)*];

            /// The word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Later(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    other => Self::Later(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(word.as_ref()))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let doc = [$($doc),*].map(str::trim).join("\n");
                $crate::vocabulary::schema(&doc, Self::WORDS)
            }
        }
    };
}

pub(crate) use vocabulary;

/// The schema of a vocabulary: one of its words, or another string.
pub(crate) fn schema(doc: &str, words: &[(&str, &str)]) -> schemars::Schema {
    let known = words.iter().map(
        |(word, meaning)| schemars::json_schema!({ "const": word, "description": meaning.trim() }),
    );
    let later = schemars::json_schema!({
        "type": "string",
        "description": "A word of a later minor version.",
    });
    let any: Vec<_> = known.chain([later]).collect();
    schemars::json_schema!({ "description": doc, "anyOf": any })
}
